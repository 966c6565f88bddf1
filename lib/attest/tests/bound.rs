//! Genuine tokens of another time, for another verifier, or for another use.

mod support;

use mcbn_attest::{Expected, Issuer, Jwks, Leeway, TokenFault, UnixTime, Verifier};
use serde_json::{Value, json};
use support::*;

fn offline(leeway: Leeway) -> Verifier {
    let keys = Jwks::parse(&key_set(&[KEY.jwk()])).unwrap();
    Verifier::offline(Issuer::google(), keys, leeway)
}

fn times(iat: u64, nbf: u64, exp: u64) -> Value {
    let claims = with(claims(), "/iat", json!(iat));
    with(with(claims, "/nbf", json!(nbf)), "/exp", json!(exp))
}

/// What becomes of a token of these times, one after the other.
fn outcome(leeway: Leeway, (iat, nbf, exp): (u64, u64, u64), now: u64) -> Result<(), TokenFault> {
    let expected = Expected {
        now: at(now),
        ..EXPECTED
    };
    let token = KEY.token(&times(iat, nbf, exp));
    let outcome = offline(leeway).verify(&token, &expected);
    match outcome {
        Ok(_) => Ok(()),
        other => Err(token_fault(other)),
    }
}

#[test]
fn a_token_is_taken_within_its_time() {
    let hour = (NOW, NOW, NOW + 3600);
    for now in [NOW, NOW + 1800, NOW + 3599] {
        assert_eq!(outcome(Leeway::NONE, hour, now), Ok(()));
    }
    for now in [NOW - 60, NOW + 3659] {
        assert_eq!(outcome(Leeway::MAX, hour, now), Ok(()));
    }
}

#[test]
fn an_expired_token_is_refused() {
    let hour = (NOW, NOW, NOW + 3600);
    for (leeway, now) in [
        (Leeway::NONE, NOW + 3600),
        (Leeway::MAX, NOW + 3660),
        (Leeway::MAX, NOW + 1_000_000),
        (Leeway::MAX, u64::MAX),
    ] {
        assert_eq!(
            outcome(leeway, hour, now),
            Err(TokenFault::Expired),
            "{now}"
        );
    }
}

#[test]
fn a_token_that_is_not_valid_yet_is_refused() {
    let cases = [
        (Leeway::NONE, (NOW, NOW, NOW + 3600), NOW - 1),
        (Leeway::MAX, (NOW, NOW, NOW + 3600), NOW - 61),
        (Leeway::MAX, (NOW, NOW + 100, NOW + 3600), NOW),
        (Leeway::MAX, (NOW + 100, NOW, NOW + 3600), NOW),
        (Leeway::MAX, (NOW, NOW, NOW + 3600), 0),
    ];
    for (leeway, times, now) in cases {
        let fault = outcome(leeway, times, now).unwrap_err();
        assert_eq!(fault, TokenFault::NotYetValid, "{now}");
    }
}

#[test]
fn two_hours_are_the_longest_life() {
    let longest = (NOW, NOW, NOW + Verifier::MAX_LIFETIME);
    assert_eq!(outcome(Leeway::NONE, longest, NOW), Ok(()));
}

#[test]
fn a_longer_life_is_refused() {
    for times in [
        (NOW, NOW, NOW + 7201),
        (NOW - 3601, NOW, NOW + 3600),
        (NOW, NOW - 3601, NOW + 3600),
        (NOW, NOW, u64::MAX),
        (0, 0, u64::MAX),
        (0, NOW, NOW + 3600),
    ] {
        let fault = outcome(Leeway::MAX, times, NOW).unwrap_err();
        assert_eq!(fault, TokenFault::Lifetime, "{times:?}");
    }
}

