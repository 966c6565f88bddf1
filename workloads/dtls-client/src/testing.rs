//! Servers to connect to, and the client as it is configured, for the tests of each mode.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::os::fd::IntoRawFd;
use std::sync::Arc;
use std::time::Duration;

use mcbn_dtls::{Acceptor, Arrival, Connector, Endpoint, NotSent, Session};
use mcbn_dtls_endpoint::client::Client;
use mcbn_psk::Witness;
use mcbn_runtime::admin::Admin;
use mcbn_runtime::process::Process;
use mcbn_runtime::shutdown::{Shutdown, Trigger};
use mcbn_tunnel::accept::Place;
use mcbn_tunnel::datagram::{self, Losses};
use mcbn_tunnel::limits::Slots;
use mcbn_tunnel::metrics::Metrics;
use mcbn_tunnel::udp;

use crate::config::{Config, PROGRAM};

/// Longer than anything here takes, so that a test that goes wrong ends.
pub const SOON: Duration = Duration::from_secs(20);

const SHARE: &str = "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90";

pub fn config(arguments: &[&str]) -> Config {
    let (share, mut writer) = io::pipe().unwrap();
    writer.write_all(SHARE.as_bytes()).unwrap();
    let share = format!("--share=alice=fd:{}", share.into_raw_fd());
    let arguments = [&[share.as_str()][..], arguments].concat();
    PROGRAM.own_config(&arguments, Config::read).unwrap()
}

pub struct Running {
    pub client: Client,
    pub shutdown: Shutdown,
    pub trigger: Trigger,
    pub witness: Witness,
}

/// A client of this server; its mode is whatever the test does with it.
pub async fn client_of(server: SocketAddr, more: &[&str]) -> Running {
    let server = format!("--server={server}");
    let mut arguments = vec![server.as_str(), "--listen=127.0.0.1:0"];
    arguments.extend(more);
    let (trigger, shutdown) = Shutdown::manual();
    let process = Process {
        shutdown,
        admin: Admin::new(&PROGRAM),
    };
    let config = config(&arguments);
    let (key, _) = config.key.make(None, &process.admin).await.unwrap();
    let identity = config.key.identity().clone();
    let dtls = config.key.protocol();
    let connector = Connector::new(identity, key, dtls.suites, dtls.mtu).unwrap();
    let witness = connector.witness();
    Running {
        client: Client::new(config.client, connector, &process).unwrap(),
        shutdown: process.shutdown,
        trigger,
        witness,
    }
}

/// A server with the client's key that answers each datagram with itself.
pub async fn echo() -> SocketAddr {
    echo_of("Client1").await
}

/// Another identity is another key.
pub async fn echo_of(identity: &str) -> SocketAddr {
    let socket = Arc::new(udp::bind("127.0.0.1:0".parse().unwrap()).unwrap());
    let address = socket.local_addr().unwrap();
    let identity = format!("--identity={identity}");
    let key = config(&["--server=192.0.2.1:1", "--listen=127.0.0.1:0", &identity]).key;
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
            if let Ok((session, _seat)) = arrival.handshake(SOON).await {
                answer(session).await;
            }
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
