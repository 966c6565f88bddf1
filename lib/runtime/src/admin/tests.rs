use super::*;
use crate::shutdown::Trigger;
use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

static PROGRAM: Program = Program::new("psk-server", "1.2.3", "…", &[], &[]);

struct Port {
    admin: Admin,
    address: SocketAddr,
    trigger: Trigger,
}

async fn open() -> Port {
    let (trigger, shutdown) = Shutdown::manual();
    let admin = Admin::new(&PROGRAM);
    let address = "127.0.0.1:0".parse().unwrap();
    let address = admin.listen(address, shutdown).await.unwrap();
    Port {
        admin,
        address,
        trigger,
    }
}

impl Port {
    async fn ask(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

#[test]
fn loopback_addresses_are_taken() {
    for text in ["127.0.0.1:9000", "127.9.9.9:1", "[::1]:9000"] {
        text.parse::<Loopback>().unwrap();
    }
}

#[test]
fn an_address_that_others_reach_is_refused() {
    for text in [
        "0.0.0.0:9000",
        "[::]:9000",
        "192.0.2.1:9000",
        "[::ffff:192.0.2.1]:1",
    ] {
        assert_eq!(
            text.parse::<Loopback>(),
            Err(NotLoopback::Reachable),
            "{text}"
        );
    }
    assert!(matches!(
        "localhost:1".parse::<Loopback>(),
        Err(NotLoopback::Form(_))
    ));
}

#[tokio::test]
async fn liveness_and_readiness_are_told_apart() {
    let port = open().await;
    assert!(port.ask("/healthz").await.starts_with("HTTP/1.1 200 "));
    assert!(port.ask("/readyz").await.starts_with("HTTP/1.1 503 "));

    port.admin.set_ready(true);
    assert!(port.ask("/readyz").await.starts_with("HTTP/1.1 200 "));

    port.trigger.drain();
    let answer = port.ask("/readyz").await;
    assert!(answer.ends_with("\r\n\r\ndraining\n"), "{answer}");
    assert!(port.ask("/healthz").await.starts_with("HTTP/1.1 200 "));
}

/// What is said of readiness, and whether it is.
async fn readiness(port: &Port) -> (bool, String) {
    let answer = port.ask("/readyz").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let is_ready = head.starts_with("HTTP/1.1 200 ");
    assert!(is_ready || head.starts_with("HTTP/1.1 503 "), "{head}");
    (is_ready, body.into())
}

#[tokio::test]
async fn a_program_is_ready_only_while_every_condition_holds() {
    let port = open().await;
    port.admin.set_ready(true);
    assert_eq!(readiness(&port).await, (true, "ready\n".into()));

    let (tpm, clock) = (port.admin.condition("tpm"), port.admin.condition("clock"));
    let expect = async |ready, body: &str| {
        assert_eq!(readiness(&port).await, (ready, format!("{body}\n")));
    };
    expect(false, "not ready: tpm, clock").await;
    tpm.clone().set(true);
    expect(false, "not ready: clock").await;
    clock.set(true);
    expect(true, "ready").await;
    port.admin.set_ready(false);
    expect(false, "not ready").await;
    tpm.set(false);
    expect(false, "not ready: tpm").await;
    port.admin.set_ready(true);
    expect(false, "not ready: tpm").await;
    tpm.set(true);
    expect(true, "ready").await;

    port.trigger.drain();
    expect(false, "draining").await;
}

#[tokio::test]
async fn a_condition_that_nobody_can_set_any_more_is_still_needed() {
    let port = open().await;
    port.admin.set_ready(true);
    drop(port.admin.condition("tpm"));
    assert_eq!(readiness(&port).await, (false, "not ready: tpm\n".into()));
}

#[tokio::test]
async fn metrics_are_shown_as_they_are_now() {
    let port = open().await;
    let refused = Counter::<u64>::default();
    port.admin.register(|registry| {
        registry.register("refused", "Handshakes that failed", refused.clone());
    });
    refused.inc_by(7);
    let answer = port.ask("/metrics").await;
    assert!(
        answer.contains("content-type: application/openmetrics-text; version=1.0.0"),
        "{answer}"
    );
    assert!(answer.contains("\nmcbn_refused_total 7\n"), "{answer}");
    assert!(
        answer.contains("\nmcbn_build_info{program=\"psk-server\",version=\"1.2.3\"} 1\n"),
        "{answer}"
    );
    assert!(answer.ends_with("# EOF\n"), "{answer}");
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    assert!(open().await.ask("/").await.starts_with("HTTP/1.1 404 "));
}

/// Sends a request and reads all of its answer, which ends in "ok\n".
async fn ask_and_keep(stream: &mut TcpStream) {
    let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nok\n") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn one_connection_too_many_waits_for_its_turn() {
    let port = open().await;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(port.address).await.unwrap();
        ask_and_keep(&mut stream).await;
        held.push(stream);
    }
    let mut waiting = TcpStream::connect(port.address).await.unwrap();
    let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    waiting.write_all(request).await.unwrap();
    // Each answer to another peer was a turn in which the server could have answered this one.
    for stream in &mut held {
        ask_and_keep(stream).await;
    }
    let early = waiting.try_read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(early, Err(io::ErrorKind::WouldBlock));

    held.pop();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}
