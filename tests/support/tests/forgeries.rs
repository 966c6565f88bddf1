//! Each thing that can be wrong with a simulated token, and nothing else with it.

mod raw;

use std::time::{SystemTime, UNIX_EPOCH};

use mcbn_tests_support::confidential_space::{Forgery, Image, Issuer, Machine, Profile, Rotation};
use raw::{AUDIENCE, HOUR, NONCES, key_of, oidc, pki};
use serde_json::{Value, json};

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// A machine with a forgery, and its issuer.
struct Forged {
    issuer: Issuer,
    machine: Machine,
}

impl Forged {
    fn new(forgery: Forgery) -> Self {
        let issuer = Issuer::start();
        let machine = Machine::start(&issuer, Profile::production());
        machine.set_forgery(Some(forgery));
        Self { issuer, machine }
    }

    /// A token that is wrong in its claims alone: its signature holds.
    fn signed_claims(forgery: Forgery) -> Value {
        let forged = Self::new(forgery);
        let token = oidc(&forged.machine);
        assert!(token.is_valid_under(&forged.issuer.jwks()));
        token.claims
    }
}

fn times(claims: &Value) -> [u64; 3] {
    ["iat", "nbf", "exp"].map(|name| claims[name].as_u64().unwrap())
}

#[test]
fn an_expired_token_ended_an_hour_ago() {
    let [issued, not_before, expires] = times(&Forged::signed_claims(Forgery::Expired));
    assert_eq!([issued, expires], [not_before, issued + HOUR]);
    assert!(expires.abs_diff(now() - HOUR) < 60);
}

#[test]
fn a_token_of_the_future_begins_in_an_hour() {
    let [issued, not_before, expires] = times(&Forged::signed_claims(Forgery::NotYetValid));
    assert!(issued.abs_diff(now()) < 60);
    assert_eq!([not_before, expires], [issued + HOUR, issued + 2 * HOUR]);
}

#[test]
fn a_long_lived_token_lives_three_hours() {
    let [issued, _, expires] = times(&Forged::signed_claims(Forgery::LongLived));
    assert_eq!(expires, issued + 3 * HOUR);
}

#[test]
fn nonces_are_dropped_replaced_or_reordered() {
    let nonces = |forgery| Forged::signed_claims(forgery)["eat_nonce"].clone();
    let [one, two, three] = NONCES;
    assert_eq!(nonces(Forgery::NonceDropped), json!([one, two]));
    assert_eq!(nonces(Forgery::NoncesReordered), json!([three, two, one]));
    let replaced = nonces(Forgery::NonceReplaced);
    assert_ne!(replaced[0], one);
    assert_eq!([&replaced[1], &replaced[2]], [two, three]);
}

#[test]
fn an_audience_or_an_issuer_is_another_one() {
    assert_ne!(
        Forged::signed_claims(Forgery::OtherAudience)["aud"],
        AUDIENCE
    );
    let forged = Forged::new(Forgery::OtherIssuer);
    assert_ne!(oidc(&forged.machine).claims["iss"], forged.issuer.url());
}

#[test]
fn an_expired_key_is_published_no_more() {
    let forged = Forged::new(Forgery::ExpiredKey);
    let old = forged.issuer.jwks();
    assert_eq!(key_of(&old, oidc(&forged.machine).kid()).map(drop), None);
    // The one that was dropped last, where there is one.
    forged.issuer.rotate(Rotation::DropOld);
    let token = oidc(&forged.machine);
    assert!(token.is_valid_under(&old));
    assert!(!token.is_valid_under(&forged.issuer.jwks()));
}

#[test]
fn an_unknown_key_has_its_own_name_or_a_borrowed_one() {
    let forged = Forged::new(Forgery::UnknownKey);
    let jwks = forged.issuer.jwks();
    assert!(key_of(&jwks, oidc(&forged.machine).kid()).is_none());
    forged.machine.set_forgery(Some(Forgery::BorrowedKid));
    let token = oidc(&forged.machine);
    let named = key_of(&jwks, token.kid()).expect("it names a published key");
    assert!(!token.is_signed_by(&named));
}

#[test]
fn a_token_may_have_no_signature() {
    let token = oidc(&Forged::new(Forgery::AlgNone).machine);
    assert_eq!(token.header["alg"], "none");
    assert!(!token.has_signature());
}

#[test]
fn a_token_may_be_signed_with_the_public_key_as_a_secret() {
    let forged = Forged::new(Forgery::HmacWithPublicKey);
    let token = oidc(&forged.machine);
    let key = key_of(&forged.issuer.jwks(), token.kid()).unwrap();
    assert!(token.is_hmac_with(&key.public_key_to_pem().unwrap()));
    assert!(!token.is_hmac_with(b"another"));
}

#[test]
fn a_tampered_token_speaks_of_another_image() {
    let forged = Forged::new(Forgery::TamperedPayload);
    let token = oidc(&forged.machine);
    assert!(!token.is_valid_under(&forged.issuer.jwks()));
    let digest = &token.claims["submods"]["container"]["image_digest"];
    assert_ne!(*digest, Image::named("psk-server").digest);
    forged.machine.set_forgery(None);
    assert!(oidc(&forged.machine).is_valid_under(&forged.issuer.jwks()));
}

#[test]
fn a_chain_may_be_truncated() {
    let forged = Forged::new(Forgery::TruncatedChain(0));
    for length in 0..3 {
        forged
            .machine
            .set_forgery(Some(Forgery::TruncatedChain(length)));
        // It is a PKI token even where another was asked for.
        for token in [oidc(&forged.machine), pki(&forged.machine)] {
            assert_eq!(token.x5c().len(), length);
        }
    }
}

#[test]
fn a_chain_may_have_a_root_of_its_own() {
    let forged = Forged::new(Forgery::SelfMadeRoot);
    let token = pki(&forged.machine);
    assert!(!token.is_valid_under_root(&forged.issuer.root_pem()));
    let own = token.x5c()[2].to_pem().unwrap();
    assert!(token.is_valid_under_root(&String::from_utf8(own).unwrap()));
}

#[test]
fn the_leaf_of_a_pki_token_may_have_ended_or_not_have_signed() {
    let forged = Forged::new(Forgery::ExpiredKey);
    let root = forged.issuer.root_pem();
    let token = pki(&forged.machine);
    assert!(!token.is_valid_under_root(&root));
    assert!(token.is_signed_by(&token.x5c()[0].public_key().unwrap()));
    for forgery in [Forgery::UnknownKey, Forgery::BorrowedKid] {
        forged.machine.set_forgery(Some(forgery));
        let token = pki(&forged.machine);
        assert!(!token.is_signed_by(&token.x5c()[0].public_key().unwrap()));
    }
}

#[test]
fn every_forgery_can_be_made_of_both_kinds_of_token() {
    let issuer = Issuer::start();
    let machine = Machine::start(&issuer, Profile::production());
    let good = [oidc(&machine), pki(&machine)].map(|token| (token.header, token.claims));
    for forgery in Forgery::ALL {
        machine.set_forgery(Some(forgery));
        let forged = [oidc(&machine), pki(&machine)].map(|token| (token.header, token.claims));
        let is_signature = matches!(forgery, Forgery::BorrowedKid | Forgery::UnknownKey);
        assert!(is_signature || forged[1] != good[1], "{forgery:?}");
    }
}
