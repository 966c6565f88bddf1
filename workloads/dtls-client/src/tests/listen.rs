use crate::testing::{SOON, client_of, echo};
use mcbn_dtls_endpoint::client::listen::Tunnel;
use mcbn_psk::Witness;
use mcbn_runtime::shutdown::Trigger;
use mcbn_tunnel::settings::ListenConfig;
use mcbn_tunnel::udp;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

struct Running {
    address: SocketAddr,
    trigger: Trigger,
    cut: oneshot::Sender<&'static str>,
    witness: Witness,
    task: JoinHandle<Option<&'static str>>,
}

async fn start(more: &[&str]) -> Running {
    let running = client_of(echo().await, more).await;
    let config = ListenConfig {
        address: "127.0.0.1:0".parse().unwrap(),
        max_connections: NonZeroUsize::new(10).unwrap(),
    };
    let tunnel = Tunnel::open(running.client, config).unwrap();
    let (cut, is_cut) = oneshot::channel();
    let is_cut = async { is_cut.await.expect("the test cuts or keeps it") };
    Running {
        address: tunnel.address,
        trigger: running.trigger,
        cut,
        witness: running.witness,
        task: tokio::spawn(tunnel.run(running.shutdown, is_cut)),
    }
}

async fn echoes(local: &UdpSocket, text: &str) {
    local.send(text.as_bytes()).await.unwrap();
    let mut buffer = [0; 64];
    let length = timeout(SOON, local.recv(&mut buffer)).await;
    assert_eq!(
        &buffer[..length.expect("an answer").unwrap()],
        text.as_bytes()
    );
}

#[tokio::test]
async fn each_local_sender_has_a_session_of_its_own() {
    let running = start(&[]).await;
    let locals = [
        udp::connect(running.address).await.unwrap(),
        udp::connect(running.address).await.unwrap(),
    ];
    for round in 0..3 {
        for (n, local) in locals.iter().enumerate() {
            echoes(local, &format!("{round} of {n}")).await;
        }
    }
    running.trigger.end();
    assert_eq!(running.task.await.unwrap(), None);
    assert!(running.witness.key_is_wiped());
}

#[tokio::test]
async fn a_sender_comes_back_after_its_session_was_idle_for_too_long() {
    let running = start(&["--idle-timeout=50ms"]).await;
    let local = udp::connect(running.address).await.unwrap();
    echoes(&local, "first").await;
    // Longer than the session lives: no datagram comes meanwhile.
    let nothing = timeout(Duration::from_millis(300), local.recv(&mut [0; 8])).await;
    assert!(nothing.is_err());
    echoes(&local, "again").await;
}

#[tokio::test]
async fn the_loss_of_consent_ends_every_session_and_wipes_the_key() {
    let running = start(&[]).await;
    let local = udp::connect(running.address).await.unwrap();
    echoes(&local, "with consent").await;
    assert!(!running.witness.key_is_wiped());
    running.cut.send("lost").unwrap();
    assert_eq!(running.task.await.unwrap(), Some("lost"));
    assert!(running.witness.key_is_wiped());
    // The port is closed: the machine says so to whoever sends.
    local.send(b"without").await.unwrap();
    let refused = timeout(SOON, async {
        loop {
            let error = match udp::readable(&local).await {
                Ok(()) => local.try_recv(&mut [0; 64]).unwrap_err(),
                Err(error) => error,
            };
            if error.kind() != io::ErrorKind::WouldBlock {
                return error;
            }
        }
    });
    let refused = refused.await.expect("an answer");
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
}
