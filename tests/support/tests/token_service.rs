//! The simulated token service against the rules of the real one.

mod raw;

use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use mcbn_tests_support::confidential_space::{
    DEFAULT_AUDIENCE, Health, Issuer, Machine, Profile, TokenRequest,
};
use raw::{Answer, Token, ask, exchange, request, unix};
use serde_json::{Value, json};

const NONCE: &str = "a-nonce-of-some-length";

struct Scenario {
    issuer: Issuer,
    machine: Machine,
}

impl Scenario {
    fn new() -> Self {
        let issuer = Issuer::start();
        let machine = Machine::start(&issuer, Profile::production());
        Self { issuer, machine }
    }

    fn post(&self, body: &str) -> Answer {
        ask(self.machine.socket(), "POST", "/v1/token", body)
    }

    fn takes(&self, body: &Value) -> Token {
        let token = Token::parse(&self.post(&body.to_string()).expect(200));
        assert!(token.is_valid_under(&self.issuer.jwks()));
        token
    }

    /// Caller's faults are 400, with a reason as text.
    fn refuses(&self, body: &str) {
        let why = self.post(body).expect(400);
        assert!(!why.is_empty() && !why.starts_with(['{', '"']), "{why}");
    }
}

fn body(audience: &str, nonces: &[&str]) -> Value {
    json!({ "audience": audience, "nonces": nonces, "token_type": "OIDC" })
}

#[test]
fn a_custom_token_has_the_audience_and_the_nonces_in_their_order() {
    let scenario = Scenario::new();
    let nonces = ["zzzzzzzz", "aaaaaaaa", "mmmmmmmm"];
    let token = scenario.takes(&body("https://keeper.example", &nonces));
    assert_eq!(token.claims["aud"], "https://keeper.example");
    assert_eq!(token.claims["eat_nonce"], json!(nonces));
    assert_eq!(token.claims["iss"], scenario.issuer.url());
}

#[test]
fn one_nonce_is_a_string_and_none_is_no_claim() {
    let scenario = Scenario::new();
    let one = scenario.takes(&body("audience", &[NONCE]));
    assert_eq!(one.claims["eat_nonce"], NONCE);
    for none in [
        body("audience", &[]),
        json!({ "audience": "audience", "token_type": "OIDC" }),
        json!({ "audience": "audience", "nonces": null, "token_type": "OIDC" }),
    ] {
        assert_eq!(scenario.takes(&none).claims.get("eat_nonce"), None);
    }
}

#[test]
fn the_answer_is_the_token_as_raw_text() {
    let scenario = Scenario::new();
    let answer = scenario.post(&body("audience", &[NONCE]).to_string());
    assert!(
        answer.head.contains("content-type: text/html"),
        "{answer:?}"
    );
    assert_eq!(answer.body.matches('.').count(), 2, "{answer:?}");
    assert!(answer.body.starts_with("eyJ"), "{answer:?}");
}

#[test]
fn get_gives_the_default_token() {
    let scenario = Scenario::new();
    let answer = ask(scenario.machine.socket(), "GET", "/v1/token", "");
    let token = Token::parse(&answer.expect(200));
    assert!(token.is_valid_under(&scenario.issuer.jwks()));
    assert_eq!(token.claims["aud"], DEFAULT_AUDIENCE);
    assert_eq!(token.claims.get("eat_nonce"), None);
}

#[test]
fn the_default_token_is_written_beside_the_socket() {
    let scenario = Scenario::new();
    let path = scenario.machine.write_default_token();
    assert_eq!(path.parent(), scenario.machine.socket().parent());
    let token = Token::parse(&std::fs::read_to_string(path).unwrap());
    assert!(token.is_valid_under(&scenario.issuer.jwks()));
    assert_eq!(token.claims["aud"], DEFAULT_AUDIENCE);
    let life = |name: &str| token.claims[name].as_u64().unwrap();
    assert_eq!(life("exp") - life("iat"), 3600);
}

#[test]
fn every_type_of_token_is_taken() {
    let scenario = Scenario::new();
    for kind in ["OIDC", "LIMITED_AWS", "AWS_PRINCIPALTAGS"] {
        scenario.takes(&json!({ "audience": "audience", "token_type": kind }));
    }
    scenario.takes(&json!({
        "audience": "audience",
        "token_type": "AWS_PRINCIPALTAGS",
        "aws_principal_tag_options": {
            "allowed_principal_tags": { "container_image_signatures": { "key_ids": ["one"] } },
        },
    }));
    let pki = json!({ "audience": "audience", "token_type": "PKI" });
    let token = Token::parse(&scenario.post(&pki.to_string()).expect(200));
    assert!(token.is_valid_under_root(&scenario.issuer.root_pem()));
}

