use crate::testing::{client_of, config, echo, echo_of};
use mcbn_dtls_endpoint::client::Error;
use mcbn_dtls_endpoint::client::send::send;
use mcbn_dtls_endpoint::client::settings::{Mode, SendConfig};
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_tunnel::udp;

fn saying(text: &str) -> SendConfig {
    let text = format!("--send={text}");
    match config(&["--server=192.0.2.1:1", &text]).mode {
        Mode::Send(config) => config,
        Mode::Listen(_) => panic!("it sends"),
    }
}

#[tokio::test]
async fn it_writes_the_answer() {
    let running = client_of(echo().await, &[]).await;
    let mut out = Vec::new();
    send(&running.client, &saying("question"), &mut out)
        .await
        .unwrap();
    assert_eq!(out, b"question");
    drop(running.client);
    assert!(running.witness.key_is_wiped());
}

#[tokio::test]
async fn a_datagram_that_no_packet_holds_is_refused() {
    let running = client_of(echo().await, &[]).await;
    let long = saying(&"x".repeat(1300));
    let outcome = send(&running.client, &long, &mut Vec::new()).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, Error::NotSent { .. }), "{error:?}");
    assert_eq!(error.exit(), Exit::Usage);
}

#[tokio::test]
async fn a_server_with_another_key_is_refused_by_its_exit_code_and_hint() {
    let server = echo_of("another").await;
    let client = client_of(server, &["--handshake-timeout=300ms"])
        .await
        .client;
    let outcome = send(&client, &saying("question"), &mut Vec::new()).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.hint().unwrap().contains("same shares"));
}

#[tokio::test]
async fn a_server_that_is_silent_is_unavailable() {
    let silent = udp::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let limits = ["--connect-timeout=300ms", "--handshake-timeout=200ms"];
    let client = client_of(silent.local_addr().unwrap(), &limits)
        .await
        .client;
    let outcome = send(&client, &saying("question"), &mut Vec::new()).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    assert_eq!(error.exit(), Exit::Unavailable);
    assert!(error.hint().is_none());
}
