use super::*;
use crate::client::Connector;
use crate::context::Suites;
use crate::mtu::Mtu;
use crate::session::Ended;
use mcbn_psk::Identity;
use mcbn_runtime::shutdown::{Shutdown, Trigger};
use mcbn_secret::Psk;
use mcbn_tunnel::datagram::serve;
use mcbn_tunnel::limits::Slots;
use mcbn_tunnel::metrics::Metrics;
use mcbn_tunnel::udp;
use std::num::NonZeroUsize;

const LIMIT: Duration = Duration::from_secs(20);

fn identity() -> Identity {
    "Client1".parse().unwrap()
}

fn key() -> Psk {
    Psk::copied_from(&[7; 32])
}

/// A server that answers every datagram with itself.
struct Echo {
    address: SocketAddr,
    _trigger: Trigger,
}

impl Echo {
    async fn start(suites: Suites, limit: Duration) -> Self {
        let socket = Arc::new(udp::bind("127.0.0.1:0".parse().unwrap()).unwrap());
        let address = socket.local_addr().unwrap();
        let acceptor = Acceptor::new(identity(), key(), suites, Mtu::SAFE).unwrap();
        let (trigger, shutdown) = Shutdown::manual();
        let endpoint = Endpoint::new(Arc::clone(&socket), acceptor, Losses::default()).unwrap();
        let many = NonZeroUsize::new(1 << 20).unwrap();
        tokio::spawn(async move {
            let never = std::future::pending::<()>();
            let slots = Slots::new(many, many);
            serve(
                &socket,
                endpoint,
                slots,
                Metrics::default(),
                shutdown,
                never,
                |arrival, place| async move {
                    let Ok((mut session, _seat)) = arrival.handshake(limit).await else {
                        return;
                    };
                    let _place = place;
                    while let Ok(datagram) = session.receive(<[u8]>::to_vec).await {
                        session.send(&datagram).unwrap();
                    }
                },
            )
            .await
        });
        Self {
            address,
            _trigger: trigger,
        }
    }
}

async fn connect(to: SocketAddr, suites: Suites) -> Result<Session, NoSession> {
    let connector = Connector::new(identity(), key(), suites, Mtu::SAFE).unwrap();
    connector
        .connect(udp::connect(to).await.unwrap(), LIMIT)
        .await
}

async fn echoes(session: &mut Session, text: &str) -> Result<bool, Ended> {
    session.send(text.as_bytes()).unwrap();
    session.receive(|answer| answer == text.as_bytes()).await
}

#[tokio::test]
async fn a_session_carries_datagrams_both_ways() {
    let server = Echo::start(Suites::Strong, LIMIT).await;
    let mut session = connect(server.address, Suites::Strong).await.unwrap();
    assert_eq!(
        session.peer().cipher_suite(),
        "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"
    );
    for text in ["a", "second", "third"] {
        assert!(echoes(&mut session, text).await.unwrap());
    }
}

#[tokio::test]
async fn many_peers_share_one_socket() {
    let server = Echo::start(Suites::Strong, LIMIT).await;
    let mut all = tokio::task::JoinSet::new();
    for n in 0..200 {
        let to = server.address;
        all.spawn(async move {
            let mut session = connect(to, Suites::Strong).await.unwrap();
            echoes(&mut session, &format!("peer {n}")).await.unwrap()
        });
    }
    assert!(all.join_all().await.into_iter().all(|ok| ok));
}
