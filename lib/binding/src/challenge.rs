//! What the reader of a token gives for it.

use mcbn_body::{NotBytes, base64url, from_base64url};
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
