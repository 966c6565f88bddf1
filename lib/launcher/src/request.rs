//! What a custom token must say, within the limits of the service.
//!
//! Two published lists of limits disagree; these are inside both.

use serde::{Serialize, Serializer};
use std::error::Error;
use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::str::FromStr;

/// For one custom token. Serializes to the body that the service takes; it refuses every other field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request {
    audience: Audience,
    nonces: Vec<Nonce>,
    token_type: TokenType,
}

impl Request {
    /// The token will carry the nonces in this order.
    ///
    /// # Errors
    ///
    /// Not 1 to 6 nonces.
    pub fn new(
        audience: Audience,
        nonces: impl Into<Vec<Nonce>>,
        token_type: TokenType,
    ) -> Result<Request, NotThatMany> {
        let nonces = nonces.into();
        match NONCES.contains(&nonces.len()) {
            true => Ok(Request {
                audience,
                nonces,
                token_type,
            }),
            false => Err(NotThatMany),
        }
    }
}

const NONCES: RangeInclusive<usize> = 1..=6;
const NONCE_BYTES: RangeInclusive<usize> = 10..=74;
const AUDIENCE_BYTES: RangeInclusive<usize> = 1..=512;

/// How the token is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TokenType {
    /// By a key that the issuer publishes.
    #[default]
    Oidc,
    /// By a certificate, whose chain the token carries.
    Pki,
}

impl TokenType {
    /// As the service names it.
    pub const fn name(self) -> &'static str {
        match self {
            TokenType::Oidc => "OIDC",
            TokenType::Pki => "PKI",
        }
    }
}

impl Serialize for TokenType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// For whom the token is: 1 to 512 bytes without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Audience(String);

impl FromStr for Audience {
    type Err = NotAnAudience;

    fn from_str(text: &str) -> Result<Audience, NotAnAudience> {
        match AUDIENCE_BYTES.contains(&text.len()) && !text.chars().any(char::is_control) {
            true => Ok(Audience(text.into())),
            false => Err(NotAnAudience),
        }
    }
}

/// What ties the token to one use: 10 to 74 printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Nonce(String);

impl FromStr for Nonce {
    type Err = NotANonce;

    fn from_str(text: &str) -> Result<Nonce, NotANonce> {
        match NONCE_BYTES.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            true => Ok(Nonce(text.into())),
            false => Err(NotANonce),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotThatMany;

impl Display for NotThatMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token carries 1 to 6 nonces")
    }
}

impl Error for NotThatMany {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnAudience;

impl Display for NotAnAudience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an audience has 1 to 512 bytes and no control character")
    }
}

impl Error for NotAnAudience {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANonce;

impl Display for NotANonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a nonce has 10 to 74 printable ASCII characters")
    }
}

impl Error for NotANonce {}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(nonces: usize) -> Result<Request, NotThatMany> {
        let nonces: Vec<Nonce> = (0..nonces)
            .map(|i| format!("nonce-{i:04}").parse().unwrap())
            .collect();
        Request::new("a".parse().unwrap(), nonces, TokenType::Pki)
    }

    #[test]
    fn the_body_has_three_fields_and_keeps_the_order() {
        let body = serde_json::to_string(&request(2).unwrap()).unwrap();
        assert_eq!(
            body,
            r#"{"audience":"a","nonces":["nonce-0000","nonce-0001"],"token_type":"PKI"}"#
        );
    }

    #[test]
    fn one_to_six_nonces_are_taken() {
        for n in 1..=6 {
            assert!(request(n).is_ok(), "{n}");
        }
    }

    #[test]
    fn no_nonce_and_seven_are_refused() {
        for n in [0, 7] {
            assert_eq!(request(n), Err(NotThatMany), "{n}");
        }
    }

    #[test]
    fn lengths_at_the_limits_are_taken() {
        for n in [10, 43, 74] {
            assert!("x".repeat(n).parse::<Nonce>().is_ok(), "{n}");
        }
        for n in [1, 512] {
            assert!("x".repeat(n).parse::<Audience>().is_ok(), "{n}");
        }
    }

    #[test]
    fn lengths_beyond_the_limits_are_refused() {
        for n in [0, 9, 75] {
            assert_eq!("x".repeat(n).parse::<Nonce>(), Err(NotANonce), "{n}");
        }
        for n in [0, 513] {
            let audience = "x".repeat(n);
            assert_eq!(audience.parse::<Audience>(), Err(NotAnAudience), "{n}");
        }
    }

    #[test]
    fn odd_characters_are_refused() {
        for text in ["nonce nonce", "nonce\nnonce", "noncenoncé", "nonce\0nonce"] {
            assert_eq!(text.parse::<Nonce>(), Err(NotANonce), "{text:?}");
        }
        for text in ["a\n", "a\0b", "\u{85}"] {
            assert_eq!(text.parse::<Audience>(), Err(NotAnAudience), "{text:?}");
        }
    }
}
