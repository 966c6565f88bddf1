//! The workload's client against the simulated token service.

use std::time::Duration;

use mcbn_launcher::{Error, Launcher, Malformed, Request, Token, TokenType};
use mcbn_tests_consent::{AUDIENCE, NONCES, Space, verify};
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::confidential_space::{DEFAULT_AUDIENCE, Forgery, Health};
use tokio::time::timeout;

/// Shorter than any answer of a service that stalls.
const IMPATIENT: Duration = Duration::from_millis(50);

fn request(token_type: TokenType) -> Request {
    let nonces = NONCES.map(|nonce| nonce.parse().unwrap());
    Request::new(AUDIENCE.parse().unwrap(), nonces, token_type).unwrap()
}

fn launcher(space: &Space) -> Launcher {
    Launcher::at(space.machine.socket(), DEADLINE)
}

async fn ask(space: &Space) -> Result<Token, Error> {
    launcher(space)
        .custom_token(&request(TokenType::Oidc))
        .await
}

#[tokio::test]
async fn a_custom_token_is_what_was_asked_for() {
    let space = Space::production();
    let token = ask(&space).await.unwrap();
    let token = verify(&space.offline(), token.as_str()).unwrap();
    assert_eq!(token.claims().eat_nonce, NONCES);
    assert_eq!(space.machine.requests(), 1);
}

#[tokio::test]
async fn a_pki_token_is_what_was_asked_for() {
    let space = Space::production();
    let launcher = launcher(&space);
    let token = launcher.custom_token(&request(TokenType::Pki)).await;
    verify(&space.pinned(), token.unwrap().as_str()).unwrap();
}

#[tokio::test]
async fn the_default_token_is_for_google() {
    let space = Space::production();
    let token = launcher(&space).default_token().await.unwrap();
    let token = mcbn_attest::Unverified::parse(token.as_str()).unwrap();
    assert_eq!(token.insecure_claims().aud, [DEFAULT_AUDIENCE]);
}

#[tokio::test]
async fn whatever_the_client_takes_the_service_takes() {
    let space = Space::production();
    for (audience, nonces, nonce) in [(1, 1, 10), (512, 6, 74), (512, 1, 43), (1, 6, 10)] {
        let nonces = vec!["n".repeat(nonce).parse().unwrap(); nonces];
        let audience = "\"".repeat(audience).parse().unwrap();
        let request = Request::new(audience, nonces, TokenType::Oidc).unwrap();
        launcher(&space).custom_token(&request).await.unwrap();
    }
}

#[tokio::test]
async fn a_failing_service_is_the_platforms_fault() {
    let space = Space::production();
    space.machine.set_health(Health::Failing);
    let error = ask(&space).await.unwrap_err();
    assert!(
        matches!(error, Error::Failed(status, _) if status == 500),
        "{error:?}"
    );
    space.machine.set_health(Health::Well);
    ask(&space).await.unwrap();
}

#[tokio::test]
async fn a_dead_service_is_absent_until_it_is_back() {
    let space = Space::production();
    space.machine.set_health(Health::Dead);
    let error = ask(&space).await.unwrap_err();
    assert!(matches!(error, Error::Absent(_)), "{error:?}");
    space.machine.set_health(Health::Well);
    ask(&space).await.unwrap();
}

#[tokio::test]
async fn a_service_that_hangs_up_broke_off() {
    let space = Space::production();
    space.machine.set_health(Health::HangingUp);
    let error = ask(&space).await.unwrap_err();
    assert!(matches!(error, Error::Broken(_)), "{error:?}");
}

#[tokio::test]
async fn a_service_that_dies_while_it_is_asked_broke_off() {
    let space = Space::production();
    space.machine.set_health(Health::Stalled);
    let launcher = launcher(&space);
    let asked = tokio::spawn(async move { launcher.custom_token(&request(TokenType::Oidc)).await });
    let space = arrived(space).await;
    space.machine.set_health(Health::Dead);
    let error = asked.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Broken(_)), "{error:?}");
}

#[tokio::test]
async fn a_service_that_stalls_is_slow() {
    let space = Space::production();
    space.machine.set_health(Health::Stalled);
    let launcher = Launcher::at(space.machine.socket(), IMPATIENT);
    let error = launcher.default_token().await.unwrap_err();
    assert!(matches!(error, Error::Slow), "{error:?}");
}

#[tokio::test]
async fn a_service_that_stalled_answers_in_the_end() {
    let space = Space::production();
    space.machine.set_health(Health::Stalled);
    let launcher = launcher(&space);
    let asked = tokio::spawn(async move { launcher.custom_token(&request(TokenType::Oidc)).await });
    let space = arrived(space).await;
    space.machine.set_health(Health::Well);
    let token = timeout(DEADLINE, asked).await.unwrap().unwrap().unwrap();
    verify(&space.offline(), token.as_str()).unwrap();
}

#[tokio::test]
async fn a_slow_service_is_waited_for() {
    let space = Space::production();
    space.machine.set_health(Health::Slow(IMPATIENT));
    let token = ask(&space).await.unwrap();
    verify(&space.offline(), token.as_str()).unwrap();
}

/// The client knows tokens by their form only; one without a signature has another.
#[tokio::test]
async fn a_token_without_a_signature_is_none() {
    let space = Space::production();
    space.machine.set_forgery(Some(Forgery::AlgNone));
    let error = ask(&space).await.unwrap_err();
    let malformed = Error::Malformed(Malformed::NotAToken);
    assert_eq!(error.to_string(), malformed.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_ask_at_once() {
    let space = Space::production();
    let asked: Vec<_> = (0..200)
        .map(|_| {
            let launcher = launcher(&space);
            tokio::spawn(async move { launcher.custom_token(&request(TokenType::Oidc)).await })
        })
        .collect();
    let verifier = space.offline();
    for token in asked {
        let token = timeout(DEADLINE, token).await.unwrap().unwrap().unwrap();
        verify(&verifier, token.as_str()).unwrap();
    }
    assert_eq!(space.machine.requests(), 200);
}

/// Waits for the first request, while others run.
async fn arrived(space: Space) -> Space {
    let waiting = tokio::task::spawn_blocking(move || {
        space.machine.wait_for_requests(1);
        space
    });
    waiting.await.unwrap()
}