#[test]
fn a_life_that_ends_before_it_begins_is_refused() {
    for times in [
        (NOW, NOW, NOW),
        (NOW, NOW, NOW - 1),
        (NOW, NOW + 50, NOW + 10),
        (NOW + 50, NOW, NOW + 10),
        (NOW, NOW, 0),
    ] {
        let fault = outcome(Leeway::MAX, times, NOW).unwrap_err();
        assert_eq!(fault, TokenFault::Lifetime, "{times:?}");
    }
}

#[test]
fn another_issuer_is_refused() {
    for issuer in [
        "https://confidentialcomputing.googleapis.com/",
        "http://confidentialcomputing.googleapis.com",
        "https://CONFIDENTIALCOMPUTING.googleapis.com",
        "https://evil.example",
        "",
    ] {
        let claims = with(claims(), "/iss", json!(issuer));
        assert_eq!(fault_of(&claims), TokenFault::Issuer, "{issuer}");
    }
}

#[test]
fn another_audience_is_refused() {
    let shorter = &AUDIENCE[..AUDIENCE.len() - 1];
    for audience in [
        json!("https://sts.googleapis.com"),
        json!(shorter),
        json!(AUDIENCE.to_uppercase()),
        json!([shorter, "x"]),
        json!([AUDIENCE, "https://sts.googleapis.com"]),
        json!([AUDIENCE, AUDIENCE]),
        json!(""),
    ] {
        let claims = with(claims(), "/aud", audience.clone());
        assert_eq!(fault_of(&claims), TokenFault::Audience, "{audience}");
    }
}

#[test]
fn a_missing_nonce_is_refused() {
    for nonces in [
        json!(NONCES[..2]),
        json!(NONCES[0]),
        json!([]),
        json!(""),
        json!(null),
    ] {
        let claims = with(claims(), "/eat_nonce", nonces.clone());
        assert_eq!(fault_of(&claims), TokenFault::Nonces, "{nonces}");
    }
    assert_eq!(
        fault_of(&without(claims(), "/eat_nonce")),
        TokenFault::Nonces
    );
}

#[test]
fn reordered_nonces_are_refused() {
    let [a, b, c] = NONCES;
    for order in [[b, a, c], [a, c, b], [c, b, a], [b, c, a]] {
        let claims = with(claims(), "/eat_nonce", json!(order));
        assert_eq!(fault_of(&claims), TokenFault::Nonces, "{order:?}");
    }
}

#[test]
fn one_nonce_more_is_refused() {
    let [a, b, c] = NONCES;
    for nonces in [[a, b, c, a], [a, a, b, c]] {
        let claims = with(claims(), "/eat_nonce", json!(nonces));
        assert_eq!(fault_of(&claims), TokenFault::Nonces);
    }
    let joined = with(claims(), "/eat_nonce", json!(NONCES.concat()));
    assert_eq!(fault_of(&joined), TokenFault::Nonces);
}

/// A good token of another exchange: its challenge is not the one of this connection.
#[test]
fn a_replayed_token_is_refused() {
    let token = KEY.token(&claims());
    let challenge = "DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDA";
    let expected = Expected {
        nonces: &[challenge, NONCES[1], NONCES[2]],
        ..EXPECTED
    };
    let fault = token_fault(verifier().verify(&token, &expected));
    assert_eq!(fault, TokenFault::Nonces);
}

/// Nothing is expected by mistake: a default token must not pass.
#[test]
fn an_expectation_without_nonces_is_refused() {
    let expected = Expected {
        nonces: &[],
        ..EXPECTED
    };
    for claims in [without(claims(), "/eat_nonce"), claims()] {
        let fault = token_fault(verifier().verify(&KEY.token(&claims), &expected));
        assert_eq!(fault, TokenFault::Nonces);
    }
}

#[test]
fn the_clock_is_the_callers() {
    let past = UnixTime::since_unix_epoch(Default::default());
    let expected = Expected {
        now: past,
        ..EXPECTED
    };
    let token = KEY.token(&times(0, 0, 3600));
    assert!(verifier().verify(&token, &expected).is_ok());
}
