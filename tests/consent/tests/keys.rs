//! The issuer's keys over the network: fetched seldom, rotated, away, and from a file.

use std::thread;
use std::time::Duration;

use mcbn_attest::{
    FRESH, Https, Issuer, Jwks, KeysFault, Leeway, PAUSE, STALE, TokenFault, Unfetched, Verifier,
};
use mcbn_tests_consent::{Space, after, keys_fault, oidc, token_fault, verify, verify_at};
use mcbn_tests_support::confidential_space::{
    self as simulator, Forgery, GOOGLE, Health, Machine, Profile, Requests, Rotation,
};

fn fetched(times: u64) -> Requests {
    Requests {
        discovery: times,
        jwks: times,
        ..Requests::default()
    }
}

#[test]
fn many_tokens_take_one_look_at_the_keys() {
    let space = Space::production();
    let verifier = space.discovering();
    for _ in 0..100 {
        verify(&verifier, &space.oidc()).unwrap();
    }
    assert_eq!(space.issuer.requests(), fetched(1));
}

#[test]
fn keys_are_looked_at_again_when_they_are_old() {
    let space = Space::production();
    let verifier = space.discovering();
    verify(&verifier, &space.oidc()).unwrap();
    space.machine.set_clock_ahead(Duration::from_secs(FRESH));
    verify_at(&verifier, &space.oidc(), FRESH + 1).unwrap();
    assert_eq!(space.issuer.requests(), fetched(2));
}

#[test]
fn a_new_key_is_found_when_a_token_names_it() {
    let space = Space::production();
    let verifier = space.discovering();
    let old = space.oidc();
    verify(&verifier, &old).unwrap();
    space.issuer.rotate(Rotation::KeepOld);
    let new = space.oidc();
    verify_at(&verifier, &new, PAUSE + 1).unwrap();
    verify_at(&verifier, &old, PAUSE + 1).unwrap();
    assert_eq!(space.issuer.requests(), fetched(2));
}

#[test]
fn a_dropped_key_is_refused_when_the_new_one_is_found() {
    let space = Space::production();
    let verifier = space.discovering();
    let old = space.oidc();
    verify(&verifier, &old).unwrap();
    space.issuer.rotate(Rotation::DropOld);
    verify_at(&verifier, &space.oidc(), PAUSE + 1).unwrap();
    let refused = verify_at(&verifier, &old, PAUSE + 1);
    assert_eq!(token_fault(refused), TokenFault::UnknownKey);
}

#[test]
fn strangers_cannot_have_the_issuer_asked_over_and_over() {
    let space = Space::production();
    let verifier = space.discovering();
    let good = space.oidc();
    verify(&verifier, &good).unwrap();
    space.machine.set_forgery(Some(Forgery::UnknownKey));
    let forged = space.oidc();
    for _ in 0..100 {
        let refused = verify(&verifier, &forged);
        assert_eq!(token_fault(refused), TokenFault::UnknownKey);
    }
    assert_eq!(space.issuer.requests(), fetched(1));
    for _ in 0..100 {
        let refused = verify_at(&verifier, &forged, PAUSE + 1);
        assert_eq!(token_fault(refused), TokenFault::UnknownKey);
    }
    assert_eq!(space.issuer.requests(), fetched(2));
    verify_at(&verifier, &good, PAUSE + 1).unwrap();
}

#[test]
fn nothing_is_verified_while_the_issuer_was_never_seen() {
    let space = Space::production();
    let verifier = space.discovering();
    let token = space.oidc();
    space.issuer.set_health(Health::Dead);
    let fault = keys_fault(verify(&verifier, &token));
    assert!(
        matches!(fault, KeysFault::Fetch(_, Unfetched::Unreachable(_))),
        "{fault:?}"
    );
    // It is back, and asked again after the pause only.
    space.issuer.set_health(Health::Well);
    keys_fault(verify(&verifier, &token));
    verify_at(&verifier, &token, PAUSE + 1).unwrap();
    assert_eq!(space.issuer.requests(), fetched(1));
}

#[test]
fn every_way_of_being_away_is_the_keys_fault() {
    for health in [Health::Failing, Health::HangingUp, Health::Dead] {
        let space = Space::production();
        space.issuer.set_health(health);
        let refused = verify(&space.discovering(), &space.oidc());
        let KeysFault::Fetch(location, why) = keys_fault(refused) else {
            panic!("{health:?} is another fault");
        };
        let is_status = matches!(why, Unfetched::Status(500));
        assert_eq!(is_status, health == Health::Failing, "{why:?}");
        assert!(location.as_str().starts_with(&space.issuer.url()));
    }
}

