use super::*;
use crate::config::PROGRAM;
use crate::testing::config;
use mcbn_mtls::{MtlsStream, Witness};
use mcbn_runtime::admin::Admin;
use mcbn_runtime::shutdown::Shutdown;
use mcbn_tunnel::accept::accept;
use mcbn_tunnel::metrics::Metrics;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything here takes, so that a test that goes wrong ends.
const SOON: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    metrics: Metrics,
    cut: oneshot::Sender<()>,
    witness: Witness,
    task: JoinHandle<Option<()>>,
}

async fn opened(more: &[&str]) -> (Server<Acceptor>, Process) {
    let (_, shutdown) = Shutdown::manual();
    let admin = Admin::new(&PROGRAM);
    let process = Process { shutdown, admin };
    let config = config(&[&["--role=server", "--listen=127.0.0.1:0"], more].concat());
    let (key, _) = config.key.make(None, &process.admin).await.unwrap();
    let Work::Server {
        server,
        certificate,
    } = config.work
    else {
        panic!("it is a server");
    };
    (open(server, certificate, key, &process).unwrap(), process)
}

async fn start(more: &[&str]) -> Running {
    let (server, process) = opened(more).await;
    let witness = server.service.handshake().witness();
    let (cut, is_cut) = oneshot::channel();
    let is_cut = async { is_cut.await.expect("the test cuts or keeps it") };
    Running {
        address: server.address,
        metrics: server.service.metrics.clone(),
        cut,
        witness,
        task: tokio::spawn(server.run(process.shutdown, is_cut)),
    }
}

impl Running {
    async fn connect(&self) -> MtlsStream<TcpStream> {
        let config = config(&["--role=client", "--server=192.0.2.1:1", "--get=/"]);
        let (key, _) = config.key.make(None, &Admin::new(&PROGRAM)).await.unwrap();
        let Work::Client { certificate, .. } = config.work else {
            panic!("it is a client");
        };
        let (credentials, checks) = credentials(&key, certificate).unwrap();
        let connector = Connector::new(credentials, checks).unwrap();
        let plain = TcpStream::connect(self.address).await.unwrap();
        connector.connect(plain).await.unwrap()
    }

    /// Waits until the metrics have this line.
    async fn comes_to_show(&self, line: &str) {
        let mut registry = Registry::default();
        self.metrics.register(&mut registry);
        let mut text = String::new();
        let shown = timeout(SOON, async {
            loop {
                text.clear();
                encode(&mut text, &registry).unwrap();
                if text.lines().any(|shown| shown == line) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        });
        assert!(shown.await.is_ok(), "never {line}");
    }
}

async fn rest_of(stream: &mut (impl AsyncReadExt + Unpin)) -> io::Result<String> {
    let mut all = String::new();
    timeout(SOON, stream.read_to_string(&mut all))
        .await
        .expect("an end")?;
    Ok(all)
}

async fn service() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let forward = format!("--forward={}", listener.local_addr().unwrap());
    (listener, forward)
}

#[tokio::test]
async fn it_answers_ok_itself() {
    let running = start(&[]).await;
    let mut stream = running.connect().await;
    let request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let answer = rest_of(&mut stream).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
}

#[tokio::test]
async fn a_cut_closes_every_connection_at_once_and_wipes_the_key() {
    let (service, forward) = service().await;
    let running = start(&[&forward]).await;
    let mut near = running.connect().await;
    let (mut far, _) = service.accept().await.unwrap();
    near.write_all(b"x").await.unwrap();
    far.read_exact(&mut [0]).await.unwrap();
    let mut stranger = TcpStream::connect(running.address).await.unwrap();
    running.comes_to_show("connections_active 2").await;

    assert!(!running.witness.key_is_wiped());
    running.cut.send(()).unwrap();
    let cut = timeout(SOON, running.task).await.expect("it ends");
    assert_eq!(cut.unwrap(), Some(()));
    assert!(running.witness.key_is_wiped());
    // Nothing looks as if it had ended in order.
    let error = rest_of(&mut near).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    let error = rest_of(&mut far).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(rest_of(&mut stranger).await.unwrap(), "");
}

#[tokio::test]
async fn a_stranger_that_says_nothing_is_closed_at_the_deadline() {
    let running = start(&["--handshake-timeout=200ms"]).await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    assert_eq!(rest_of(&mut silent).await.unwrap(), "");
    running
        .comes_to_show(r#"handshakes_total{outcome="deadline"} 1"#)
        .await;
}

#[tokio::test]
async fn a_connection_needs_little_room() {
    let (server, process) = opened(&["--forward=127.0.0.1:1"]).await;
    let metrics = server.service.metrics.clone();
    let (done, is_done) = oneshot::channel();
    let mut done = Some(done);
    let _stream = TcpStream::connect(server.address).await.unwrap();
    let serve = |stream, peer, place| {
        let connection = Arc::clone(&server.service).serve(stream, peer, place);
        let size = size_of_val(&connection);
        assert!(size <= 1024, "{size} bytes for each connection");
        done.take().expect("one connection").send(()).unwrap();
        connection
    };
    let is_done = async { is_done.await.unwrap() };
    accept(
        server.listener,
        server.slots,
        metrics,
        process.shutdown,
        is_done,
        serve,
    )
    .await;
}

#[tokio::test]
async fn each_algorithm_and_size_makes_a_key_of_its_own() {
    let mut hashes = std::collections::HashSet::new();
    for algorithm in ["chacha20-v1", "hash-drbg-sha256", "provable-fips186"] {
        let algorithm = format!("--algorithm={algorithm}");
        let config = config(&["--csr=-", &algorithm]);
        let (key, _) = config.key.make(None, &Admin::new(&PROGRAM)).await.unwrap();
        assert!(hashes.insert(key.spki_sha256().0));
        // What TLS needs of it.
        own(&key).unwrap();
    }
}
