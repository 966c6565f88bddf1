//! What the simulated issuer publishes, and how it changes.

mod raw;

use std::io::{ErrorKind, Read};

use mcbn_tests_support::confidential_space::{
    GOOGLE, Health, Issuer, Machine, Profile, Requests, Rotation, TokenRequest,
};
use openssl::x509::X509;
use raw::{Token, exchange, get, request, tcp};
use serde_json::Value;

const DISCOVERY: &str = "/.well-known/openid-configuration";
const PKI_ROOT: &str = "/.well-known/attestation-pki-root";

/// Fetches what an address in a document leads to.
fn follow(issuer: &Issuer, document: &str, key: &str) -> String {
    let document: Value = serde_json::from_str(document).unwrap();
    let address = document[key]
        .as_str()
        .expect("the document has the address");
    let path = address
        .strip_prefix(&issuer.url())
        .expect("the issuer's own address");
    get(issuer.address(), path).unwrap().expect(200)
}

fn fetched_jwks(issuer: &Issuer) -> String {
    let discovery = get(issuer.address(), DISCOVERY).unwrap().expect(200);
    follow(issuer, &discovery, "jwks_uri")
}

fn token(issuer: &Issuer) -> Token {
    let machine = Machine::start(issuer, Profile::production());
    let request = TokenRequest::oidc("audience", ["a-nonce-of-some-length"]);
    Token::parse(&machine.token(&request).unwrap())
}

#[test]
fn discovery_leads_to_the_keys_that_sign() {
    let issuer = Issuer::start();
    let discovery = get(issuer.address(), DISCOVERY).unwrap();
    assert!(discovery.head.contains("application/json"), "{discovery:?}");
    let document = discovery.json();
    assert_eq!(document["issuer"], issuer.url());
    for (name, values) in [
        ("id_token_signing_alg_values_supported", "RS256"),
        ("response_types_supported", "id_token"),
        ("scopes_supported", "openid"),
        ("subject_types_supported", "public"),
    ] {
        assert_eq!(document[name], serde_json::json!([values]), "{name}");
    }
    let jwks = follow(&issuer, &discovery.body, "jwks_uri");
    assert!(token(&issuer).is_valid_under(&jwks));
    assert_eq!(jwks, issuer.jwks());
}

#[test]
fn another_issuers_keys_do_not_verify_its_tokens() {
    let (one, other) = (Issuer::start(), Issuer::start());
    assert!(!token(&one).is_valid_under(&other.jwks()));
    assert_ne!(one.url(), other.url());
}

#[test]
fn it_publishes_several_keys_of_which_the_first_signs() {
    let issuer = Issuer::start();
    let kids = issuer.kids();
    assert_eq!(kids.len(), 2);
    assert_ne!(kids[0], kids[1]);
    assert_eq!(token(&issuer).kid(), kids[0]);
}

#[test]
fn a_rotation_may_keep_the_old_keys() {
    let issuer = Issuer::start();
    let (old, before) = (token(&issuer), issuer.kids());
    issuer.rotate(Rotation::KeepOld);
    let new = token(&issuer);
    assert_ne!(new.kid(), old.kid());
    let jwks = fetched_jwks(&issuer);
    assert!(new.is_valid_under(&jwks) && old.is_valid_under(&jwks));
    assert_eq!(issuer.kids()[1..], before);
}

#[test]
fn a_rotation_may_drop_the_old_keys() {
    let issuer = Issuer::start();
    let old = token(&issuer);
    issuer.rotate(Rotation::DropOld);
    let new = token(&issuer);
    let jwks = fetched_jwks(&issuer);
    assert!(new.is_valid_under(&jwks) && !old.is_valid_under(&jwks));
    assert_eq!(issuer.kids(), [new.kid()]);
}

