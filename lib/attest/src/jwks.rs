//! An issuer's published keys, and the one check that they are for.
//!
//! RSA keys for signatures and nothing else: another type of key in a set is passed over, so that no key can be used
//! for what it was not published for. A key set with two keys of one id, or with an RSA key of a size or exponent that
//! no one should use, is refused whole.

use crate::error::TokenFault;
use crate::json::{self, JsonFault};
use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::ops::RangeInclusive;

/// RSA keys by key id ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)); at least one.
#[derive(Clone, Debug)]
pub struct Jwks {
    keys: BTreeMap<String, RsaKey>,
}

/// A public key for RS256 ([RFC 7518 §3.3]).
///
/// [RFC 7518 §3.3]: https://www.rfc-editor.org/rfc/rfc7518#section-3.3
#[derive(Clone, Debug)]
pub(crate) struct RsaKey {
    /// Big-endian, without leading zeros.
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// Bits of a modulus.
const SIZES: RangeInclusive<usize> = 2048..=8192;

impl Jwks {
    /// # Errors
    ///
    /// Not a key set, one with a key that cannot be a key, or one without a usable key.
    pub fn parse(text: &[u8]) -> Result<Jwks, NotAJwks> {
        let set = json::object(text).map_err(NotAJwks::Json)?;
        let entries = set.get("keys").and_then(Value::as_array);
        let mut keys = BTreeMap::new();
        for entry in entries.ok_or(NotAJwks::NoKeys)? {
            let Some((id, key)) = usable(entry)? else {
                continue;
            };
            if keys.insert(id, key).is_some() {
                return Err(NotAJwks::DuplicateId);
            }
        }
        match keys.is_empty() {
            true => Err(NotAJwks::NoKeys),
            false => Ok(Jwks { keys }),
        }
    }

    pub(crate) fn key(&self, id: &str) -> Option<&RsaKey> {
        self.keys.get(id)
    }

    /// The ids of the keys that can be used.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }
}

/// A key of another type or for another use is none of ours, and neither is one that no token can name
/// ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
fn usable(entry: &Value) -> Result<Option<(String, RsaKey)>, NotAJwks> {
    if entry.get("kty").and_then(Value::as_str) != Some("RSA") {
        return Ok(None);
    }
    let jwk: Jwk = serde_json::from_value(entry.clone()).map_err(|_| NotAJwks::Key)?;
    let common = jwk.common;
    let for_signatures = match (&common.public_key_use, &common.key_operations) {
        (Some(usage), _) if *usage != PublicKeyUse::Signature => false,
        (_, Some(operations)) => operations.contains(&KeyOperations::Verify),
        _ => true,
    };
    let for_rs256 = matches!(common.key_algorithm, None | Some(KeyAlgorithm::RS256));
    let (Some(id), true) = (common.key_id, for_signatures && for_rs256) else {
        return Ok(None);
    };
    let AlgorithmParameters::RSA(numbers) = jwk.algorithm else {
        return Err(NotAJwks::Key);
    };
    let key = RsaKey::new(decode(&numbers.n)?, decode(&numbers.e)?)?;
    Ok(Some((id, key)))
}

fn decode(number: &str) -> Result<Vec<u8>, NotAJwks> {
    Base64UrlUnpadded::decode_vec(number).map_err(|_| NotAJwks::Key)
}

impl RsaKey {
    fn new(modulus: Vec<u8>, exponent: Vec<u8>) -> Result<RsaKey, NotAJwks> {
        let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
        if !SIZES.contains(&bits(&modulus)?) {
            return Err(NotAJwks::Size);
        }
        // An exponent of 1 would make every message its own signature. ring takes none above 33 bits.
        let too_small = exponent == [1];
        if !odd(&modulus) || !odd(&exponent) || too_small || bits(&exponent)? > 33 {
            return Err(NotAJwks::Key);
        }
        Ok(RsaKey { modulus, exponent })
    }

    pub fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<(), TokenFault> {
        // Not through jsonwebtoken's provider: that is one for the whole process, and whoever sets it first decides
        // what it verifies.
        let key = RsaPublicKeyComponents {
            n: &self.modulus,
            e: &self.exponent,
        };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
            .map_err(|_| TokenFault::Signature)
    }
}

fn bits(number: &[u8]) -> Result<usize, NotAJwks> {
    match number.first() {
        Some(first) if *first != 0 => Ok(number.len() * 8 - first.leading_zeros() as usize),
        // A number has one spelling ([RFC 7518 §2], Base64urlUInt).
        _ => Err(NotAJwks::Key),
    }
}

/// What is wrong with a key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotAJwks {
    Json(JsonFault),
    /// No RSA key for RS256 signatures in it.
    NoKeys,
    /// Two of them have one id.
    DuplicateId,
    /// One has numbers that no key has.
    Key,
    /// One is smaller than 2048 bits or larger than 8192.
    Size,
}

impl Display for NotAJwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(fault) => write!(f, "not a key set: {fault}"),
            Self::NoKeys => f.write_str("the key set has no RSA key for RS256 signatures"),
            Self::DuplicateId => f.write_str("the key set has two keys of one id"),
            Self::Key => f.write_str("the key set has a key that cannot be one"),
            Self::Size => f.write_str("the key set has an RSA key outside 2048 to 8192 bits"),
        }
    }
}

