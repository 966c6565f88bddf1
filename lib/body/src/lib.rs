//! The bodies of the messages that this project's programs send each other: JSON objects, and bytes as texts in them.
//!
//! A body is read whole or refused: nothing after its end, and at most [`LARGEST`] bytes. That it has no unknown field
//! and no field twice, each message's own type says (`deny_unknown_fields`); that a text in it has no escape, it says
//! by borrowing it. Bytes have one text each.
//!
//! Threat: a peer that sends whatever it likes. It is answered alike, and nothing of it is repeated.
#![forbid(unsafe_code)]

mod codes;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display};

/// Bytes of the largest body that either side reads.
pub const LARGEST: usize = 64 * 1024;

/// Reads a body.
///
/// # Errors
///
/// [`NotAMessage`], which repeats nothing of the body.
pub fn read<'a, M: Deserialize<'a>>(body: &'a [u8]) -> Result<M, NotAMessage> {
    // serde would take an array for a structure, too.
    let object = body.trim_ascii_start().starts_with(b"{");
    match object && body.len() <= LARGEST {
        true => serde_json::from_slice(body).map_err(|_| NotAMessage),
        false => Err(NotAMessage),
    }
}

/// Writes a body.
pub fn write<M: Serialize>(message: &M) -> Vec<u8> {
    serde_json::to_vec(message).expect("a message's fields are texts and numbers")
}

/// The body is not the message that should stand there. The peer is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAMessage;

impl Display for NotAMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a body that is not the message expected")
    }
}

impl std::error::Error for NotAMessage {}

/// Unpadded.
pub fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Exactly so many bytes, unpadded, no bits set beyond the last.
pub fn from_base64url<const N: usize>(text: &str) -> Result<[u8; N], NotBytes> {
    let mut bytes = [0; N];
    match Base64UrlUnpadded::decode(text, &mut bytes) {
        Ok(decoded) if decoded.len() == N => Ok(bytes),
        _ => Err(NotBytes { length: N }),
    }
}

/// It is not this many bytes in unpadded base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotBytes {
    length: usize,
}

impl Display for NotBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not {} bytes in unpadded base64url", self.length)
    }
}

impl std::error::Error for NotBytes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example<'a> {
        text: &'a str,
    }

    #[test]
    fn a_body_is_read_as_it_was_written() {
        let body = br#"{"text":"a"}"#;
        assert_eq!(write(&Example { text: "a" }), body);
        assert_eq!(read(body), Ok(Example { text: "a" }));
    }

    #[test]
    fn a_body_that_is_not_quite_the_message_is_refused() {
        for body in [
            "",
            "{}",
            r#"["a"]"#,
            r#"{"text":"a"}x"#,
            r#"{"text":"a","text":"b"}"#,
            r#"{"text":"a","more":1}"#,
            r#"{"text":"\u0061"}"#,
            "\u{feff}{\"text\":\"a\"}",
        ] {
            assert_eq!(read::<Example>(body.as_bytes()), Err(NotAMessage), "{body}");
        }
    }

    #[test]
    fn a_body_that_is_too_large_is_refused() {
        let mut body = br#"{"text":"a"}"#.to_vec();
        body.resize(LARGEST, b' ');
        assert!(read::<Example>(&body).is_ok());
        body.push(b' ');
        assert_eq!(read::<Example>(&body), Err(NotAMessage));
    }

    #[test]
    fn bytes_written_otherwise_are_refused() {
        // RFC 4648 §10, and the two last digits of the alphabet.
        assert_eq!(base64url(b"foo"), "Zm9v");
        assert_eq!(base64url(&[0xfb, 0xef, 0xff]), "--__");
        assert_eq!(from_base64url(&base64url(b"food")), Ok(*b"food"));
        // Short, long, padded, with bits beyond the last byte, with another alphabet, with white space.
        for text in [
            "Zm9v", "Zm9vZGQ", "Zm9vZA==", "Zm9vZB", "Zm9+ZA", "Zm9vZA ", " Zm9vZA",
        ] {
            assert_eq!(
                from_base64url::<4>(text),
                Err(NotBytes { length: 4 }),
                "{text}"
            );
        }
    }
}
