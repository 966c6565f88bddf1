//! Keys that the issuer publishes: fetched, kept, looked at again, and used while nobody can be asked.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use mcbn_attest::{
    Expected, FRESH, Fetch, Issuer, KeysFault, Leeway, Location, MAX_ANSWER, NotAJwks, PAUSE,
    Refused, STALE, TokenFault, Unfetched, Verifier,
};
use serde_json::{Value, json};
use support::*;

const ISSUER: &str = "https://confidentialcomputing.googleapis.com";
const DISCOVERY: &str =
    "https://confidentialcomputing.googleapis.com/.well-known/openid-configuration";
const KEYS: &str = "https://keys.example/set";

/// What the issuer answers, which a test may change, and how often it was asked for its keys.
#[derive(Clone)]
struct Network {
    discovery: Arc<Mutex<Result<Vec<u8>, Unfetched>>>,
    keys: Arc<Mutex<Result<Vec<u8>, Unfetched>>>,
    asked: Arc<AtomicUsize>,
}

impl Network {
    fn new(keys: &[Value]) -> Network {
        let discovery = json!({
            "issuer": ISSUER, "jwks_uri": KEYS,
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        Network {
            discovery: Arc::new(Mutex::new(Ok(discovery.to_string().into_bytes()))),
            keys: Arc::new(Mutex::new(Ok(key_set(keys)))),
            asked: Arc::default(),
        }
    }

    fn describe(&self, discovery: &str) {
        *self.discovery.lock().unwrap() = Ok(discovery.into());
    }

    fn publish(&self, keys: &[Value]) {
        *self.keys.lock().unwrap() = Ok(key_set(keys));
    }

    fn cut(&self) {
        *self.keys.lock().unwrap() = Err(Unfetched::Status(503));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn verifier(&self) -> Verifier {
        Verifier::discovering(Issuer::google(), Box::new(self.clone()), Leeway::MAX)
    }
}

impl Fetch for Network {
    fn get(&self, location: &Location) -> Result<Vec<u8>, Unfetched> {
        match location.as_str() {
            DISCOVERY => {
                self.asked.fetch_add(1, Ordering::SeqCst);
                self.discovery.lock().unwrap().clone()
            }
            KEYS => self.keys.lock().unwrap().clone(),
            other => panic!("nobody said {other}"),
        }
    }
}

/// A token of this key, as it would be so many seconds from now.
fn verify_at(verifier: &Verifier, key: &Key, later: u64) -> Result<(), Refused> {
    let now = NOW + later;
    let claims = with(claims(), "/iat", json!(now));
    let claims = with(with(claims, "/nbf", json!(now)), "/exp", json!(now + 3600));
    let expected = Expected {
        now: at(now),
        ..EXPECTED
    };
    verifier.verify(&key.token(&claims), &expected).map(drop)
}

fn unknown() -> Result<(), Refused> {
    Err(Refused::Token(TokenFault::UnknownKey))
}

#[test]
fn keys_are_fetched_once_and_kept() {
    let network = Network::new(&[KEY.jwk()]);
    let verifier = network.verifier();
    for later in [0, 1, 100, FRESH - 1] {
        assert_eq!(verify_at(&verifier, &KEY, later), Ok(()));
    }
    assert_eq!(network.asked(), 1);
}

#[test]
fn keys_are_fetched_at_start_when_asked_for() {
    let network = Network::new(&[KEY.jwk()]);
    let verifier = network.verifier();
    assert_eq!(verifier.warm(at(NOW)), Ok(()));
    assert_eq!(verifier.warm(at(NOW)), Ok(()));
    assert_eq!(verify_at(&verifier, &KEY, 0), Ok(()));
    assert_eq!(network.asked(), 1);
}

#[test]
fn an_issuer_out_of_reach_at_start_is_told() {
    let network = Network::new(&[]);
    network.cut();
    let fault = network.verifier().warm(at(NOW)).unwrap_err();
    assert!(matches!(fault, KeysFault::Fetch(_, Unfetched::Status(503))));
    assert_eq!(
        fault.to_string(),
        "could not fetch https://keys.example/set: the answer has status 503"
    );
}

#[test]
fn a_new_key_is_fetched_when_a_token_names_it() {
    let network = Network::new(&[KEY.jwk()]);
    let verifier = network.verifier();
    assert_eq!(verify_at(&verifier, &KEY, 0), Ok(()));
    network.publish(&[KEY.jwk(), OTHER_KEY.jwk()]);
    assert_eq!(verify_at(&verifier, &OTHER_KEY, PAUSE), Ok(()));
    assert_eq!(network.asked(), 2);
    assert_eq!(verify_at(&verifier, &KEY, PAUSE), Ok(()));
}

#[test]
fn an_unknown_key_is_refused_and_asked_for_once_a_minute() {
    let network = Network::new(&[KEY.jwk()]);
    let verifier = network.verifier();
    for later in 0..PAUSE {
        assert_eq!(verify_at(&verifier, &OTHER_KEY, later), unknown());
    }
    assert_eq!(network.asked(), 1);
    for later in PAUSE..2 * PAUSE {
        assert_eq!(verify_at(&verifier, &OTHER_KEY, later), unknown());
    }
    assert_eq!(network.asked(), 2);
    // And a good token is taken all the while, without asking.
    assert_eq!(verify_at(&verifier, &KEY, 2 * PAUSE), Ok(()));
    assert_eq!(network.asked(), 2);
}

#[test]
fn a_withdrawn_key_is_refused_once_the_keys_were_looked_at_again() {
    let network = Network::new(&[KEY.jwk()]);
    let verifier = network.verifier();
    assert_eq!(verify_at(&verifier, &KEY, 0), Ok(()));
    network.publish(&[OTHER_KEY.jwk()]);
    assert_eq!(verify_at(&verifier, &KEY, FRESH - 1), Ok(()));
    assert_eq!(verify_at(&verifier, &KEY, FRESH), unknown());
}

#[test]
fn old_keys_are_used_while_the_network_is_down() {
    let network = Network::new(&[KEY.jwk()]);
    let verifier = network.verifier();
    assert_eq!(verify_at(&verifier, &KEY, 0), Ok(()));
    network.cut();
    for later in [FRESH, FRESH + 1, FRESH + PAUSE, STALE - 1] {
        assert_eq!(verify_at(&verifier, &KEY, later), Ok(()));
    }
    assert_eq!(network.asked(), 4);
}

#[test]
fn keys_that_are_too_old_are_refused() {
    let network = Network::new(&[KEY.jwk()]);
    let verifier = network.verifier();
    assert_eq!(verify_at(&verifier, &KEY, 0), Ok(()));
    network.cut();
    let refused = verify_at(&verifier, &KEY, STALE).unwrap_err();
    assert!(matches!(refused, Refused::Keys(KeysFault::Fetch(..))));
    // Once the network is back, so are the keys.
    network.publish(&[KEY.jwk()]);
    assert_eq!(verify_at(&verifier, &KEY, STALE + PAUSE), Ok(()));
}

/// It is the keys that are missing: the token may be good, and says so to whoever would try again.
#[test]
fn an_unknown_key_is_not_the_tokens_fault_while_the_network_is_down() {
    let network = Network::new(&[KEY.jwk()]);
    let verifier = network.verifier();
    assert_eq!(verify_at(&verifier, &KEY, 0), Ok(()));
    network.cut();
    for later in [PAUSE, PAUSE + 1] {
        let refused = verify_at(&verifier, &OTHER_KEY, later).unwrap_err();
        assert!(matches!(refused, Refused::Keys(KeysFault::Fetch(..))));
    }
}

#[test]
fn an_unknown_key_is_the_tokens_fault_again_once_the_network_is_back() {
    let network = Network::new(&[KEY.jwk()]);
    network.cut();
    let verifier = network.verifier();
    assert!(verify_at(&verifier, &KEY, 0).is_err());
    network.publish(&[KEY.jwk()]);
    assert_eq!(verify_at(&verifier, &KEY, PAUSE), Ok(()));
    assert_eq!(verify_at(&verifier, &OTHER_KEY, PAUSE), unknown());
}

#[test]
fn a_failure_is_not_repeated_within_a_minute() {
    let network = Network::new(&[KEY.jwk()]);
    network.cut();
    let verifier = network.verifier();
    for later in 0..PAUSE {
        assert!(verify_at(&verifier, &KEY, later).is_err());
    }
    assert_eq!(network.asked(), 1);
}

/// Keys of the future were fetched by a clock that was wrong.
#[test]
fn a_clock_that_was_set_back_makes_keys_old() {
    let network = Network::new(&[KEY.jwk()]);
    let verifier = network.verifier();
    assert_eq!(verify_at(&verifier, &KEY, STALE), Ok(()));
    network.cut();
    let refused = verify_at(&verifier, &KEY, 0).unwrap_err();
    assert!(matches!(refused, Refused::Keys(_)));
}

#[test]
fn a_discovery_of_another_form_is_refused() {
    for discovery in [
        "",
        "[]",
        "{}",
        r#"{"issuer":"https://evil.example","jwks_uri":"https://keys.example/set"}"#,
        r#"{"issuer":"https://confidentialcomputing.googleapis.com/","jwks_uri":"https://keys.example/set"}"#,
        r#"{"jwks_uri":"https://keys.example/set"}"#,
        r#"{"issuer":"https://confidentialcomputing.googleapis.com"}"#,
        r#"{"issuer":"https://confidentialcomputing.googleapis.com","jwks_uri":1}"#,
        r#"{"issuer":"https://confidentialcomputing.googleapis.com","jwks_uri":"http://keys.example/set"}"#,
        r#"{"issuer":"https://confidentialcomputing.googleapis.com","jwks_uri":"http://127.0.0.1/set"}"#,
        r#"{"issuer":"https://confidentialcomputing.googleapis.com","jwks_uri":"file:///etc/keys"}"#,
        r#"{"issuer":"https://confidentialcomputing.googleapis.com","jwks_uri":"https://a@keys.example/set"}"#,
        r#"{"issuer":"https://confidentialcomputing.googleapis.com","jwks_uri":"https://keys.example/x","jwks_uri":"https://keys.example/set"}"#,
    ] {
        let network = Network::new(&[KEY.jwk()]);
        network.describe(discovery);
        let fault = network.verifier().warm(at(NOW)).unwrap_err();
        assert_eq!(fault, KeysFault::Discovery, "{discovery}");
    }
}

#[test]
fn a_key_set_that_is_none_is_refused() {
    let network = Network::new(&[]);
    let fault = network.verifier().warm(at(NOW)).unwrap_err();
    assert_eq!(fault, KeysFault::Jwks(NotAJwks::NoKeys));
}

#[test]
fn a_huge_answer_is_refused() {
    let network = Network::new(&[KEY.jwk()]);
    let filled = [&key_set(&[KEY.jwk()])[..], &b" ".repeat(MAX_ANSWER)].concat();
    *network.keys.lock().unwrap() = Ok(filled);
    let fault = network.verifier().warm(at(NOW)).unwrap_err();
    assert!(matches!(fault, KeysFault::Fetch(_, Unfetched::TooLong)));
}

/// Answers only when the test says so.
struct Slow {
    network: Network,
    asked: Mutex<Sender<()>>,
    go: Mutex<Receiver<()>>,
}

impl Fetch for Slow {
    fn get(&self, location: &Location) -> Result<Vec<u8>, Unfetched> {
        self.asked.lock().unwrap().send(()).unwrap();
        self.go.lock().unwrap().recv().unwrap();
        self.network.get(location)
    }
}

#[test]
fn nobody_waits_for_the_call_that_fetches() {
    let ((asked, was_asked), (go, may_go)) = (channel(), channel());
    let network = Network::new(&[KEY.jwk()]);
    let slow = Slow {
        network: network.clone(),
        asked: Mutex::new(asked),
        go: Mutex::new(may_go),
    };
    let verifier = Verifier::discovering(Issuer::google(), Box::new(slow), Leeway::MAX);
    let both = || {
        go.send(()).unwrap();
        go.send(()).unwrap();
    };
    both();
    assert_eq!(verify_at(&verifier, &KEY, 0), Ok(()));
    was_asked.try_iter().for_each(drop);

    network.publish(&[KEY.jwk(), OTHER_KEY.jwk()]);
    thread::scope(|scope| {
        let fetching = scope.spawn(|| verify_at(&verifier, &OTHER_KEY, FRESH));
        was_asked.recv().unwrap();
        // Known keys are used meanwhile, though they are not fresh; a token that needs others is not refused for good.
        assert_eq!(verify_at(&verifier, &KEY, FRESH), Ok(()));
        let busy = Err(Refused::Keys(KeysFault::Busy));
        assert_eq!(verify_at(&verifier, &OTHER_KEY, FRESH), busy);
        both();
        assert_eq!(fetching.join().unwrap(), Ok(()));
    });
    assert_eq!(verify_at(&verifier, &OTHER_KEY, FRESH), Ok(()));
    assert_eq!(network.asked(), 2);
}
