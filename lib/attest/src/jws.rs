//! A token's three parts, read strictly and trusted in nothing ([RFC 7515 §7.1]).
//!
//! The header decides nothing: it may name a key, or bring a chain that is measured against a pinned root, and
//! whatever else it could ask for is refused. Answers a token that brings its own key, says where to fetch one, or
//! chooses another algorithm.
//!
//! [RFC 7515 §7.1]: https://www.rfc-editor.org/rfc/rfc7515#section-7.1

use crate::error::{Part, TokenFault};
use crate::json;
use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::{Algorithm, Header};
use serde_json::{Map, Value};

/// The parts of a token, none of them verified.
pub(crate) struct Jws<'a> {
    pub header: Header,
    pub payload: Map<String, Value>,
    /// The exact bytes that are signed.
    pub signed: &'a [u8],
    pub signature: Vec<u8>,
}

/// Bytes of a token.
pub(crate) const MAX_LEN: usize = 64 * 1024;

/// Header parameters that ask the reader to do something else than to verify a signature over these very bytes with a
/// key that it has: [RFC 7515 §4.1](https://www.rfc-editor.org/rfc/rfc7515#section-4.1),
/// [RFC 7516 §4.1](https://www.rfc-editor.org/rfc/rfc7516#section-4.1), [RFC 7797](https://www.rfc-editor.org/rfc/rfc7797).
const FORBIDDEN: [&str; 8] = ["crit", "jku", "jwk", "x5u", "cty", "enc", "zip", "b64"];

impl Jws<'_> {
    pub fn parse(token: &str) -> Result<Jws<'_>, TokenFault> {
        if token.len() > MAX_LEN {
            return Err(TokenFault::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenFault::Parts)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenFault::Parts)?;
        if payload.contains('.') {
            return Err(TokenFault::Parts);
        }
        Ok(Jws {
            header: parse_header(&decode(header, Part::Header)?)?,
            payload: object(&decode(payload, Part::Claims)?, Part::Claims)?,
            signed: signed.as_bytes(),
            signature: decode(signature, Part::Signature)?,
        })
    }
}

fn parse_header(text: &[u8]) -> Result<Header, TokenFault> {
    let header = object(text, Part::Header)?;
    // Before the typed reading, so that each refusal says what it refuses.
    if header.get("alg").and_then(Value::as_str) != Some("RS256") {
        return Err(TokenFault::Algorithm);
    }
    if header.get("typ").is_some_and(|typ| typ != "JWT") {
        return Err(TokenFault::Type);
    }
    if let Some(name) = FORBIDDEN.iter().find(|name| header.contains_key(**name)) {
        return Err(TokenFault::Parameter(name));
    }
    let is_texts = |value: &Value| match value.as_array() {
        Some(items) => items.iter().all(Value::is_string),
        None => false,
    };
    if header.get("kid").is_some_and(|id| !id.is_string()) {
        return Err(TokenFault::NoParameter("kid"));
    }
    if header.get("x5c").is_some_and(|chain| !is_texts(chain)) {
        return Err(TokenFault::NoParameter("x5c"));
    }
    let header: Header = serde_json::from_value(header.into()).map_err(|_| TokenFault::Header)?;
    match header.alg {
        Algorithm::RS256 => Ok(header),
        _ => Err(TokenFault::Algorithm),
    }
}

fn object(text: &[u8], part: Part) -> Result<Map<String, Value>, TokenFault> {
    json::object(text).map_err(|fault| TokenFault::Json(part, fault))
}

/// One spelling only: padding, other alphabets and bits beyond the end are refused.
fn decode(text: &str, part: Part) -> Result<Vec<u8>, TokenFault> {
    Base64UrlUnpadded::decode_vec(text).map_err(|_| TokenFault::Base64(part))
}
