use super::*;
use crate::config::PROGRAM;
use mcbn_dtls::{Connector, Ended, NoSession, Session};
use mcbn_psk::Witness;
use mcbn_runtime::admin::Admin;
use mcbn_runtime::shutdown::{Shutdown, Trigger};
use mcbn_tunnel::datagram::Losses;
use mcbn_tunnel::metrics::Metrics;
use mcbn_tunnel::udp;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::fd::IntoRawFd;
use std::time::Duration;
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
    losses: Losses,
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
    let (cut, is_cut) = oneshot::channel();
    let is_cut = async { is_cut.await.expect("the test cuts or keeps it") };
    Running {
        address: server.address,
        metrics: server.service.metrics.clone(),
        losses: server.service.losses.clone(),
        trigger,
        cut,
        witness: server.witness(),
        task: tokio::spawn(server.run(process.shutdown, is_cut)),
    }
}

impl Running {
    async fn connect(&self) -> Result<Session, NoSession> {
        self.connect_within(SOON).await
    }

    async fn connect_within(&self, limit: Duration) -> Result<Session, NoSession> {
        let config = config(&[]);
        let (key, _) = config.key.make(None, &Admin::new(&PROGRAM)).await.unwrap();
        let identity = config.key.identity().clone();
        let dtls = config.key.protocol();
        let connector = Connector::new(identity, key, dtls.suites, dtls.mtu).unwrap();
        let socket = udp::connect(self.address).await.unwrap();
        connector.connect(socket, limit).await
    }

    /// Waits until the metrics have this line.
    async fn comes_to_show(&self, line: &str) {
        let mut registry = Registry::default();
        self.metrics.register(&mut registry);
        self.losses.register(&mut registry);
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
        assert!(shown.await.is_ok(), "never {line} in {text}");
    }
}

async fn receive(session: &mut Session) -> Result<Vec<u8>, Ended> {
    let received = timeout(SOON, session.receive(<[u8]>::to_vec)).await;
    received.expect("a datagram, or an end")
}

async fn echoes(session: &mut Session, text: &str) {
    session.send(text.as_bytes()).unwrap();
    assert_eq!(receive(session).await.unwrap(), text.as_bytes());
}

#[tokio::test]
async fn it_answers_each_datagram_with_itself() {
    let running = start(&[]).await;
    let mut session = running.connect().await.unwrap();
    echoes(&mut session, "one").await;
    echoes(&mut session, "three").await;
    running.comes_to_show("bytes_up_total 8").await;
    running.comes_to_show("bytes_down_total 8").await;
    drop(session);
    running
        .comes_to_show(r#"connections_ended_total{reason="closed"} 1"#)
        .await;
}

#[tokio::test]
async fn it_forwards_each_peer_by_a_socket_of_its_own() {
    let service = udp::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let forward = format!("--forward={}", service.local_addr().unwrap());
    let running = start(&[&forward]).await;
    let mut buffer = [0; 64];
    let mut seen = Vec::new();
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let mut session = running.connect().await.unwrap();
        session.send(b"question").unwrap();
        let (length, from) = service.recv_from(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..length], b"question");
        service.send_to(b"answer", from).await.unwrap();
        assert_eq!(receive(&mut session).await.unwrap(), b"answer");
        seen.push(from);
        sessions.push(session);
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn what_is_too_large_for_the_way_back_is_dropped_and_counted() {
    let service = udp::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let forward = format!("--forward={}", service.local_addr().unwrap());
    let running = start(&[&forward]).await;
    let mut session = running.connect().await.unwrap();
    session.send(b"question").unwrap();
    let (_, from) = service.recv_from(&mut [0; 64]).await.unwrap();
    service.send_to(&[1; 1300], from).await.unwrap();
    running
        .comes_to_show(r#"datagrams_dropped_total{reason="too_large"} 1"#)
        .await;
    service.send_to(b"small", from).await.unwrap();
    assert_eq!(receive(&mut session).await.unwrap(), b"small");
}

#[tokio::test]
async fn a_session_on_which_nothing_moves_is_ended() {
    let running = start(&["--idle-timeout=100ms"]).await;
    let mut session = running.connect().await.unwrap();
    let ended = receive(&mut session).await.unwrap_err();
    assert!(matches!(ended, Ended::Closed), "{ended:?}");
    running
        .comes_to_show(r#"connections_ended_total{reason="idle"} 1"#)
        .await;
}

#[tokio::test]
async fn one_session_more_than_its_address_may_have_is_refused() {
    let running = start(&["--max-connections-per-peer=1"]).await;
    let mut first = running.connect().await.unwrap();
    let limit = Duration::from_millis(100);
    running.connect_within(limit).await.unwrap_err();
    running
        .comes_to_show(r#"connections_refused_total{reason="peer_limit"} 1"#)
        .await;
    echoes(&mut first, "still").await;
}

#[tokio::test]
async fn draining_refuses_new_peers_and_serves_the_others_to_their_end() {
    let running = start(&[]).await;
    let mut session = running.connect().await.unwrap();
    running.trigger.drain();
    let limit = Duration::from_millis(300);
    running.connect_within(limit).await.unwrap_err();
    echoes(&mut session, "still").await;
    drop(session);
    let ended = timeout(SOON, running.task).await;
    assert_eq!(ended.expect("it ends").unwrap(), None);
}

#[tokio::test]
async fn the_end_of_the_drain_ends_every_session() {
    let running = start(&[]).await;
    let mut session = running.connect().await.unwrap();
    running.trigger.end();
    let ended = receive(&mut session).await.unwrap_err();
    assert!(matches!(ended, Ended::Closed), "{ended:?}");
    assert_eq!(running.task.await.unwrap(), None);
}

#[tokio::test]
async fn the_loss_of_consent_ends_every_session_and_wipes_the_key() {
    let running = start(&[]).await;
    let mut session = running.connect().await.unwrap();
    echoes(&mut session, "with consent").await;
    assert!(!running.witness.key_is_wiped());
    running.cut.send(()).unwrap();
    let ended = receive(&mut session).await.unwrap_err();
    assert!(matches!(ended, Ended::Closed), "{ended:?}");
    assert_eq!(running.task.await.unwrap(), Some(()));
    assert!(running.witness.key_is_wiped());
}
