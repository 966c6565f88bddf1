//! A token as the service gives it.

use crate::error::Malformed;
use std::fmt;

/// Text of the form of a JWT in its compact serialization ([RFC 7515 §7.1]). Nothing in it is verified.
///
/// [RFC 7515 §7.1]: https://www.rfc-editor.org/rfc/rfc7515#section-7.1
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The longest that is taken, in bytes.
    pub const LONGEST: usize = 64 * 1024;

    /// Three parts of base64url, joined with dots.
    ///
    /// # Errors
    ///
    /// Text of another form.
    pub fn parse(text: &[u8]) -> Result<Token, Malformed> {
        if text.len() > Self::LONGEST {
            return Err(Malformed::TooLong);
        }
        let text = str::from_utf8(text).map_err(|_| Malformed::NotAToken)?;
        let mut parts = text.split('.');
        let is_token = parts.by_ref().take(3).filter(|part| is_part(part)).count() == 3
            && parts.next().is_none();
        match is_token {
            true => Ok(Token(text.into())),
            false => Err(Malformed::NotAToken),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_part(part: &str) -> bool {
    // One character over a group of four holds no whole byte.
    !part.is_empty()
        && part.len() % 4 != 1
        && part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_parts_are_a_token() {
        for text in ["eyJ9.eyJ9.c2ln", "e-_A.AA.AAA"] {
            assert_eq!(Token::parse(text.as_bytes()).unwrap().as_str(), text);
        }
        let longest = format!("AA.AA.{}", "A".repeat(Token::LONGEST - 6));
        assert!(Token::parse(longest.as_bytes()).is_ok());
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "",
            "..",
            "AA.AA",
            "AA.AA.",
            ".AA.AA",
            "AA..AA",
            "AA.AA.AA.AA",
            "AA.AA.AA\n",
            " AA.AA.AA",
            "AA.AA.AA=",
            "AA.AA.A+",
            "AA.AA.A",
            "AA.AA.é",
            r#"{"token":"AA.AA.AA"}"#,
        ] {
            let refused = Token::parse(text.as_bytes()).unwrap_err();
            assert_eq!(refused, Malformed::NotAToken, "{text:?}");
        }
        assert_eq!(Token::parse(b"AA.AA.\xff"), Err(Malformed::NotAToken));
        let long = format!("AA.AA.{}", "A".repeat(Token::LONGEST));
        assert_eq!(Token::parse(long.as_bytes()), Err(Malformed::TooLong));
    }

    #[test]
    fn a_token_is_not_shown() {
        let token = Token::parse(b"eyJ9.eyJ9.c2ln").unwrap();
        assert_eq!(format!("{token:?}"), "Token(..)");
    }
}
