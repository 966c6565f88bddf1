use super::*;
use crate::shutdown::{Shutdown, Trigger};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;

const LIMITS: Limits = Limits {
    head: Duration::from_secs(10),
    connection: Duration::from_secs(60),
};

struct Peer {
    stream: DuplexStream,
    server: JoinHandle<Result<(), Ended>>,
    trigger: Trigger,
}

fn connect() -> Peer {
    let (stream, served) = duplex(64 * 1024);
    let (trigger, shutdown) = Shutdown::manual();
    let server = tokio::spawn(async move {
        let answer = |request: &Request| {
            route(request, |path| {
                (path == "/").then(|| text(StatusCode::OK, "ok\n"))
            })
        };
        serve(served, LIMITS, shutdown.draining(), answer).await
    });
    Peer {
        stream,
        server,
        trigger,
    }
}

impl Peer {
    async fn send(&mut self, request: &str) {
        self.stream.write_all(request.as_bytes()).await.unwrap();
    }

    /// One answer with its body, which ends in a line feed.
    async fn answer(&mut self) -> String {
        let mut answer = Vec::new();
        while !(answer.ends_with(b"\n") && answer.windows(4).any(|w| w == b"\r\n\r\n"))
            || answer.ends_with(b"\r\n\r\n")
        {
            let read = self.stream.read_buf(&mut answer).await.unwrap();
            assert_ne!(read, 0, "{}", String::from_utf8_lossy(&answer));
        }
        String::from_utf8(answer).unwrap()
    }

    async fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.stream.read_to_string(&mut rest).await.unwrap();
        rest
    }
}

#[tokio::test(start_paused = true)]
async fn requests_on_one_connection_are_answered_in_turn() {
    let mut peer = connect();
    for _ in 0..3 {
        peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let answer = peer.answer().await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_stops_sending_is_still_answered() {
    let mut peer = connect();
    peer.send("GET / HTTP/1.0\r\n\r\n").await;
    peer.stream.shutdown().await.unwrap();
    assert!(peer.rest().await.ends_with("\r\n\r\nok\n"));
    peer.server.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn another_path_is_not_found() {
    let mut peer = connect();
    peer.send("GET /else HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(peer.answer().await.starts_with("HTTP/1.1 404 "));
}

#[tokio::test(start_paused = true)]
async fn another_method_is_refused() {
    let mut peer = connect();
    peer.send("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let answer = peer.rest().await;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    assert!(answer.contains("allow: GET, HEAD\r\n"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_request_with_a_body_is_refused() {
    for body in [
        "Content-Length: 4\r\n\r\nbody",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    ] {
        let mut peer = connect();
        peer.send(&format!("GET / HTTP/1.1\r\nHost: x\r\n{body}"))
            .await;
        let answer = peer.rest().await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_endless_head_is_refused() {
    let mut peer = connect();
    peer.send("GET / HTTP/1.1\r\nHost: x\r\nX: ").await;
    peer.send(&"x".repeat(2 * HEAD_BYTES)).await;
    let answer = peer.rest().await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert!(matches!(
        peer.server.await.unwrap(),
        Err(Ended::Protocol(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn something_else_than_http_is_refused() {
    let mut peer = connect();
    peer.send("\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03")
        .await;
    assert!(peer.rest().await.starts_with("HTTP/1.1 400 "));
    assert!(matches!(
        peer.server.await.unwrap(),
        Err(Ended::Protocol(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_meets_its_deadline() {
    let mut peer = connect();
    let start = tokio::time::Instant::now();
    peer.send("GET / HTTP/1.1\r\nHost:").await;
    assert_eq!(peer.rest().await, "");
    assert_eq!(start.elapsed().as_secs(), LIMITS.head.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_meets_the_same_deadline_before_and_between_requests() {
    let mut peer = connect();
    let start = tokio::time::Instant::now();
    assert_eq!(peer.rest().await, "");
    assert_eq!(start.elapsed().as_secs(), LIMITS.head.as_secs());

    let mut peer = connect();
    peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    peer.answer().await;
    let start = tokio::time::Instant::now();
    assert_eq!(peer.rest().await, "");
    assert_eq!(start.elapsed().as_secs(), LIMITS.head.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_busy_connection_meets_its_own_deadline() {
    let mut peer = connect();
    let start = tokio::time::Instant::now();
    let ended = loop {
        peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        peer.answer().await;
        tokio::time::sleep(Duration::from_secs(7)).await;
        if peer.server.is_finished() {
            break peer.server.await.unwrap();
        }
    };
    assert!(matches!(ended, Err(Ended::Deadline)));
    assert_eq!(start.elapsed().as_secs(), 63);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_when_told_to_stop() {
    let mut peer = connect();
    peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    peer.answer().await;
    peer.trigger.drain();
    assert_eq!(peer.rest().await, "");
    peer.server.await.unwrap().unwrap();
}
