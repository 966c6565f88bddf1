//! The client against a socket that is as strict as the launcher's.

mod service;

use mcbn_launcher::{Error, Launcher, Malformed, Request, Token, TokenType};
use service::{Answer, LONG, Service, TOKEN, wait_until_gone};
use std::error::Error as _;
use std::time::Duration;

fn request(token_type: TokenType) -> Request {
    let nonces = ["first-nonce", "second-nonce"].map(|nonce| nonce.parse().unwrap());
    Request::new("mcbn/v1/release/x".parse().unwrap(), nonces, token_type).unwrap()
}

async fn custom(answer: Answer) -> Result<Token, Error> {
    let service = Service::start(answer).await;
    service
        .launcher()
        .custom_token(&request(TokenType::Oidc))
        .await
}

#[tokio::test]
async fn a_custom_token_is_asked_for_as_the_service_wants_it() {
    for token_type in [TokenType::Oidc, TokenType::Pki] {
        let mut service = Service::start(Answer::AsTheRealOne).await;
        let token = service.launcher().custom_token(&request(token_type)).await;
        assert_eq!(token.unwrap().as_str(), TOKEN);
        let (line, body) = service.asked().await;
        assert_eq!(line, "POST /v1/token");
        assert_eq!(
            body,
            format!(
                r#"{{"audience":"mcbn/v1/release/x","nonces":["first-nonce","second-nonce"],"token_type":"{}"}}"#,
                token_type.name()
            )
        );
    }
}

#[tokio::test]
async fn the_default_token_is_asked_for_without_a_body() {
    let mut service = Service::start(Answer::AsTheRealOne).await;
    let token = service.launcher().default_token().await.unwrap();
    assert_eq!(token.as_str(), TOKEN);
    assert_eq!(service.asked().await, ("GET /v1/token".into(), "".into()));
}

#[tokio::test]
async fn a_refusal_is_this_sides_fault() {
    let error = custom(Answer::Status(400, "failed to parse\nbody"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Refused(_)));
    assert_eq!(
        error.to_string(),
        "the token service refuses the request: failed to parse body"
    );
}

#[tokio::test]
async fn a_failure_is_the_platforms_fault() {
    let error = custom(Answer::Status(500, "no quota")).await.unwrap_err();
    assert!(matches!(error, Error::Failed(status, _) if status == 500));
    assert_eq!(
        error.to_string(),
        "the token service answered 500: no quota"
    );
    let error = custom(Answer::Status(302, "")).await.unwrap_err();
    assert!(matches!(error, Error::Failed(..)));
}

#[tokio::test]
async fn an_answer_that_is_no_token_is_refused() {
    for text in ["", "not a token", r#"{"token":"AA.AA.AA"}"#] {
        let error = custom(Answer::Status(200, text)).await.unwrap_err();
        assert!(
            matches!(error, Error::Malformed(Malformed::NotAToken)),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn an_endless_answer_is_refused() {
    let error = custom(Answer::Endless).await.unwrap_err();
    assert!(
        matches!(error, Error::Malformed(Malformed::TooLong)),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_token() {
    for answer in [Answer::Cut, Answer::Nothing] {
        let error = custom(answer).await.unwrap_err();
        assert!(matches!(error, Error::Broken(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_said_to_be_absent() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("none.sock");
    let launcher = Launcher::at(&socket, LONG);
    let error = launcher.default_token().await.unwrap_err();
    assert!(matches!(error, Error::Absent(_)));
    assert!(error.source().is_some());

    // A socket whose service has gone.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let error = launcher.default_token().await.unwrap_err();
    assert!(matches!(error, Error::Absent(_)), "{error:?}");
}

#[tokio::test]
async fn a_service_that_never_answers_meets_the_deadline() {
    let service = Service::start(Answer::Never).await;
    let launcher = Launcher::at(service.socket(), Duration::from_millis(20));
    let error = launcher.default_token().await.unwrap_err();
    assert!(matches!(error, Error::Slow), "{error:?}");
    // Nothing of the exchange is left behind.
    wait_until_gone(service).await;
}
