use super::*;
use crate::config::{Config, Mode, PROGRAM};
use mcbn_dtls::{Acceptor, Arrival, Endpoint, NotSent, Session};
use mcbn_runtime::admin::{self, Admin};
use mcbn_runtime::log;
use mcbn_runtime::settings::{Asked, Given};
use mcbn_runtime::shutdown::{self, Shutdown, Trigger};
use mcbn_tunnel::datagram::Losses;
use mcbn_tunnel::metrics::Metrics;
use std::ffi::OsString;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::os::fd::IntoRawFd;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

const SHARE: &str = "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90";

/// Longer than anything here takes, so that a test that goes wrong ends.
const SOON: Duration = Duration::from_secs(20);

fn config(server: SocketAddr, more: &[&str]) -> Config {
    let (share, mut writer) = io::pipe().unwrap();
    writer.write_all(SHARE.as_bytes()).unwrap();
    let own = [
        format!("--share=alice=fd:{}", share.into_raw_fd()),
        format!("--server={server}"),
        "--listen=127.0.0.1:0".into(),
    ];
    let more = more.iter().map(|argument| (*argument).into());
    let arguments: Vec<OsString> = own.into_iter().map(OsString::from).chain(more).collect();
    let read = |given: &mut Given| {
        // What every program has is read before, by whoever starts it.
        for row in [log::LEVEL, admin::LISTEN, shutdown::DRAIN] {
            given.is_given(&row);
        }
        Config::read(given)
    };
    match PROGRAM.parse(arguments, [], read) {
        Ok(Asked::Run(config)) => config,
        other => panic!("{other:?}"),
    }
}

/// A server with the client's key that answers each datagram with itself.
async fn echo() -> SocketAddr {
    let socket = Arc::new(udp::bind("127.0.0.1:0".parse().unwrap()).unwrap());
    let address = socket.local_addr().unwrap();
    let key = config(address, &[]).server.key;
    let (psk, _) = key.make(None, &Admin::new(&PROGRAM)).await.unwrap();
    let dtls = *key.protocol();
    let identity = key.identity().clone();
    let acceptor = Acceptor::new(identity, psk, dtls.suites, dtls.mtu).unwrap();
    let endpoint = Endpoint::new(Arc::clone(&socket), acceptor, Losses::default()).unwrap();
    tokio::spawn(async move {
        let (_trigger, shutdown) = Shutdown::manual();
        let many = NonZeroUsize::new(100).unwrap();
        let answer = |arrival: Arrival, place| async move {
            let _place: Place = place;
            let (session, _seat) = arrival.handshake(SOON).await.unwrap();
            answer(session).await;
        };
        let never = std::future::pending::<()>();
        let slots = Slots::new(many, many);
        datagram::serve(
            &socket,
            endpoint,
            slots,
            Metrics::default(),
            shutdown,
            never,
            answer,
        )
        .await
    });
    address
}

async fn answer(mut session: Session) {
    while let Ok(datagram) = session.receive(<[u8]>::to_vec).await {
        if let Err(NotSent::Ended(_)) = session.send(&datagram) {
            return;
        }
    }
}

struct Running {
    address: SocketAddr,
    trigger: Trigger,
    cut: oneshot::Sender<&'static str>,
    witness: mcbn_psk::Witness,
    task: tokio::task::JoinHandle<Option<&'static str>>,
}

async fn start(more: &[&str]) -> Running {
    let config = config(echo().await, more);
    let (trigger, shutdown) = Shutdown::manual();
    let admin = Admin::new(&PROGRAM);
    let process = Process { shutdown, admin };
    let (server, _) = Server::new(config.server, &process).await.unwrap();
    let Mode::Listen(listen) = config.mode else {
        panic!("it listens");
    };
    let witness = server.witness();
    let tunnel = Tunnel::open(server, listen).unwrap();
    let (cut, is_cut) = oneshot::channel();
    let is_cut = async { is_cut.await.expect("the test cuts or keeps it") };
    Running {
        address: tunnel.address,
        trigger,
        cut,
        witness,
        task: tokio::spawn(tunnel.run(process, is_cut)),
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
