use super::*;
use crate::config::PROGRAM;
use mcbn_psk::{Connector, PskStream, Witness};
use mcbn_runtime::admin::Admin;
use mcbn_runtime::shutdown::{Shutdown, Trigger};
use mcbn_tunnel::accept::accept;
use mcbn_tunnel::metrics::Metrics;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::fd::IntoRawFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const SHARE: &str = "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90";

/// Longer than anything here takes, so that a test that goes wrong ends.
const SOON: Duration = Duration::from_secs(20);

fn config(more: &[&str]) -> Config {
    let (share, mut writer) = io::pipe().unwrap();
    writer.write_all(SHARE.as_bytes()).unwrap();
    let share = format!("--share=alice=fd:{}", share.into_raw_fd());
    let arguments = [&[share.as_str(), "--listen=127.0.0.1:0"][..], more].concat();
    PROGRAM.own_config(&arguments, Config::read).unwrap()
}

struct Running {
    address: SocketAddr,
    metrics: Metrics,
    trigger: Trigger,
    cut: oneshot::Sender<()>,
    witness: Witness,
    task: JoinHandle<Option<()>>,
}

async fn start(more: &[&str]) -> Running {
    let (trigger, shutdown) = Shutdown::manual();
    let admin = Admin::new(&PROGRAM);
    let process = Process { shutdown, admin };
    let (server, _) = open(config(more), &process).await.unwrap();
    let witness = server.service.handshake().witness();
    let (cut, is_cut) = oneshot::channel();
    let is_cut = async { is_cut.await.expect("the test cuts or keeps it") };
    Running {
        address: server.address,
        metrics: server.service.metrics.clone(),
        trigger,
        cut,
        witness,
        task: tokio::spawn(server.run(process.shutdown, is_cut)),
    }
}

impl Running {
    async fn plain(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn connect(&self) -> PskStream<TcpStream> {
        let config = config(&[]);
        let (key, _) = config.key.make(None, &Admin::new(&PROGRAM)).await.unwrap();
        let identity = config.key.identity().clone();
        let connector = Connector::new(identity, key, config.key.versions()).unwrap();
        connector.connect(self.plain().await).await.unwrap()
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

async fn service() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let forward = format!("--forward={}", listener.local_addr().unwrap());
    (listener, forward)
}

async fn rest_of(stream: &mut (impl AsyncReadExt + Unpin)) -> io::Result<String> {
    let mut all = String::new();
    timeout(SOON, stream.read_to_string(&mut all))
        .await
        .expect("an end")?;
    Ok(all)
}

async fn asked(running: &Running, request: &str) -> String {
    let mut stream = running.connect().await;
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    rest_of(&mut stream).await.unwrap()
}

#[tokio::test]
async fn it_answers_ok_itself() {
    let running = start(&[]).await;
    let answer = asked(&running, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
    running.comes_to_show("bytes_up_total 27").await;
}

#[tokio::test]
async fn any_other_request_is_refused() {
    let running = start(&[]).await;
    for (request, status) in [
        ("GET /x HTTP/1.1\r\nHost: x\r\n\r\n", "404"),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
            "405",
        ),
        ("\r\n\0nonsense\r\n\r\n", "400"),
    ] {
        let answer = asked(&running, request).await;
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected), "{request}: {answer}");
    }
}

