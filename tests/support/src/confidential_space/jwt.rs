//! JSON Web Tokens in their compact form ([RFC 7515 §3.1]).
//!
//! [RFC 7515 §3.1]: https://www.rfc-editor.org/rfc/rfc7515#section-3.1

use base64ct::{Base64UrlUnpadded, Encoding};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::Value;

use super::key::SigningKey;

/// How a token is vouched for.
pub(super) enum Signature<'a> {
    Rs256(&'a SigningKey),
    /// HMAC with a secret that everybody knows.
    Hs256(&'a [u8]),
    None,
}

pub(super) fn encode(header: &Value, payload: &[u8], signature: &Signature<'_>) -> String {
    let mut token = part(header.to_string().as_bytes());
    token.push('.');
    token.push_str(&part(payload));
    let signature = match signature {
        Signature::Rs256(key) => key.sign(token.as_bytes()),
        Signature::Hs256(secret) => hmac(secret, token.as_bytes()),
        Signature::None => Vec::new(),
    };
    token.push('.');
    token.push_str(&part(&signature));
    token
}

/// The token with another payload and the signature of the old one.
pub(super) fn with_payload(token: &str, payload: &[u8]) -> String {
    let (head, signature) = token.rsplit_once('.').expect("a token has three parts");
    let (header, _) = head.split_once('.').expect("a token has three parts");
    format!("{header}.{}.{signature}", part(payload))
}

/// A token taken apart, and not verified.
pub(crate) struct Decoded<'a> {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    /// What the signature is of.
    pub(crate) signed: &'a [u8],
    pub(crate) signature: Vec<u8>,
}

pub(crate) fn decode(token: &str) -> Option<Decoded<'_>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let bytes = |part| Base64UrlUnpadded::decode_vec(part).ok();
    let json = |part| serde_json::from_slice(&bytes(part)?).ok();
    Some(Decoded {
        header: json(header)?,
        claims: json(claims)?,
        signed: signed.as_bytes(),
        signature: bytes(signature)?,
    })
}

fn part(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn hmac(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let key = PKey::hmac(secret).expect("any bytes are an HMAC key");
    Signer::new(MessageDigest::sha256(), &key)
        .and_then(|mut signer| signer.sign_oneshot_to_vec(message))
        .expect("HMAC takes any message")
}
