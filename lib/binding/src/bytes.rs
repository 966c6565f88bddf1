//! Fixed numbers of bytes as texts, each in one way only.

use base64ct::{Base64UrlUnpadded, Encoding};
use std::fmt::{self, Debug, Display};
use std::str::FromStr;

/// What the reader of a token gives for one token. Not a secret: it stands in the token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Challenge(pub [u8; 32]);

/// Unpadded base64url.
impl Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url(&self.0))
    }
}

impl Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Challenge({self})")
    }
}

impl FromStr for Challenge {
    type Err = NotBytes;

    fn from_str(text: &str) -> Result<Challenge, NotBytes> {
        from_base64url(text).map(Challenge)
    }
}

/// Unpadded.
pub fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Exactly so many bytes, unpadded, no bits set beyond the last.
///
/// # Errors
///
/// Every other text.
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

    const TEXT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    #[test]
    fn a_challenge_is_read_back() {
        let challenge = Challenge(std::array::from_fn(|i| i as u8));
        assert_eq!(challenge.to_string(), TEXT);
        assert_eq!(TEXT.parse(), Ok(challenge));
    }

    #[test]
    fn another_text_is_refused() {
        let padded = format!("{TEXT}=");
        let other_bits = TEXT.replace("Hh8", "Hh9");
        for text in [
            "",
            &TEXT[1..],
            &padded,
            &other_bits,
            &TEXT.replace('A', "+"),
            &format!(" {TEXT}"),
            &format!("{TEXT}AAAA"),
        ] {
            assert!(text.parse::<Challenge>().is_err(), "{text:?}");
        }
    }
}
