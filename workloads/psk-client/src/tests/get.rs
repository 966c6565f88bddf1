use crate::testing::{Error, SOON, Servers, client_of};
use mcbn_endpoint::client::get::get;
use mcbn_psk::HandshakeError;
use mcbn_psk::PeerFault;
use mcbn_runtime::exit::{Exit, Failure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// What the client writes, and how it ends, when a server answers so.
async fn answered(answer: &[u8], end: bool) -> (String, Result<(), Error>) {
    let mut servers = Servers::start().await;
    let server = client_of(&[&servers.address()], &["--idle-timeout=500ms"])
        .await
        .client;
    let serve = async {
        let mut stream = servers.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer).await.unwrap();
        if end {
            stream.shutdown().await.unwrap();
        }
        (head, stream)
    };
    let mut out = Vec::new();
    let path = "/a?b=c".parse().unwrap();
    let get = timeout(SOON, get(&server, &path, &mut out));
    let (outcome, (head, stream)) = tokio::join!(get, serve);
    drop(stream);
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{head}");
    (String::from_utf8(out).unwrap(), outcome.expect("an end"))
}

#[tokio::test]
async fn the_body_is_written_and_nothing_else() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n"[..],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n2\r\nk\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok\n",
        b"HTTP/1.0 200 OK\r\n\r\nok\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n",
    ] {
        let (out, outcome) = answered(answer, true).await;
        outcome.unwrap();
        assert_eq!(out, "ok\n");
    }
}

#[tokio::test]
async fn another_status_is_an_error_and_its_body_is_still_written() {
    for (status, exit) in [
        (404, Exit::Refused),
        (302, Exit::Refused),
        (503, Exit::Unavailable),
    ] {
        let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 4\r\n\r\nwhy\n");
        let (out, outcome) = answered(answer.as_bytes(), true).await;
        assert_eq!(out, "why\n");
        assert_eq!(outcome.unwrap_err().exit(), exit, "{status}");
    }
}

#[tokio::test]
async fn half_an_answer_is_an_error() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok\n"[..],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nok\n\r\n",
        b"HTTP/1.1 200 OK\r\ncont",
        b"",
    ] {
        let (_, outcome) = answered(answer, true).await;
        assert!(matches!(outcome, Err(Error::Http(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn an_answer_that_stalls_is_an_error() {
    for answer in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok\n",
    ] {
        let (_, outcome) = answered(answer, false).await;
        assert!(matches!(outcome, Err(Error::Idle)), "{outcome:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_refused() {
    let (out, outcome) = answered(b"SSH-2.0-OpenSSH_9.2\r\n", true).await;
    assert_eq!(out, "");
    assert_eq!(outcome.unwrap_err().exit(), Exit::Io);
}

#[tokio::test]
async fn a_server_with_another_key_is_refused_by_its_exit_code_and_hint() {
    let mut servers = Servers::with_another_key().await;
    let server = client_of(&[&servers.address()], &[]).await.client;
    let (path, mut out) = ("/".parse().unwrap(), Vec::new());
    let (outcome, accepted) = tokio::join!(get(&server, &path, &mut out), servers.accept());
    let error = outcome.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.hint().unwrap().contains("same shares"));
    let accepted = accepted.unwrap_err();
    assert!(matches!(
        accepted,
        HandshakeError::Peer(PeerFault::WrongKey)
    ));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let closed = Servers::closed().await;
    let server = client_of(&[&closed], &["--connect-timeout=200ms"])
        .await
        .client;
    let path = "/".parse().unwrap();
    let error = get(&server, &path, &mut Vec::new()).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unavailable);
    assert!(error.hint().is_none());
}

#[tokio::test]
async fn a_server_that_is_silent_is_unavailable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = listener.local_addr().unwrap().to_string();
    let limits = ["--connect-timeout=300ms", "--handshake-timeout=200ms"];
    let server = client_of(&[&silent], &limits).await.client;
    let path = "/".parse().unwrap();
    let error = get(&server, &path, &mut Vec::new()).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unavailable);
}
