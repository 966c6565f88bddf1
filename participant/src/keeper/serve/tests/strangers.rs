//! Whoever can reach the port and is not vouched for.

use super::*;
use mcbn_consent::message::LARGEST_BODY;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

#[tokio::test]
async fn anything_but_tls_1_3_is_refused() {
    let running = start().await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    // A ClientHello of TLS 1.2 with ECDHE suites, and without supported_versions.
    let mut hello = vec![3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0, 4, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0]);
    let mut extensions = vec![0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0];
    extensions.extend([0, 13, 0, 6, 0, 4, 4, 3, 8, 4]);
    hello.extend((extensions.len() as u16).to_be_bytes());
    hello.extend(extensions);
    let mut record = vec![22, 3, 1];
    record.extend((hello.len() as u16 + 4).to_be_bytes());
    record.extend([1, 0]);
    record.extend((hello.len() as u16).to_be_bytes());
    record.extend(hello);
    stream.write_all(&record).await.unwrap();
    let mut answer = Vec::new();
    let read = timeout(SOON, stream.read_to_end(&mut answer));
    read.await.expect("an end").unwrap();
    // A fatal alert: protocol_version.
    assert_eq!(answer, [21, 3, 3, 0, 2, 2, 70]);
}

#[tokio::test]
async fn another_application_protocol_is_refused() {
    let running = start().await;
    let mut config = client::config(running.pin);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let refused = Client::connect_with(&connector, running.address).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn no_connection_is_carried_over_into_another() {
    let running = start().await;
    // Two connections with one memory for tickets.
    let connector = TlsConnector::from(Arc::new(client::config(running.pin)));
    for _ in 0..2 {
        let mut client = Client::connect_with(&connector, running.address)
            .await
            .unwrap();
        // Tickets would come before the answer.
        client.challenge(running.keeper.terms.manifest).await;
        let kind = client.stream.get_ref().1.handshake_kind();
        assert_eq!(kind, Some(rustls::HandshakeKind::Full));
        assert_eq!(client.stream.get_ref().1.tls13_tickets_received(), 0);
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let running = start().await;
    // By its announcement, without being read.
    let mut client = running.connect().await;
    let head = format!(
        "POST /v1/release HTTP/1.1\r\nContent-Length: {}\r\n\r\n",
        LARGEST_BODY + 1
    );
    client.send(head.as_bytes()).await;
    let answer = client.answer().await.unwrap();
    assert_eq!(answer.refusal(), "request too-large");
    // And by its length, where nothing is announced.
    let mut client = running.connect().await;
    client
        .send(b"POST /v1/release HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    for _ in 0..=LARGEST_BODY / 0x1000 {
        client.send(chunk.as_bytes()).await;
    }
    let answer = client.answer().await.unwrap();
    assert_eq!(answer.refusal(), "request too-large");
    assert_eq!(running.end().await.log(), ["2 request too-large"]);
}

#[tokio::test]
async fn the_largest_body_is_read() {
    let running = start().await;
    let mut client = running.connect().await;
    let mut body = br#"{"token":"x"}"#.to_vec();
    body.resize(LARGEST_BODY, b' ');
    let answer = client.post("/v1/release", &body).await;
    assert_eq!(answer.refusal(), "token no-challenge");
}

#[tokio::test]
async fn a_field_that_nobody_knows_is_refused() {
    let running = start().await;
    for (path, body) in [
        (
            "/v1/challenge",
            r#"{"manifest":"0101010101010101010101010101010101010101010101010101010101010101","x":1}"#,
        ),
        ("/v1/release", r#"{"token":"x","nonces":[]}"#),
        (
            "/v1/renew",
            r#"{"token":"x","lease":"AAECAwQFBgcICQoLDA0ODw","seconds":1000000}"#,
        ),
    ] {
        let mut client = running.connect().await;
        let answer = client.post(path, body.as_bytes()).await;
        assert_eq!(answer.refusal(), "request not-a-message", "{body}");
    }
    assert_eq!(running.end().await.log(), ["3 request not-a-message"]);
}

#[tokio::test]
async fn any_other_request_is_refused() {
    let running = start().await;
    for (request, refusal) in [
        ("GET /v1/release HTTP/1.1\r\n\r\n", "request method"),
        ("GET / HTTP/1.1\r\n\r\n", "request path"),
        (
            "POST /v1/ HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
            "request path",
        ),
        (
            "POST /v1/release/ HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
            "request path",
        ),
    ] {
        let mut client = running.connect().await;
        client.send(request.as_bytes()).await;
        let answer = client.answer().await.unwrap();
        assert_eq!(answer.refusal(), refusal, "{request}");
    }
    assert_eq!(running.end().await.log().len(), 2);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let running = start().await;
    let mut client = running.connect().await;
    let head = format!(
        "POST /v1/release HTTP/1.1\r\nX: {}\r\n\r\n",
        "x".repeat(HEAD_BYTES)
    );
    client.send(head.as_bytes()).await;
    let mut rest = Vec::new();
    let _ = timeout(SOON, client.stream.read_to_end(&mut rest))
        .await
        .expect("an end");
    assert!(
        rest.starts_with(b"HTTP/1.1 431 "),
        "{}",
        String::from_utf8_lossy(&rest)
    );
}

/// Lets time pass for the keeper, and no more than that: while it is paused, nothing is waited for.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_head_that_does_not_come_whole_is_waited_for_so_long() {
    let running = start().await;
    let mut client = running.connect().await;
    client.send(b"POST /v1/challenge HTTP/1.1\r\n").await;
    running.has_read(&client).await;
    pass(FIRST).await;
    running
        .comes_to_show(r#"connections_ended_total{reason="deadline"} 1"#)
        .await;
    assert!(client.is_closed().await);
    running.comes_to_show("connections_active 0").await;
}

#[tokio::test]
async fn a_body_that_does_not_come_whole_is_waited_for_so_long() {
    let running = start().await;
    let mut client = running.connect().await;
    client
        .send(b"POST /v1/challenge HTTP/1.1\r\nContent-Length: 80\r\n\r\n{")
        .await;
    running.has_read(&client).await;
    pass(Duration::from_secs(10)).await;
    running
        .comes_to_show(r#"connections_ended_total{reason="deadline"} 1"#)
        .await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_challenge_that_nobody_answers_is_forgotten() {
    let running = start().await;
    let mut client = running.connect().await;
    client.challenge(running.keeper.terms.manifest).await;
    pass(Duration::from_secs(70)).await;
    running
        .comes_to_show(r#"connections_ended_total{reason="deadline"} 1"#)
        .await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_silent_stranger_is_closed_at_the_handshake_deadline() {
    let running = start().await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    running.comes_to_show("connections_active 1").await;
    pass(HANDSHAKE).await;
    running
        .comes_to_show(r#"handshakes_total{outcome="deadline"} 1"#)
        .await;
    assert!(matches!(silent.read(&mut [0]).await, Ok(0)));
}

#[tokio::test]
async fn one_address_cannot_take_every_place() {
    let limits = Limits {
        connections_of_a_peer: NonZeroUsize::MIN,
        ..LIMITS
    };
    let running = start_with(With {
        limits,
        ..With::default()
    })
    .await;
    let _first = running.connect().await;
    let mut second = TcpStream::connect(running.address).await.unwrap();
    assert!(matches!(second.read(&mut [0]).await, Ok(0)));
    running
        .comes_to_show(r#"connections_refused_total{reason="peer_limit"} 1"#)
        .await;
}

#[tokio::test]
async fn tokens_of_one_address_are_verified_at_a_rate() {
    let limits = Limits {
        tokens: NonZeroU32::new(3).unwrap(),
        ..LIMITS
    };
    let running = start_with(With {
        limits,
        ..With::default()
    })
    .await;
    for _ in 0..3 {
        running.release("i").await.released();
    }
    let answer = running.release("i").await;
    assert_eq!(answer.refusal(), "busy too-many-from-this-address");
    assert!((1..=20).contains(&answer.retry.unwrap()));
    pass(Duration::from_secs(20)).await;
    running.release("i").await.released();
}

#[tokio::test]
async fn so_many_tokens_are_verified_at_one_time() {
    let limits = Limits {
        verifications: NonZeroUsize::MIN,
        ..LIMITS
    };
    let running = start_with(With {
        limits,
        ..With::default()
    })
    .await;
    let turn = Arc::clone(&running.keeper.verifications);
    let turn = turn.acquire_owned().await.unwrap();
    let mut client = running.connect().await;
    let token = running.token(&mut client, "i").await;
    client.ask_later(&token).await;
    running.has_read(&client).await;
    pass(Duration::from_secs(5)).await;
    let answer = client.answer().await.unwrap();
    assert_eq!(answer.refusal(), "busy too-many-at-one-time");
    drop(turn);
    running.release("i").await.released();
}

#[tokio::test]
async fn a_flood_of_bad_requests_leaves_a_few_entries() {
    const FLOOD: usize = 1000;
    let running = start().await;
    for n in 0..FLOOD {
        let (path, body) = match n % 4 {
            0 => ("/v1/release", r#"{"token":"x"}"#),
            1 => ("/v1/challenge", r#"{"manifest":"00"}"#),
            2 => ("/", ""),
            _ => (
                "/v1/renew",
                r#"{"token":"x","lease":"AAECAwQFBgcICQoLDA0ODw"}"#,
            ),
        };
        let mut client = running.connect().await;
        let answer = client.post(path, body.as_bytes()).await;
        assert!(answer.status >= 400);
    }
    running.comes_to_show("connections_active 0").await;
    let log = running.end().await.log();
    let count = |line: &String| line.split(' ').next().unwrap().parse::<usize>().unwrap();
    assert_eq!(log.iter().map(count).sum::<usize>(), FLOOD);
    // Three reasons, in one minute or in two.
    assert!(log.len() <= 2 * 3, "{log:?}");
}

#[tokio::test]
async fn an_end_lets_an_answer_finish() {
    let running = start().await;
    let mut client = running.connect().await;
    let token = running.token(&mut client, "i").await;
    running.trigger.drain();
    client.release(&token).await.released();
    timeout(SOON, running.task).await.expect("it ends").unwrap();
}