#[test]
fn another_type_of_token_or_none_is_refused() {
    let scenario = Scenario::new();
    for kind in [
        json!("oidc"),
        json!("JWT"),
        json!(""),
        json!(null),
        json!(1),
    ] {
        scenario.refuses(&json!({ "audience": "audience", "token_type": kind }).to_string());
    }
    scenario.refuses(&json!({ "audience": "audience" }).to_string());
}

#[test]
fn an_unknown_field_is_refused() {
    let scenario = Scenario::new();
    for (name, value) in [
        ("eat_nonce", json!([NONCE])),
        ("nonce", json!([NONCE])),
        ("tokenType", json!("OIDC")),
        ("aws_principal_tag_options", json!({ "allowed": {} })),
        (
            "aws_principal_tag_options",
            json!({ "allowed_principal_tags": { "images": {} } }),
        ),
        (
            "aws_principal_tag_options",
            json!({ "allowed_principal_tags": { "container_image_signatures": { "keys": [] } } }),
        ),
    ] {
        let mut body = body("audience", &[NONCE]);
        body[name] = value;
        scenario.refuses(&body.to_string());
    }
}

#[test]
fn an_empty_or_missing_audience_is_refused() {
    let scenario = Scenario::new();
    scenario.refuses(&body("", &[NONCE]).to_string());
    scenario.refuses(&json!({ "nonces": [NONCE], "token_type": "OIDC" }).to_string());
    scenario.refuses(&json!({ "audience": null, "token_type": "OIDC" }).to_string());
    scenario.refuses(&json!({ "audience": ["audience"], "token_type": "OIDC" }).to_string());
}

#[test]
fn an_audience_has_at_most_512_bytes() {
    let scenario = Scenario::new();
    scenario.takes(&body(&"a".repeat(512), &[NONCE]));
    scenario.refuses(&body(&"a".repeat(513), &[NONCE]).to_string());
    // 512 characters, and 1024 bytes.
    scenario.refuses(&body(&"é".repeat(512), &[NONCE]).to_string());
}

#[test]
fn there_are_at_most_six_nonces() {
    let scenario = Scenario::new();
    scenario.takes(&body("audience", &[NONCE; 6]));
    scenario.refuses(&body("audience", &[NONCE; 7]).to_string());
}

#[test]
fn a_nonce_has_8_to_88_bytes() {
    let scenario = Scenario::new();
    for length in [8, 10, 43, 74, 88] {
        scenario.takes(&body("audience", &[&"n".repeat(length)]));
    }
    for length in [0, 1, 7, 89, 200] {
        scenario.refuses(&body("audience", &[NONCE, &"n".repeat(length)]).to_string());
    }
    // 45 characters, and 90 bytes.
    scenario.refuses(&body("audience", &[&"é".repeat(45)]).to_string());
    scenario
        .refuses(&json!({ "audience": "a", "nonces": NONCE, "token_type": "OIDC" }).to_string());
    scenario.refuses(&json!({ "audience": "a", "nonces": [1], "token_type": "OIDC" }).to_string());
}

#[test]
fn a_body_that_is_no_request_is_refused() {
    let scenario = Scenario::new();
    for body in [
        "",
        "{",
        "null",
        "[]",
        "\"token\"",
        "audience=a&token_type=OIDC",
        "{}",
    ] {
        scenario.refuses(body);
    }
    scenario.refuses(&format!("{} more", body("audience", &[NONCE])));
}

#[test]
fn the_limits_hold_without_the_socket_too() {
    let scenario = Scenario::new();
    let token = |audience: &str, nonces: &[&str]| {
        let request = TokenRequest::oidc(audience, nonces.iter().copied());
        scenario.machine.token(&request)
    };
    let made = Token::parse(&token("audience", &[NONCE]).unwrap());
    assert!(made.is_valid_under(&scenario.issuer.jwks()));
    assert!(token("", &[NONCE]).is_err());
    assert!(token(&"a".repeat(513), &[NONCE]).is_err());
    assert!(token("audience", &[NONCE; 7]).is_err());
    assert!(token("audience", &["short"]).is_err());
}

#[test]
fn another_method_or_path_is_refused() {
    let scenario = Scenario::new();
    let socket = scenario.machine.socket();
    let good = body("audience", &[NONCE]).to_string();
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        ask(socket, method, "/v1/token", &good).expect(400);
    }
    for path in [
        "/",
        "/v1",
        "/v1/token/",
        "/v1/tokens",
        "/v2/token",
        "/token",
    ] {
        ask(socket, "POST", path, &good).expect(404);
        ask(socket, "GET", path, "").expect(404);
    }
}