#[test]
fn keys_at_hand_serve_until_they_are_stale() {
    let space = Space::production();
    let verifier = space.discovering();
    verify(&verifier, &space.oidc()).unwrap();
    space.issuer.set_health(Health::Dead);
    let token_of = |later: u64| {
        space.machine.set_clock_ahead(Duration::from_secs(later));
        space.oidc()
    };
    for later in [FRESH + 1, STALE - 60] {
        verify_at(&verifier, &token_of(later), later).unwrap();
    }
    let later = STALE + 60;
    keys_fault(verify_at(&verifier, &token_of(later), later));
}

#[test]
fn one_call_waits_for_a_slow_issuer_and_the_others_go_on() {
    let space = Space::production();
    let verifier = space.discovering();
    let token = space.oidc();
    space.issuer.set_health(Health::Stalled);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| verify(&verifier, &token));
        space
            .issuer
            .wait_for_requests(|requests| requests.discovery == 1);
        assert_eq!(keys_fault(verify(&verifier, &token)), KeysFault::Busy);
        space.issuer.set_health(Health::Well);
        waiting.join().unwrap().unwrap();
    });
    verify(&verifier, &token).unwrap();
    assert_eq!(space.issuer.requests(), fetched(1));
}

#[test]
fn what_is_no_key_set_is_refused_and_the_old_one_kept() {
    let space = Space::production();
    let verifier = space.discovering();
    let token = space.oidc();
    let publish = |text: &str| space.issuer.publish_instead(Some(text.to_owned()));
    let secret = r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"c2VjcmV0"}]}"#;
    for (text, pauses) in [("", 0), ("{}", 1), ("[]", 2), (secret, 3)] {
        publish(text);
        let refused = verify_at(&verifier, &token, pauses * PAUSE);
        let fault = keys_fault(refused);
        assert!(matches!(fault, KeysFault::Jwks(_)), "{text}: {fault:?}");
    }
    publish(&" ".repeat(mcbn_attest::MAX_ANSWER + 1));
    let fault = keys_fault(verify_at(&verifier, &token, 4 * PAUSE));
    assert!(
        matches!(fault, KeysFault::Fetch(_, Unfetched::TooLong)),
        "{fault:?}"
    );
    space.issuer.publish_instead(None);
    verify_at(&verifier, &token, 5 * PAUSE).unwrap();
    publish("{}");
    verify_at(&verifier, &token, 6 * PAUSE).unwrap();
}

#[test]
fn a_keeper_can_look_at_the_keys_before_any_token() {
    let space = Space::production();
    let verifier = space.discovering();
    verifier.warm(after(0)).unwrap();
    assert_eq!(space.issuer.requests(), fetched(1));
    space.issuer.set_health(Health::Dead);
    verify(&verifier, &space.oidc()).unwrap();
    let cold = space.discovering();
    assert!(matches!(cold.warm(after(0)), Err(KeysFault::Fetch(..))));
}

#[test]
fn an_issuer_that_names_itself_otherwise_is_refused() {
    let issuer = simulator::Issuer::claiming("https://issuer.example");
    let machine = Machine::start(&issuer, Profile::production());
    let name = Issuer::insecure(&issuer.url()).unwrap();
    let verifier = Verifier::discovering(name, Box::new(Https::new()), Leeway::MAX);
    let fault = keys_fault(verify(&verifier, &oidc(&machine)));
    assert_eq!(fault, KeysFault::Discovery);
}

#[test]
fn keys_from_a_file_need_no_network() {
    let issuer = simulator::Issuer::claiming(GOOGLE);
    let machine = Machine::start(&issuer, Profile::production());
    issuer.set_health(Health::Dead);
    let keys = Jwks::parse(issuer.jwks().as_bytes()).unwrap();
    assert!(
        issuer
            .kids()
            .iter()
            .all(|kid| keys.ids().any(|id| id == kid))
    );
    let verifier = Verifier::offline(Issuer::google(), keys, Leeway::MAX);
    verify(&verifier, &oidc(&machine)).unwrap();
    // It does not know what came later.
    issuer.rotate(Rotation::KeepOld);
    let refused = verify(&verifier, &oidc(&machine));
    assert_eq!(token_fault(refused), TokenFault::UnknownKey);
    assert_eq!(issuer.requests(), Requests::default());
}

#[test]
fn a_pinned_root_needs_no_network_and_no_rotation() {
    let space = Space::production();
    let verifier = space.pinned();
    space.issuer.set_health(Health::Dead);
    verify(&verifier, &space.pki()).unwrap();
    space.issuer.rotate(Rotation::DropOld);
    verify(&verifier, &space.pki()).unwrap();
    assert_eq!(space.issuer.requests(), Requests::default());
}
