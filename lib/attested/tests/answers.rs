//! What stands beside an answer, and what is not answered.

mod support;

use mcbn_attested::LARGEST_BODY;
use mcbn_attested::server::Limits;
use mcbn_binding::{answer_nonces, audience};
use serde_json::json;
use support::*;

/// The token that must stand beside this answer to this peer.
fn token_for(house: &House, peer: &Peer, answer: &[u8]) -> serde_json::Value {
    let challenge = CHALLENGE.parse().unwrap();
    json!({
        "audience": audience(PURPOSE, &pin(&house.participant)),
        "nonces": answer_nonces(&challenge, &peer.exporter, &MANIFEST, answer),
        "token_type": "OIDC",
    })
}

#[tokio::test]
async fn an_answer_of_any_status_has_a_token_over_its_exact_bytes() {
    let house = House::start().await;
    let mut peer = house.visit().await;
    for (request, body, status, said) in [
        ("POST /echo", "hello", 200, "hello"),
        ("POST /echo", "", 200, ""),
        ("GET /fails", "", 500, "it failed"),
        ("GET /nowhere", "", 404, ""),
        ("GET /echo", "", 405, ""),
    ] {
        let answer = peer.challenge(request, body).await;
        assert_eq!((answer.status, &*answer.body), (status, said), "{request}");
        assert_eq!(answer.asked(), token_for(&house, &peer, said.as_bytes()));
    }
}

#[tokio::test]
async fn a_handlers_own_token_is_replaced() {
    let house = House::start().await;
    let mut peer = house.visit().await;
    let answer = peer.challenge("GET /forges", "").await;
    assert_eq!(answer.asked(), token_for(&house, &peer, b"forged"));
}

#[tokio::test]
async fn a_missing_challenge_is_refused() {
    let house = House::start().await;
    let mut peer = house.visit().await;
    let answer = peer.ask("POST /echo", "", "hello").await;
    assert_eq!(answer.refused(), (400, "challenge"));
    assert_eq!(answer.token(), None);
    assert_eq!(house.handled(), 0);
    peer.ends().await;
}

#[tokio::test]
async fn two_challenges_are_refused() {
    let house = House::start().await;
    let mut peer = house.visit().await;
    let headers = format!("mcbn-challenge: {CHALLENGE}\r\n").repeat(2);
    let answer = peer.ask("POST /echo", &headers, "hello").await;
    assert_eq!(answer.refused(), (400, "challenge"));
    assert_eq!(answer.token(), None);
    assert_eq!(house.handled(), 0);
}

#[tokio::test]
async fn a_malformed_challenge_is_refused() {
    let house = House::start().await;
    for text in ["", "AAEC", &CHALLENGE.replace("Hh8", "Hh9"), "+"] {
        let mut peer = house.visit().await;
        let headers = format!("mcbn-challenge: {text}\r\n");
        let answer = peer.ask("POST /echo", &headers, "hello").await;
        assert_eq!(answer.refused(), (400, "challenge"), "{text:?}");
        assert_eq!(answer.token(), None);
    }
    assert_eq!(house.handled(), 0);
}

#[tokio::test]
async fn the_largest_body_is_taken() {
    let house = House::start().await;
    let mut peer = house.visit().await;
    let body = "x".repeat(LARGEST_BODY);
    let answer = peer.challenge("POST /echo", &body).await;
    assert_eq!((answer.status, answer.body), (200, body));
}

/// Whether its length is said or not. The refusal itself is vouched for.
#[tokio::test]
async fn a_larger_body_is_refused() {
    let house = House::start().await;
    let size = LARGEST_BODY + 1;
    let chunk = format!("{size:x}\r\n{}\r\n", "x".repeat(size));
    for request in [
        head("POST /echo", &format!("content-length: {size}\r\n")),
        head("POST /echo", "transfer-encoding: chunked\r\n") + &chunk,
    ] {
        let mut peer = house.visit().await;
        peer.send(&request).await;
        let answer = peer.answer().await.unwrap();
        assert_eq!(answer.refused(), (413, "too-large"));
        let token = token_for(&house, &peer, answer.body.as_bytes());
        assert_eq!(answer.asked(), token);
    }
    assert_eq!(house.handled(), 0);
}

#[tokio::test]
async fn an_answer_that_no_client_reads_is_refused() {
    let house = House::start().await;
    let answer = house.visit().await.challenge("GET /large", "").await;
    assert_eq!(answer.refused(), (500, "bug"));
}

#[tokio::test]
async fn without_a_token_nothing_is_answered() {
    let house = House::with(Double::Down, Limits::default()).await;
    let mut peer = house.visit().await;
    let answer = peer.challenge("POST /echo", "hello").await;
    assert_eq!(answer.refused(), (503, "no-token"));
    assert_eq!(answer.token(), None);
    assert_eq!(house.handled(), 1);
    peer.ends().await;
}

#[tokio::test]
async fn a_token_service_that_stalls_is_given_up() {
    let limits = Limits {
        request: IMPATIENT,
        ..Limits::default()
    };
    let house = House::with(Double::Stalled, limits).await;
    let answer = house.visit().await.challenge("POST /echo", "hello").await;
    assert_eq!(answer.refused(), (503, "no-token"));
    assert_eq!(answer.token(), None);
}