impl std::error::Error for NotAJwks {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The right size, and odd: no key, but nothing here could tell.
    fn number(bytes: usize) -> Vec<u8> {
        vec![0xFF; bytes]
    }

    fn jwk(id: &str, modulus: &[u8], exponent: &[u8]) -> Value {
        json!({
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": id,
            "n": Base64UrlUnpadded::encode_string(modulus),
            "e": Base64UrlUnpadded::encode_string(exponent),
        })
    }

    fn good(id: &str) -> Value {
        jwk(id, &number(256), &[1, 0, 1])
    }

    fn parse(keys: &[Value]) -> Result<Vec<String>, NotAJwks> {
        let set = Jwks::parse(json!({ "keys": keys }).to_string().as_bytes())?;
        Ok(set.ids().map(String::from).collect())
    }

    fn without(mut key: Value, name: &str) -> Value {
        key.as_object_mut().unwrap().remove(name).unwrap();
        key
    }

    fn with(mut key: Value, name: &str, value: Value) -> Value {
        key[name] = value;
        key
    }

    #[test]
    fn rsa_keys_for_signatures_are_taken() {
        let keys = [
            good("a"),
            without(good("b"), "alg"),
            without(good("c"), "use"),
            with(without(good("d"), "use"), "key_ops", json!(["verify"])),
            jwk("e", &number(1024), &[3]),
            with(good("f"), "x5t", json!("AAAA")),
        ];
        assert_eq!(parse(&keys).unwrap(), ["a", "b", "c", "d", "e", "f"]);
    }

    #[test]
    fn a_key_for_something_else_is_passed_over() {
        let others = [
            with(good("x"), "use", json!("enc")),
            with(good("x"), "alg", json!("RS512")),
            with(good("x"), "alg", json!("RSA-OAEP")),
            with(good("x"), "alg", json!("HS256")),
            with(good("x"), "key_ops", json!(["sign"])),
            without(good("x"), "kid"),
            without(good("x"), "kty"),
            json!({"kty": "oct", "kid": "x", "k": "AAAA", "alg": "HS256"}),
            json!({"kty": "EC", "kid": "x", "crv": "P-256", "x": "AAAA", "y": "AAAA"}),
            json!({"kty": "to-come", "kid": "x"}),
            json!("x"),
        ];
        for other in others {
            let keys = [good("a"), other.clone()];
            assert_eq!(parse(&keys).unwrap(), ["a"], "{other}");
            assert_eq!(parse(&[other]), Err(NotAJwks::NoKeys));
        }
    }

    #[test]
    fn two_keys_of_one_id_are_refused() {
        let keys = [good("a"), good("b"), jwk("a", &number(512), &[3])];
        assert_eq!(parse(&keys), Err(NotAJwks::DuplicateId));
        assert_eq!(parse(&[good("a"), good("a")]), Err(NotAJwks::DuplicateId));
    }

    #[test]
    fn a_key_of_another_size_is_refused() {
        let mut short = number(256);
        short[0] = 0x7F;
        let mut long = number(1025);
        long[0] = 1;
        for modulus in [&short[..], &number(128), &long, &[1]] {
            let keys = [good("a"), jwk("b", modulus, &[1, 0, 1])];
            assert_eq!(parse(&keys), Err(NotAJwks::Size), "{}", modulus.len());
        }
    }

    #[test]
    fn a_number_that_no_key_has_is_refused() {
        let mut even = number(256);
        even[255] = 0xFE;
        let leading_zero = [&[0], &number(256)[..]].concat();
        for (modulus, exponent) in [
            (&number(256)[..], &[][..]),
            (&number(256), &[0]),
            (&number(256), &[1]),
            (&number(256), &[2]),
            (&number(256), &[1, 0, 0]),
            (&number(256), &[0, 1, 0, 1]),
            (&number(256), &[2, 0, 0, 0, 1]),
            (&number(256), &number(256)),
            (&even, &[1, 0, 1]),
            (&leading_zero, &[1, 0, 1]),
            (&[], &[1, 0, 1]),
        ] {
            assert_eq!(parse(&[jwk("a", modulus, exponent)]), Err(NotAJwks::Key));
        }
        for broken in [
            with(good("a"), "n", json!("a+b/")),
            with(good("a"), "e", json!("AQAB=")),
            with(good("a"), "n", json!(1)),
            without(good("a"), "n"),
            without(good("a"), "e"),
            with(good("a"), "use", json!(1)),
        ] {
            assert_eq!(parse(&[broken]), Err(NotAJwks::Key));
        }
    }

    #[test]
    fn what_is_not_a_key_set_is_refused() {
        for text in ["{}", r#"{"keys":{}}"#, r#"{"keys":[]}"#, r#"{"keys":null}"#] {
            let refused = Jwks::parse(text.as_bytes()).unwrap_err();
            assert_eq!(refused, NotAJwks::NoKeys, "{text}");
        }
        for (text, fault) in [
            ("", JsonFault::Syntax),
            ("[]", JsonFault::NotAnObject),
            (r#"{"keys":[],"keys":[]}"#, JsonFault::Duplicate),
            (r#"{"keys":[{"kid":"a","kid":"b"}]}"#, JsonFault::Duplicate),
        ] {
            let refused = Jwks::parse(text.as_bytes()).unwrap_err();
            assert_eq!(refused, NotAJwks::Json(fault), "{text}");
        }
    }
}