#[test]
fn the_root_of_pki_tokens_is_published() {
    let issuer = Issuer::start();
    let document = get(issuer.address(), PKI_ROOT).unwrap().expect(200);
    let root = follow(&issuer, &document, "root_ca_uri");
    assert_eq!(root, issuer.root_pem());
    let root = X509::from_pem(root.as_bytes()).unwrap();
    assert!(root.verify(&root.public_key().unwrap()).unwrap());
    assert_eq!(root.public_key().unwrap().rsa().unwrap().size(), 512);
}

#[test]
fn it_counts_its_requests() {
    let issuer = Issuer::start();
    assert_eq!(issuer.requests(), Requests::default());
    fetched_jwks(&issuer);
    fetched_jwks(&issuer);
    let document = get(issuer.address(), PKI_ROOT).unwrap().expect(200);
    follow(&issuer, &document, "root_ca_uri");
    get(issuer.address(), "/").unwrap().expect(404);
    issuer.wait_for_requests(|requests| requests.other == 1);
    let all = Requests {
        discovery: 2,
        jwks: 2,
        pki_root: 1,
        root_certificate: 1,
        other: 1,
    };
    assert_eq!(issuer.requests(), all);
}

#[test]
fn another_method_is_refused() {
    let issuer = Issuer::start();
    let stream = tcp(issuer.address()).unwrap();
    exchange(stream, &request("POST", DISCOVERY, "{}"))
        .unwrap()
        .expect(405);
}

#[test]
fn it_may_publish_another_set_for_a_while() {
    let issuer = Issuer::start();
    issuer.publish_instead(Some("no JSON".to_owned()));
    assert_eq!(fetched_jwks(&issuer), "no JSON");
    issuer.publish_instead(None);
    assert_eq!(fetched_jwks(&issuer), issuer.jwks());
}

#[test]
fn an_issuer_that_is_away_comes_back_at_its_address() {
    let issuer = Issuer::start();
    let mut old = tcp(issuer.address()).unwrap();
    exchange(&old, &request("GET", DISCOVERY, ""))
        .unwrap()
        .expect(200);
    issuer.set_health(Health::Dead);
    assert!(matches!(old.read(&mut [0]), Ok(0) | Err(_)));
    for _ in 0..3 {
        let refused = get(issuer.address(), DISCOVERY).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }
    // Its machines go on.
    assert!(token(&issuer).is_valid_under(&issuer.jwks()));
    issuer.set_health(Health::HangingUp);
    assert!(get(issuer.address(), DISCOVERY).is_err());
    issuer.set_health(Health::Failing);
    get(issuer.address(), DISCOVERY).unwrap().expect(500);
    issuer.set_health(Health::Well);
    get(issuer.address(), DISCOVERY).unwrap().expect(200);
    assert_eq!(issuer.requests().discovery, 3);
}

#[test]
fn nobody_gets_its_port_while_it_is_away() {
    let issuer = Issuer::start();
    issuer.set_health(Health::Dead);
    let bound = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    assert_ne!(bound.local_addr().unwrap(), issuer.address());
    issuer.set_health(Health::Well);
    get(issuer.address(), DISCOVERY).unwrap().expect(200);
}

#[test]
fn it_may_claim_another_name() {
    let issuer = Issuer::claiming(GOOGLE);
    let token = token(&issuer);
    assert_eq!(token.claims["iss"], GOOGLE);
    assert!(token.is_valid_under(&issuer.jwks()));
    let discovery = get(issuer.address(), DISCOVERY).unwrap().json();
    assert_eq!(discovery["issuer"], GOOGLE);
}

#[test]
fn it_signs_what_no_machine_would() {
    let issuer = Issuer::start();
    let header = serde_json::json!({ "alg": "RS256", "kid": issuer.kids()[0], "typ": "JWT" });
    let token = Token::parse(&issuer.sign(&header, b"[]"));
    assert_eq!(token.claims, serde_json::json!([]));
    assert!(token.is_valid_under(&issuer.jwks()));
}
