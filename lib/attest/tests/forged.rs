//! Tokens that the issuer did not sign, however they put it.

mod support;

use mcbn_attest::{Issuer, Jwks, Leeway, TokenFault, Verifier};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Signer};
use serde_json::{Value, json};
use support::*;

#[test]
fn no_algorithm_is_refused() {
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = json!({"alg": alg, "kid": KEY.id, "typ": "JWT"});
        let unsigned = format!(
            "{}.{}.",
            encode(header.to_string().as_bytes()),
            encode(claims().to_string().as_bytes())
        );
        assert_eq!(fault(&unsigned), TokenFault::Algorithm, "{alg}");
        // And with a signature that would be good.
        let signed = KEY.token_with(&header, &claims());
        assert_eq!(fault(&signed), TokenFault::Algorithm, "{alg}");
    }
}

/// A verifier that takes the algorithm from the token uses the public key as a shared secret.
#[test]
fn a_mac_with_the_public_key_is_refused() {
    let public = KEY.rsa.public_key_to_pem().unwrap();
    let modulus = KEY.rsa.n().to_vec();
    for secret in [public, KEY.rsa.public_key_to_der().unwrap(), modulus] {
        let header = json!({"alg": "HS256", "kid": KEY.id, "typ": "JWT"});
        let token = mac(&header, &secret);
        assert_eq!(fault(&token), TokenFault::Algorithm);
        // The same bytes, called RS256.
        assert_eq!(fault(&mac(&KEY.header(), &secret)), TokenFault::Signature);
    }
}

fn mac(header: &Value, secret: &[u8]) -> String {
    let signed = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims().to_string().as_bytes())
    );
    let key = PKey::hmac(secret).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    let mac = signer.sign_oneshot_to_vec(signed.as_bytes()).unwrap();
    format!("{signed}.{}", encode(&mac))
}

#[test]
fn another_algorithm_is_refused() {
    for alg in [
        "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "HS384", "HS512",
        "rs256", "RS256 ", "RSA", "RS1",
    ] {
        let header = with(KEY.header(), "/alg", json!(alg));
        let token = KEY.token_with(&header, &claims());
        assert_eq!(fault(&token), TokenFault::Algorithm, "{alg}");
    }
    for alg in [json!(null), json!(256), json!(["RS256"])] {
        let header = with(KEY.header(), "/alg", alg);
        let token = KEY.token_with(&header, &claims());
        assert_eq!(fault(&token), TokenFault::Algorithm);
    }
    let header = without(KEY.header(), "/alg");
    let token = KEY.token_with(&header, &claims());
    assert_eq!(fault(&token), TokenFault::Algorithm);
}

#[test]
fn a_signature_over_another_digest_is_refused() {
    for digest in [MessageDigest::sha1(), MessageDigest::sha512()] {
        let token = KEY.token(&claims());
        let (signed, _) = token.rsplit_once('.').unwrap();
        let signature = KEY.sign(signed.as_bytes(), digest);
        let token = format!("{signed}.{}", encode(&signature));
        assert_eq!(fault(&token), TokenFault::Signature);
    }
}

#[test]
fn a_signature_of_another_scheme_is_refused() {
    let token = KEY.token(&claims());
    let (signed, _) = token.rsplit_once('.').unwrap();
    let key = KEY.pkey();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
    signer
        .set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)
        .unwrap();
    let signature = signer.sign_oneshot_to_vec(signed.as_bytes()).unwrap();
    let token = format!("{signed}.{}", encode(&signature));
    assert_eq!(fault(&token), TokenFault::Signature);
}

#[test]
fn a_key_of_another_is_refused() {
    let token = OTHER_KEY.token_with(&KEY.header(), &claims());
    assert_eq!(fault(&token), TokenFault::Signature);
}

