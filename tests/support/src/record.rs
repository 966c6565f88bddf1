//! TLS records, as they stand on the wire ([RFC 8446 §5.1]).
//!
//! [RFC 8446 §5.1]: https://www.rfc-editor.org/rfc/rfc8446#section-5.1

pub const ALERT: u8 = 21;
pub const HANDSHAKE: u8 = 22;
pub const APPLICATION_DATA: u8 = 23;

/// Alerts, by their names in [RFC 8446 §6].
///
/// [RFC 8446 §6]: https://www.rfc-editor.org/rfc/rfc8446#section-6
pub mod alert {
    pub const BAD_RECORD_MAC: u8 = 20;
    pub const HANDSHAKE_FAILURE: u8 = 40;
    pub const ILLEGAL_PARAMETER: u8 = 47;
    pub const DECRYPT_ERROR: u8 = 51;
    pub const PROTOCOL_VERSION: u8 = 70;
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    pub kind: u8,
    pub body: &'a [u8],
}

impl Record<'_> {
    pub fn is_server_hello(&self) -> bool {
        self.kind == HANDSHAKE && self.body.first() == Some(&2)
    }
}

/// The record of one fatal alert.
pub fn fatal(number: u8) -> [u8; 7] {
    [ALERT, 3, 3, 0, 2, 2, number]
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