#[test]
fn a_request_without_a_host_is_refused() {
    let scenario = Scenario::new();
    let stream = unix(scenario.machine.socket()).unwrap();
    let answer = exchange(stream, "GET /v1/token HTTP/1.1\r\n\r\n").unwrap();
    answer.expect(400);
}

#[test]
fn one_connection_serves_many_requests() {
    let scenario = Scenario::new();
    let stream = unix(scenario.machine.socket()).unwrap();
    let good = request("POST", "/v1/token", &body("audience", &[NONCE]).to_string());
    for _ in 0..3 {
        exchange(&stream, &good).unwrap().expect(200);
    }
    assert_eq!(scenario.machine.requests(), 3);
}

#[test]
fn a_failing_service_answers_500_until_it_is_well() {
    let scenario = Scenario::new();
    scenario.machine.set_health(Health::Failing);
    scenario
        .post(&body("audience", &[NONCE]).to_string())
        .expect(500);
    ask(scenario.machine.socket(), "GET", "/v1/token", "").expect(500);
    scenario.machine.set_health(Health::Well);
    scenario.takes(&body("audience", &[NONCE]));
}

#[test]
fn a_stalled_service_answers_when_it_is_well() {
    let scenario = Scenario::new();
    scenario.machine.set_health(Health::Stalled);
    let stream = unix(scenario.machine.socket()).unwrap();
    let waiting =
        std::thread::spawn(move || exchange(stream, &request("GET", "/v1/token", "")).unwrap());
    scenario.machine.wait_for_requests(1);
    assert!(!waiting.is_finished());
    scenario.machine.set_health(Health::Well);
    waiting.join().unwrap().expect(200);
}

#[test]
fn a_slow_service_takes_its_time() {
    let scenario = Scenario::new();
    let time = Duration::from_millis(50);
    scenario.machine.set_health(Health::Slow(time));
    let asked = Instant::now();
    scenario.takes(&body("audience", &[NONCE]));
    assert!(asked.elapsed() >= time);
}

#[test]
fn a_service_that_hangs_up_answers_nothing() {
    let scenario = Scenario::new();
    scenario.machine.set_health(Health::HangingUp);
    // The connection may end before the request is written, or after.
    let answer = unix(scenario.machine.socket())
        .and_then(|stream| exchange(stream, &request("GET", "/v1/token", "")));
    assert!(answer.is_err(), "{answer:?}");
    scenario.machine.set_health(Health::Well);
    scenario.takes(&body("audience", &[NONCE]));
}

#[test]
fn a_dead_service_refuses_connections_and_cuts_those_that_it_had() {
    let scenario = Scenario::new();
    let mut old = unix(scenario.machine.socket()).unwrap();
    exchange(&old, &request("GET", "/v1/token", ""))
        .unwrap()
        .expect(200);
    scenario.machine.set_health(Health::Dead);
    assert_eq!(old.read(&mut [0]).unwrap(), 0);
    let refused = unix(scenario.machine.socket()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    // Without the socket it still makes tokens.
    let request = TokenRequest::oidc("audience", [NONCE]);
    assert!(scenario.machine.token(&request).is_ok());
    scenario.machine.set_health(Health::Well);
    scenario.takes(&body("audience", &[NONCE]));
}

#[test]
fn a_machine_that_is_dropped_leaves_no_socket() {
    let issuer = Issuer::start();
    // A socket's path is short: not in the folder that Bazel gives to a test.
    let folder = tempfile::tempdir().expect("the system's folder can be written to");
    let machine = Machine::start_in(&issuer, Profile::production(), folder.path());
    let socket = machine.socket().to_owned();
    assert_eq!(socket.parent(), Some(folder.path()));
    ask(&socket, "GET", "/v1/token", "").expect(200);
    drop(machine);
    let gone = unix(&socket).unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    // And can be started again.
    let machine = Machine::start_in(&issuer, Profile::production(), folder.path());
    ask(machine.socket(), "GET", "/v1/token", "").expect(200);
}

#[test]
fn it_serves_a_client_inside_a_runtime() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let scenario = Scenario::new();
        let mut stream = tokio::net::UnixStream::connect(scenario.machine.socket())
            .await
            .unwrap();
        let request = "GET /v1/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        scenario.machine.set_health(Health::Dead);
        drop(scenario);
    });
}

#[test]
fn two_hundred_machines_run_at_once() {
    let issuer = Issuer::start();
    let machines: Vec<_> = (0..200)
        .map(|_| Machine::start(&issuer, Profile::production()))
        .collect();
    let waiting: Vec<_> = machines
        .iter()
        .map(|machine| unix(machine.socket()).unwrap())
        .collect();
    for stream in &waiting {
        exchange(stream, &request("GET", "/v1/token", ""))
            .unwrap()
            .expect(200);
    }
}
