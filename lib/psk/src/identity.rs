//! The name of a key.

use std::fmt;
use std::str::FromStr;

/// A PSK identity: what a client says in clear so that the server knows which key is meant.
///
/// 1 to [`Identity::MAX_LEN`] bytes of UTF-8 without control characters, as [RFC 4279 §5.1] wants it. A NUL would
/// end the identity early in OpenSSL's callbacks.
///
/// [RFC 4279 §5.1]: https://www.rfc-editor.org/rfc/rfc4279#section-5.1
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity(String);

impl Identity {
    /// The longest identity that every implementation must take ([RFC 4279 §5.3]), in bytes.
    ///
    /// [RFC 4279 §5.3]: https://www.rfc-editor.org/rfc/rfc4279#section-5.3
    pub const MAX_LEN: usize = 128;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `offered` is this identity, byte for byte, in a time that depends on the length alone.
    pub fn matches(&self, offered: &[u8]) -> bool {
        let own = self.0.as_bytes();
        // Both sides are brought to one length, so that the comparison never ends early.
        let mut padded = [0; Self::MAX_LEN];
        let head = offered.len().min(Self::MAX_LEN);
        padded[..head].copy_from_slice(&offered[..head]);
        let mut expected = [0; Self::MAX_LEN];
        expected[..own.len()].copy_from_slice(own);
        openssl::memcmp::eq(&padded, &expected) & (own.len() == offered.len())
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Identity {
    type Err = InvalidIdentity;

    fn from_str(text: &str) -> Result<Self, InvalidIdentity> {
        if text.is_empty() || text.len() > Self::MAX_LEN || text.chars().any(char::is_control) {
            return Err(InvalidIdentity);
        }
        Ok(Self(text.to_owned()))
    }
}

/// The text cannot be an identity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidIdentity;

impl fmt::Display for InvalidIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an identity has 1 to {} bytes and no control character",
            Identity::MAX_LEN
        )
    }
}

impl std::error::Error for InvalidIdentity {}

#[cfg(test)]
mod tests {
    use super::*;

    fn client1() -> Identity {
        "Client1".parse().expect("a good identity")
    }

    #[test]
    fn the_same_bytes_match() {
        assert!(client1().matches(b"Client1"));
        let longest: Identity = "x"
            .repeat(Identity::MAX_LEN)
            .parse()
            .expect("a good identity");
        assert!(longest.matches("x".repeat(Identity::MAX_LEN).as_bytes()));
    }

    #[test]
    fn any_other_bytes_are_refused() {
        for other in [
            &b""[..],
            b"client1",
            b"Client",
            b"Client1 ",
            b"Client1\0",
            b"Client1\0x",
            &[b'C'; 300],
        ] {
            assert!(!client1().matches(other), "{other:?}");
        }
        let longest: Identity = "x"
            .repeat(Identity::MAX_LEN)
            .parse()
            .expect("a good identity");
        assert!(!longest.matches("x".repeat(Identity::MAX_LEN + 1).as_bytes()));
    }

    #[test]
    fn text_that_cannot_be_an_identity_is_refused() {
        for text in ["", "a\0b", "a\nb", &"x".repeat(Identity::MAX_LEN + 1)] {
            assert_eq!(text.parse::<Identity>(), Err(InvalidIdentity), "{text:?}");
        }
    }
}