/// Both keys are the issuer's; the token names one and is signed by the other.
#[test]
fn the_id_of_another_key_is_refused() {
    let keys = Jwks::parse(&key_set(&[KEY.jwk(), OTHER_KEY.jwk()])).unwrap();
    let verifier = Verifier::offline(Issuer::google(), keys, Leeway::MAX);
    for (signing, named) in [(&KEY, &OTHER_KEY), (&OTHER_KEY, &KEY)] {
        assert!(
            verifier
                .verify(&signing.token(&claims()), &EXPECTED)
                .is_ok()
        );
        let confused = signing.token_with(&named.header(), &claims());
        let fault = token_fault(verifier.verify(&confused, &EXPECTED));
        assert_eq!(fault, TokenFault::Signature);
    }
}

#[test]
fn an_unknown_key_id_is_refused() {
    for id in ["third", "", "FIRST", "first\0", "../first", "' OR 1=1"] {
        let header = with(KEY.header(), "/kid", json!(id));
        let token = KEY.token_with(&header, &claims());
        assert_eq!(fault(&token), TokenFault::UnknownKey, "{id}");
    }
}

#[test]
fn no_key_id_is_refused() {
    let header = without(KEY.header(), "/kid");
    let token = KEY.token_with(&header, &claims());
    assert_eq!(fault(&token), TokenFault::NoParameter("kid"));
    for id in [json!(null), json!(1), json!(["first"])] {
        let header = with(KEY.header(), "/kid", id);
        let token = KEY.token_with(&header, &claims());
        assert_eq!(fault(&token), TokenFault::NoParameter("kid"));
    }
}

#[test]
fn a_token_that_brings_its_key_is_refused() {
    let own = OTHER_KEY.jwk();
    for (name, value) in [
        ("jwk", own),
        ("jku", json!("https://keys.example/set")),
        ("x5u", json!("https://keys.example/chain")),
        ("x5c", json!(["MIIB"])),
        ("x5c", json!([])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(null)),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A128GCM")),
        ("cty", json!("JWT")),
    ] {
        // Well signed, too: what it asks for is refused whoever asks.
        for key in [&KEY, &OTHER_KEY] {
            let header = with(key.header(), &format!("/{name}"), value.clone());
            let token = key.token_with(&header, &claims());
            assert_eq!(fault(&token), TokenFault::Parameter(name), "{value}");
        }
    }
}

#[test]
fn another_type_is_refused() {
    for kind in [
        json!("at+jwt"),
        json!("jwt"),
        json!("JWE"),
        json!(""),
        json!(null),
        json!(1),
    ] {
        let header = with(KEY.header(), "/typ", kind);
        let token = KEY.token_with(&header, &claims());
        assert_eq!(fault(&token), TokenFault::Type);
    }
}

#[test]
fn a_header_of_another_form_is_refused() {
    for (name, value) in [
        ("x5t", json!(1)),
        ("x5t#S256", json!(["x"])),
        ("url", json!({})),
    ] {
        let header = with(KEY.header(), &format!("/{name}"), value);
        let token = KEY.token_with(&header, &claims());
        assert_eq!(fault(&token), TokenFault::Header, "{name}");
    }
}

#[test]
fn a_changed_claim_is_refused() {
    let token = KEY.token(&debug_claims());
    let parts: Vec<&str> = token.split('.').collect();
    let payload = encode(claims().to_string().as_bytes());
    let changed = format!("{}.{payload}.{}", parts[0], parts[2]);
    assert_eq!(fault(&changed), TokenFault::Signature);
}

#[test]
fn a_changed_header_is_refused() {
    let token = KEY.token(&claims());
    let (_, rest) = token.split_once('.').unwrap();
    let header = without(KEY.header(), "/typ").to_string();
    let changed = format!("{}.{rest}", encode(header.as_bytes()));
    assert_eq!(fault(&changed), TokenFault::Signature);
}

#[test]
fn a_damaged_signature_is_refused() {
    let token = KEY.token(&claims());
    let (signed, _) = token.rsplit_once('.').unwrap();
    let good = KEY.sign(signed.as_bytes(), MessageDigest::sha256());
    let mut flipped = good.clone();
    flipped[100] ^= 1;
    let longer = [&good[..], &[0]].concat();
    let padded = [&[0], &good[..]].concat();
    for signature in [&flipped[..], &good[..255], &longer, &padded, &[], &[0; 256]] {
        let token = format!("{signed}.{}", encode(signature));
        assert_eq!(fault(&token), TokenFault::Signature);
    }
}
