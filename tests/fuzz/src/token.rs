//! What vouches for a machine: a token that anyone may send, and the keys that an issuer publishes.

use crate::share::with_text;
use base64ct::{Base64UrlUnpadded, Encoding};
use mcbn_attest::{Demand, Finding, Jwks, Unverified, examine};
use mcbn_manifest::Manifest;
use std::sync::LazyLock;

pub fn token_text(data: &[u8]) {
    with_text(data, |text| {
        if let Ok(token) = Unverified::parse(text) {
            assert_eq!(text.split('.').count(), 3);
            assert!(text.len() <= Unverified::MAX_LEN);
            assert_sound(&token);
        }
    });
}

/// The claims of a token that is well formed apart from them.
pub fn token_claims(data: &[u8]) {
    let encode = Base64UrlUnpadded::encode_string;
    let header = encode(br#"{"alg":"RS256","kid":"first"}"#);
    if let Ok(token) = Unverified::parse(&format!("{header}.{}.AAAA", encode(data))) {
        assert_sound(&token);
    }
}

pub fn key_set(data: &[u8]) {
    if let Ok(keys) = Jwks::parse(data) {
        assert_ne!(keys.ids().count(), 0);
        // No RSA modulus of 2048 bits is shorter.
        assert!(data.len() >= 342);
    }
}

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    Manifest::parse(include_bytes!("../testdata/manifest.toml")).expect("a seed of another target")
});

/// Whatever it claims: every demand is answered, on one line that a terminal can show.
fn assert_sound(token: &Unverified) {
    let claims = token.insecure_claims();
    assert!(!claims.aud.is_empty());
    assert!((1..=1024).contains(&claims.sub.len()));
    let report = examine(claims, token.kind(), &MANIFEST);
    let demands: Vec<Demand> = report.findings().iter().map(|f| f.demand).collect();
    assert_eq!(demands, Demand::ALL);
    for finding in report.findings() {
        for text in [&finding.demanded, &finding.found] {
            assert!(text.len() <= Finding::MAX_TEXT);
            let printable = |b: u8| b.is_ascii_graphic() || b == b' ';
            assert!(text.bytes().all(printable), "{text:?}");
        }
    }
}