#[tokio::test]
async fn it_forwards_and_passes_each_end_on() {
    let (service, forward) = service().await;
    let running = start(&[&forward]).await;

    // The client is done first.
    let mut near = running.connect().await;
    let (mut far, _) = service.accept().await.unwrap();
    near.write_all(b"question").await.unwrap();
    near.shutdown().await.unwrap();
    assert_eq!(rest_of(&mut far).await.unwrap(), "question");
    far.write_all(b"answer").await.unwrap();
    drop(far);
    assert_eq!(rest_of(&mut near).await.unwrap(), "answer");
    running
        .comes_to_show(r#"connections_ended_total{reason="closed"} 1"#)
        .await;

    // The service is done first.
    let mut near = running.connect().await;
    let (mut far, _) = service.accept().await.unwrap();
    far.write_all(b"greeting").await.unwrap();
    far.shutdown().await.unwrap();
    assert_eq!(rest_of(&mut near).await.unwrap(), "greeting");
    near.write_all(b"late").await.unwrap();
    near.shutdown().await.unwrap();
    assert_eq!(rest_of(&mut far).await.unwrap(), "late");
    running
        .comes_to_show(r#"connections_ended_total{reason="closed"} 2"#)
        .await;
    running.comes_to_show("bytes_up_total 12").await;
    running.comes_to_show("bytes_down_total 14").await;
}

#[tokio::test]
async fn a_client_that_breaks_off_is_no_end_for_the_service() {
    let (service, forward) = service().await;
    let running = start(&[&forward]).await;
    let mut near = running.connect().await;
    let (mut far, _) = service.accept().await.unwrap();
    near.write_all(b"half").await.unwrap();
    far.read_exact(&mut [0; 4]).await.unwrap();
    // Without `close_notify`, as anyone on the path can make it look.
    drop(near);
    let error = rest_of(&mut far).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    running
        .comes_to_show(r#"connections_ended_total{reason="peer_broke"} 1"#)
        .await;
}

#[tokio::test]
async fn a_service_that_breaks_off_is_no_end_for_the_client() {
    let (service, forward) = service().await;
    let running = start(&[&forward]).await;
    let mut near = running.connect().await;
    let (mut far, _) = service.accept().await.unwrap();
    // Before that, the reset could look like a failure to connect, and be tried again.
    near.write_all(b"x").await.unwrap();
    far.read_exact(&mut [0]).await.unwrap();
    far.set_zero_linger().unwrap();
    drop(far);
    let error = rest_of(&mut near).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    running
        .comes_to_show(r#"connections_ended_total{reason="forward_broke"} 1"#)
        .await;
}

#[tokio::test]
async fn a_service_that_is_not_there_is_no_end_for_the_client() {
    let (service, forward) = service().await;
    drop(service);
    let running = start(&[&forward, "--connect-timeout=300ms"]).await;
    let error = rest_of(&mut running.connect().await).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    running
        .comes_to_show(r#"connections_ended_total{reason="forward_unreachable"} 1"#)
        .await;
}

#[tokio::test]
async fn strangers_do_not_reach_the_service() {
    let (service, forward) = service().await;
    let running = start(&[&forward]).await;
    let mut stranger = running.plain().await;
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let _ = rest_of(&mut stranger).await;
    running
        .comes_to_show(r#"handshakes_total{outcome="plain_http"} 1"#)
        .await;
    let reached = timeout(Duration::ZERO, service.accept()).await;
    assert!(reached.is_err(), "a connection came");
}

#[tokio::test]
async fn a_silent_stranger_is_closed_at_the_handshake_deadline() {
    let running = start(&["--handshake-timeout=200ms"]).await;
    let mut silent = running.plain().await;
    assert_eq!(rest_of(&mut silent).await.unwrap(), "");
    running
        .comes_to_show(r#"handshakes_total{outcome="deadline"} 1"#)
        .await;
    running.comes_to_show("connections_active 0").await;
}

#[tokio::test]
async fn a_stranger_that_dribbles_is_closed_at_the_handshake_deadline() {
    let running = start(&["--handshake-timeout=300ms"]).await;
    let mut slow = running.plain().await;
    let dribble = async {
        // A ClientHello of 512 bytes, one by one.
        for byte in [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]
            .into_iter()
            .chain([0; 400])
        {
            slow.write_all(&[byte]).await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        io::Result::Ok(())
    };
    tokio::select! {
        _ = dribble => {}
        () = running.comes_to_show(r#"handshakes_total{outcome="deadline"} 1"#) => {}
    }
    running.comes_to_show("connections_active 0").await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let (service, forward) = service().await;
    let running = start(&[&forward, "--idle-timeout=500ms"]).await;
    let mut idle = running.connect().await;
    let (mut idle_far, _) = service.accept().await.unwrap();
    let mut busy = running.connect().await;
    let (mut busy_far, _) = service.accept().await.unwrap();

    let keep_busy = async {
        let mut pause = tokio::time::interval(Duration::from_millis(50));
        loop {
            pause.tick().await;
            busy.write_all(b"x").await.unwrap();
            busy_far.read_exact(&mut [0]).await.unwrap();
        }
    };
    let ends = async {
        let error = rest_of(&mut idle).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        rest_of(&mut idle_far).await.unwrap_err();
    };
    tokio::select! {
        () = keep_busy => {}
        () = ends => {}
    }
    running
        .comes_to_show(r#"connections_ended_total{reason="idle"} 1"#)
        .await;
    running.comes_to_show("connections_active 1").await;
}

#[tokio::test]
async fn an_idle_http_connection_is_closed() {
    let running = start(&["--idle-timeout=200ms"]).await;
    let mut stream = running.connect().await;
    let error = rest_of(&mut stream).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    running.comes_to_show("connections_active 0").await;
}

#[tokio::test]
async fn strangers_have_their_own_places() {
    let running = start(&["--max-handshakes=1", "--handshake-timeout=10s"]).await;
    let mut inside = running.connect().await;
    let _silent = running.plain().await;
    running.comes_to_show("connections_active 2").await;
    let mut second = running.plain().await;
    assert_eq!(rest_of(&mut second).await.unwrap(), "");
    running
        .comes_to_show(r#"connections_refused_total{reason="handshake_limit"} 1"#)
        .await;
    // Who is inside does not notice.
    inside
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    assert!(rest_of(&mut inside).await.unwrap().ends_with("ok\n"));
}

#[tokio::test]
async fn one_peer_cannot_take_every_place() {
    let running = start(&["--max-connections-per-peer=1"]).await;
    let _inside = running.connect().await;
    let mut second = running.plain().await;
    assert_eq!(rest_of(&mut second).await.unwrap(), "");
    running
        .comes_to_show(r#"connections_refused_total{reason="peer_limit"} 1"#)
        .await;
}

#[tokio::test]
async fn a_drain_lets_open_connections_finish() {
    let (service, forward) = service().await;
    let running = start(&[&forward]).await;
    let mut near = running.connect().await;
    let (mut far, _) = service.accept().await.unwrap();
    running.trigger.drain();
    near.write_all(b"still here").await.unwrap();
    near.shutdown().await.unwrap();
    assert_eq!(rest_of(&mut far).await.unwrap(), "still here");
    assert!(!running.task.is_finished());
    drop(far);
    assert_eq!(rest_of(&mut near).await.unwrap(), "");
    timeout(SOON, running.task).await.expect("it ends").unwrap();
}

#[tokio::test]
async fn a_cut_closes_every_connection_at_once_and_wipes_the_key() {
    let (service, forward) = service().await;
    for draining in [false, true] {
        let running = start(&[&forward]).await;
        let mut near = running.connect().await;
        let (mut far, _) = service.accept().await.unwrap();
        near.write_all(b"x").await.unwrap();
        far.read_exact(&mut [0]).await.unwrap();
        let mut stranger = running.plain().await;
        running.comes_to_show("connections_active 2").await;
        if draining {
            running.trigger.drain();
        }

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
}

#[tokio::test]
async fn what_the_end_of_a_drain_cuts_does_not_look_whole() {
    let (service, forward) = service().await;
    let running = start(&[&forward]).await;
    let mut near = running.connect().await;
    let (mut far, _) = service.accept().await.unwrap();
    running.trigger.end();
    timeout(SOON, running.task).await.expect("it ends").unwrap();
    let error = rest_of(&mut near).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    let error = rest_of(&mut far).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_drain_ends_kept_alive_http_connections() {
    let running = start(&[]).await;
    let mut near = running.connect().await;
    near.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = [0; 15];
    near.read_exact(&mut answer).await.unwrap();
    running.trigger.drain();
    timeout(SOON, running.task).await.expect("it ends").unwrap();
    rest_of(&mut near).await.unwrap();
}

#[tokio::test]
async fn a_connection_needs_little_room() {
    let (trigger, shutdown) = Shutdown::manual();
    let admin = Admin::new(&PROGRAM);
    let process = Process { shutdown, admin };
    let opened = open(config(&["--forward=127.0.0.1:1"]), &process).await;
    let (server, _) = opened.unwrap();
    let metrics = server.service.metrics.clone();
    let _stream = TcpStream::connect(server.address).await.unwrap();
    let serve = |stream, peer, place| {
        let connection = Arc::clone(&server.service).serve(stream, peer, place);
        let size = size_of_val(&connection);
        assert!(size <= 1024, "{size} bytes for each connection");
        trigger.end();
        connection
    };
    accept(
        server.listener,
        server.slots,
        metrics,
        process.shutdown,
        std::future::pending::<()>(),
        serve,
    )
    .await;
}
