//! What a datagram says of itself before any session looks at it.

/// A datagram that begins with a ClientHello in the clear ([RFC 6347 §4.2.2]).
///
/// [RFC 6347 §4.2.2]: https://www.rfc-editor.org/rfc/rfc6347#section-4.2.2
#[derive(Clone, Copy)]
pub(crate) struct ClientHello<'a> {
    pub(crate) datagram: &'a [u8],
    /// The client's random: the same in all datagrams of one attempt, and never in another.
    pub(crate) random: &'a [u8; 32],
}

/// > type(1) version(2) epoch(2) sequence_number(6) length(2)
const RECORD_HEADER: usize = 13;

/// > msg_type(1) length(3) message_seq(2) fragment_offset(3) fragment_length(3)
const HANDSHAKE_HEADER: usize = 12;

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

impl<'a> ClientHello<'a> {
    /// None for any other datagram, and for a later fragment, which has no random.
    pub(crate) fn of(datagram: &'a [u8]) -> Option<Self> {
        let (record, message) = datagram.split_at_checked(RECORD_HEADER)?;
        let (header, body) = message.split_at_checked(HANDSHAKE_HEADER)?;
        let is_first_of_hello = header[0] == CLIENT_HELLO && header[6..9] == [0; 3];
        if record[0] != HANDSHAKE || !is_in_clear(datagram) || !is_first_of_hello {
            return None;
        }
        // > client_version(2) random(32)
        let random = body.get(2..)?.first_chunk()?;
        Some(Self { datagram, random })
    }
}

/// Whether the first record is of epoch 0, which only handshakes have.
pub(crate) fn is_in_clear(datagram: &[u8]) -> bool {
    datagram.get(3..5) == Some(&[0, 0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> Vec<u8> {
        let mut datagram = vec![0; RECORD_HEADER + HANDSHAKE_HEADER + 2];
        datagram[0] = HANDSHAKE;
        datagram[RECORD_HEADER] = CLIENT_HELLO;
        datagram.extend([7; 32]);
        datagram
    }

    #[test]
    fn a_hello_has_its_random() {
        let datagram = hello();
        let hello = ClientHello::of(&datagram).unwrap();
        assert_eq!(hello.random, &[7; 32]);
        assert!(is_in_clear(&datagram));
    }

    #[test]
    fn another_datagram_is_refused() {
        for (place, value) in [
            (0, 23),                // application data
            (4, 1),                 // a later epoch
            (RECORD_HEADER, 2),     // another message
            (RECORD_HEADER + 8, 1), // a later fragment
        ] {
            let mut datagram = hello();
            datagram[place] = value;
            assert!(ClientHello::of(&datagram).is_none(), "byte {place}");
        }
        let whole = hello();
        for length in 0..whole.len() {
            assert!(
                ClientHello::of(&whole[..length]).is_none(),
                "{length} bytes"
            );
        }
    }
}
