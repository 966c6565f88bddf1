//! Answers that are whole, and those that are not.

use super::*;
use crate::service::{Certified, Service};

async fn answer(bytes: impl Into<Vec<u8>>) -> Result<Answer, Failure> {
    let service = Service::saying(bytes).await;
    service.asked_by(&Https::believing_nobody()).await
}

fn with_length(length: usize, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn in_chunks(chunks: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}")
}

#[tokio::test]
async fn an_answer_is_read_to_its_end() {
    for bytes in [
        with_length(7, "content"),
        in_chunks("3\r\ncon\r\n4\r\ntent\r\n0\r\n\r\n"),
        // As long as the connection.
        "HTTP/1.1 200 OK\r\n\r\ncontent".into(),
    ] {
        let answer = answer(&*bytes).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(*answer.body, b"content", "{bytes}");
    }
}

#[tokio::test]
async fn a_status_is_not_judged_here() {
    let bytes = "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno";
    let answer = answer(bytes).await.unwrap();
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(*answer.body, b"no");
}

#[tokio::test]
async fn the_service_is_told_which_one_is_meant() {
    let service = Service::answering(200, "").await;
    service.asked_by(&Https::believing_nobody()).await.unwrap();
    let authority = service.endpoint.as_str().replace("http://", "");
    let asked = service.asked().await;
    let expected = format!("GET /path HTTP/1.1\r\nhost: {authority}\r\n\r\n");
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn the_longest_answer_is_taken_into_the_room_that_it_has() {
    let body = "x".repeat(LONGEST);
    let answer = answer(with_length(LONGEST, &body)).await.unwrap();
    assert_eq!(*answer.body, body.as_bytes());
    assert_eq!(answer.body.capacity(), LONGEST);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_refused() {
    let body = "x".repeat(LONGEST + 1);
    let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", LONGEST + 1);
    for bytes in [with_length(LONGEST + 1, &body), in_chunks(&chunk)] {
        let refused = answer(bytes).await.err();
        assert_eq!(refused, Some(Failure::Corrupt(Corrupt::Form)));
    }
}

#[tokio::test]
async fn an_answer_that_ends_early_is_refused() {
    for bytes in [
        with_length(8, "content"),
        in_chunks("8\r\ncontent"),
        in_chunks("7\r\ncontent\r\n"),
        "HTTP/1.1 200 OK\r\ncontent-le".into(),
        String::new(),
    ] {
        let refused = answer(&*bytes).await.err();
        assert_eq!(refused, Some(away("the connection broke")), "{bytes}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    for bytes in ["SSH-2.0-x\r\n", "\x16\x03\x01\x00\x05hello"] {
        let refused = answer(bytes).await.err();
        assert_eq!(refused, Some(away("the connection broke")), "{bytes:?}");
    }
}

fn believing(certified: &Certified) -> Https {
    Https::believing(certified.roots(), None).unwrap()
}

const OVER_TLS: &str = "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\ncontent";

#[tokio::test]
async fn a_service_shows_a_certificate_that_is_believed() {
    let own = Certified::of("127.0.0.1");
    let service = Service::by(&own, OVER_TLS).await;
    let answer = service.asked_by(&believing(&own)).await.unwrap();
    assert_eq!(*answer.body, b"content");
}

/// Nothing is sent to a service that may be another.
async fn unbelieved(service: Service, https: &Https) {
    let refused = service.asked_by(https).await.err().unwrap();
    let said = refused.to_string();
    assert!(said.contains("invalid peer certificate: "), "{said}");
    assert_eq!(service.asked().await, "");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let own = Certified::of("127.0.0.2");
    unbelieved(Service::by(&own, OVER_TLS).await, &believing(&own)).await;
}

#[tokio::test]
async fn a_certificate_of_another_ca_is_refused() {
    let [own, other] = [(); 2].map(|()| Certified::of("127.0.0.1"));
    unbelieved(Service::by(&own, OVER_TLS).await, &believing(&other)).await;
    let nobody = Https::believing_nobody();
    unbelieved(Service::by(&own, OVER_TLS).await, &nobody).await;
}

#[test]
fn a_machine_without_certificates_is_refused() {
    let refused = Https::believing(RootCertStore::empty(), None).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "there are no certificates of public CAs here"
    );
}

#[test]
fn how_names_are_looked_up_is_found_out_once() {
    let server = SocketAddr::from(([127, 0, 0, 1], 53));
    let https = Https::with(RootCertStore::empty(), Some(server));
    let [address, name] = ["127.0.0.1:443", "sts.example:443"].map(|text| text.parse().unwrap());
    assert!(https.names_for(&[address]).unwrap().is_none());
    assert!(https.names.get().is_none());
    assert!(https.names_for(&[name]).unwrap().is_some());
    // Of its clones, too.
    assert!(https.clone().names.get().is_some());
}
