//! TLS records, as they stand on the wire ([RFC 8446 §5.1]).
//!
//! [RFC 8446 §5.1]: https://www.rfc-editor.org/rfc/rfc8446#section-5.1

pub const ALERT: u8 = 21;
pub const HANDSHAKE: u8 = 22;
pub const APPLICATION_DATA: u8 = 23;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    pub kind: u8,
    pub body: &'a [u8],
}

/// The records of one direction. Fails the test where the bytes are no whole records.
pub fn records(mut bytes: &[u8]) -> Vec<Record<'_>> {
    let mut all = Vec::new();
    while let Some((&[kind, _, _, high, low], rest)) = bytes.split_first_chunk::<5>() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        assert!(
            (20..=24).contains(&kind) && length <= rest.len(),
            "not a TLS record: {bytes:02x?}"
        );
        let (body, after) = rest.split_at(length);
        all.push(Record { kind, body });
        bytes = after;
    }
    assert!(bytes.is_empty(), "half a TLS record: {bytes:02x?}");
    all
}

/// The alerts that are not encrypted: level and number.
pub fn alerts(bytes: &[u8]) -> Vec<(u8, u8)> {
    records(bytes)
        .iter()
        .filter(|record| record.kind == ALERT)
        .filter_map(|record| match record.body {
            [level, number] => Some((*level, *number)),
            _ => None,
        })
        .collect()
}
