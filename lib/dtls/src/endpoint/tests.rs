use super::*;
use crate::client::Connector;
use crate::context::{self, Suites};
use crate::mtu::Mtu;
use crate::session::{Ended, NotSent};
use mcbn_psk::Identity;
use mcbn_runtime::shutdown::{Shutdown, Trigger};
use mcbn_secret::Psk;
use mcbn_tunnel::datagram::serve;
use mcbn_tunnel::limits::Slots;
use mcbn_tunnel::metrics::Metrics;
use mcbn_tunnel::udp;
use openssl::ssl::{SslMethod, SslOptions};
use std::num::NonZeroUsize;
use tokio::sync::mpsc;
use tokio::time::timeout;

mod sources;

/// Longer than anything here takes, so that a test that goes wrong ends.
const SOON: Duration = Duration::from_secs(20);

/// Long enough for a handshake on one machine, and short for those that are to fail.
const SHORT: Duration = Duration::from_millis(1500);

const KEY: [u8; 32] = [7; 32];

fn identity(name: &str) -> Identity {
    name.parse().unwrap()
}

fn acceptor() -> Acceptor {
    let key = Psk::copied_from(&KEY);
    Acceptor::new(identity("Client1"), key, Suites::Strong, Mtu::SAFE).unwrap()
}

fn connector_with(name: &str, key: [u8; 32]) -> Connector {
    let key = Psk::copied_from(&key);
    Connector::new(identity(name), key, Suites::Strong, Mtu::SAFE).unwrap()
}

fn connector() -> Connector {
    connector_with("Client1", KEY)
}

/// A server that answers every datagram with itself, and tells how each peer ended.
struct Echo {
    address: SocketAddr,
    ends: mpsc::UnboundedReceiver<&'static str>,
    trigger: Trigger,
}

impl Echo {
    async fn start() -> Self {
        Self::with(acceptor(), SOON, 1 << 20).await
    }

    async fn with(acceptor: Acceptor, limit: Duration, most: usize) -> Self {
        Self::at("127.0.0.1:0", acceptor, limit, most).await
    }

    async fn at(address: &str, acceptor: Acceptor, limit: Duration, most: usize) -> Self {
        let socket = Arc::new(udp::bind(address.parse().unwrap()).unwrap());
        let address = socket.local_addr().unwrap();
        let (trigger, shutdown) = Shutdown::manual();
        let endpoint = Endpoint::new(Arc::clone(&socket), acceptor, Losses::default()).unwrap();
        let most = NonZeroUsize::new(most).unwrap();
        let slots = Slots::new(most, most);
        let (tell, ends) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let never = std::future::pending::<()>();
            let metrics = Metrics::default();
            let echo = |arrival: Arrival, place: Place| {
                let tell = tell.clone();
                async move {
                    let _place = place;
                    let reason = match arrival.handshake(limit).await {
                        Ok((session, _seat)) => echo(session).await.reason(),
                        Err(error) => error.reason(),
                    };
                    let _ = tell.send(reason);
                }
            };
            serve(&socket, endpoint, slots, metrics, shutdown, never, echo).await
        });
        Self {
            address,
            ends,
            trigger,
        }
    }

    async fn next_end(&mut self) -> &'static str {
        let end = timeout(SOON, self.ends.recv()).await;
        end.expect("an end").expect("the server runs")
    }

    async fn connect(&self) -> Result<Session, NoSession> {
        self.connect_as(connector()).await
    }

    async fn connect_as(&self, connector: Connector) -> Result<Session, NoSession> {
        let socket = udp::connect(self.address).await.unwrap();
        connector.connect(socket, SHORT).await
    }
}

async fn echo(mut session: Session) -> Ended {
    loop {
        match session.receive(<[u8]>::to_vec).await {
            Ok(datagram) => session.send(&datagram).unwrap(),
            Err(ended) => return ended,
        }
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
async fn a_session_carries_datagrams_both_ways_until_the_client_ends_it() {
    let mut server = Echo::start().await;
    let mut session = server.connect().await.unwrap();
    assert_eq!(
        session.peer().cipher_suite(),
        "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"
    );
    for text in ["a", "second", "third"] {
        echoes(&mut session, text).await;
    }
    drop(session);
    assert_eq!(server.next_end().await, "closed");
}

#[tokio::test]
async fn the_client_hears_that_the_server_ends() {
    let server = Echo::start().await;
    let mut session = server.connect().await.unwrap();
    echoes(&mut session, "here").await;
    server.trigger.end();
    let ended = receive(&mut session).await.unwrap_err();
    assert!(matches!(ended, Ended::Closed), "{ended:?}");
}

#[tokio::test]
async fn many_peers_share_one_socket() {
    let server = Echo::start().await;
    let mut all = tokio::task::JoinSet::new();
    for n in 0..200 {
        let address = server.address;
        all.spawn(async move {
            let socket = udp::connect(address).await.unwrap();
            let mut session = connector().connect(socket, SOON).await.unwrap();
            echoes(&mut session, &format!("peer {n}")).await;
        });
    }
    assert_eq!(all.join_all().await.len(), 200);
}

#[tokio::test]
async fn both_address_families_reach_the_wildcard() {
    let server = Echo::at("[::]:0", acceptor(), SOON, 10).await;
    let port = server.address.port();
    let addresses: &[&str] = match server.address.is_ipv6() {
        true => &["127.0.0.1", "::1"],
        // A machine without IPv6.
        false => &["127.0.0.1"],
    };
    for address in addresses {
        let to = SocketAddr::new(address.parse().unwrap(), port);
        let socket = udp::connect(to).await.unwrap();
        let mut session = connector().connect(socket, SOON).await.unwrap();
        echoes(&mut session, address).await;
    }
}

#[tokio::test]
async fn another_key_and_an_unknown_identity_are_refused_alike_and_in_time() {
    for (name, key) in [("Client1", [8; 32]), ("Client2", KEY)] {
        let mut server = Echo::with(acceptor(), SHORT, 10).await;
        let refused = server.connect_as(connector_with(name, key)).await;
        assert!(matches!(refused, Err(NoSession::Unproven)), "{refused:?}");
        assert_eq!(server.next_end().await, "wrong_key");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_from_one_with_another_key() {
    let silent = udp::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let socket = udp::connect(silent.local_addr().unwrap()).await.unwrap();
    let limit = Duration::from_millis(100);
    let refused = connector().connect(socket, limit).await;
    assert!(matches!(refused, Err(NoSession::NoAnswer)), "{refused:?}");
    let closed = silent.local_addr().unwrap();
    drop(silent);
    let socket = udp::connect(closed).await.unwrap();
    let refused = connector().connect(socket, SOON).await.unwrap_err();
    assert_eq!(refused.reason(), "io");
}

/// A context of these options, that knows the key.
fn client_with(options: u64, suites: &str) -> Connector {
    let mut ctx = context::builder(SslMethod::dtls_client(), Suites::Strong).unwrap();
    ctx.set_options(SslOptions::from_bits_retain(options));
    ctx.set_cipher_list(suites).unwrap();
    ctx.set_psk_client_callback(|_, _, name, key| {
        name[..8].copy_from_slice(b"Client1\0");
        key[..32].copy_from_slice(&KEY);
        Ok(32)
    });
    let mut connector = connector();
    connector.ctx = ctx.build();
    connector
}

const GCM: &str = "PSK-AES128-GCM-SHA256";

/// `SSL_OP_NO_EXTENDED_MASTER_SECRET`.
const NO_EXTENDED_MASTER_SECRET: u64 = 1;

#[tokio::test]
async fn a_client_without_extended_master_secret_is_refused() {
    let mut server = Echo::start().await;
    let socket = udp::connect(server.address).await.unwrap();
    let client = client_with(NO_EXTENDED_MASTER_SECRET, GCM);
    let refused = client.connect(socket, SHORT).await.unwrap_err();
    assert_eq!(refused.reason(), "no_extended_master_secret");
    assert_eq!(server.next_end().await, "no_extended_master_secret");
    // And nothing else is amiss with such a client.
    let mut session = server.connect_as(client_with(0, GCM)).await.unwrap();
    assert_eq!(
        session.peer().cipher_suite(),
        "TLS_PSK_WITH_AES_128_GCM_SHA256"
    );
    echoes(&mut session, "gcm").await;
}

#[tokio::test]
async fn short_tags_are_refused_unless_told_to() {
    let key = || Psk::copied_from(&KEY);
    let with_ccm8 = Acceptor::new(identity("Client1"), key(), Suites::AndCcm8, Mtu::SAFE).unwrap();
    let ccm8 = || client_with(0, "PSK-AES128-CCM8:@SECLEVEL=0");
    let mut server = Echo::start().await;
    let refused = server.connect_as(ccm8()).await.unwrap_err();
    assert_eq!(refused.reason(), "alert");
    assert_eq!(server.next_end().await, "nothing_shared");
    let server = Echo::with(with_ccm8, SOON, 10).await;
    let mut session = server.connect_as(ccm8()).await.unwrap();
    assert_eq!(session.peer().cipher_suite(), "TLS_PSK_WITH_AES_128_CCM_8");
    echoes(&mut session, "ccm").await;
}

#[tokio::test]
async fn a_datagram_that_does_not_fit_is_refused_and_the_largest_arrives_whole() {
    let server = Echo::start().await;
    let mut session = server.connect().await.unwrap();
    let largest = session.largest();
    assert!((1150..=1232).contains(&largest), "{largest}");
    for (length, why) in [(largest + 1, Dropped::TooLarge), (0, Dropped::Empty)] {
        let refused = session.send(&vec![1; length]).unwrap_err();
        assert!(matches!(refused, NotSent::Dropped(reason) if reason == why));
    }
    session.send(&vec![1; largest]).unwrap();
    assert_eq!(receive(&mut session).await.unwrap(), vec![1; largest]);
}

#[tokio::test]
async fn one_peer_more_than_there_may_be_gets_no_answer() {
    let mut server = Echo::with(acceptor(), SOON, 1).await;
    let first = server.connect().await.unwrap();
    let refused = server.connect().await;
    assert!(matches!(refused, Err(NoSession::NoAnswer)), "{refused:?}");
    drop(first);
    assert_eq!(server.next_end().await, "closed");
    server.connect().await.unwrap();
}

/// Two sockets that are one to everybody else.
async fn twins(to: SocketAddr) -> [UdpSocket; 2] {
    let first = udp::connect(to).await.unwrap().into_std().unwrap();
    let second = first.try_clone().unwrap();
    [first, second].map(|socket| UdpSocket::from_std(socket).unwrap())
}

/// [RFC 6347 §4.2.8]: a client that was started anew is there at once.
///
/// [RFC 6347 §4.2.8]: https://www.rfc-editor.org/rfc/rfc6347#section-4.2.8
#[tokio::test]
async fn a_new_session_takes_the_place_of_the_old_one_at_its_address() {
    let mut server = Echo::start().await;
    let [first, second] = twins(server.address).await;
    let mut old = connector().connect(first, SOON).await.unwrap();
    echoes(&mut old, "old").await;
    let mut new = connector().connect(second, SOON).await.unwrap();
    assert_eq!(server.next_end().await, "replaced");
    // The farewell of the old session was meant for whoever had its keys.
    echoes(&mut new, "new").await;
}

/// Whoever can send from an address, and does not know the key, ends no session there.
#[tokio::test]
async fn an_attempt_that_fails_leaves_the_old_session_at_its_address_alone() {
    let mut server = Echo::with(acceptor(), SHORT, 10).await;
    let [first, second] = twins(server.address).await;
    let mut old = connector().connect(first, SOON).await.unwrap();
    let failed = connector_with("Client1", [8; 32])
        .connect(second, SHORT)
        .await;
    assert!(matches!(failed, Err(NoSession::Unproven)), "{failed:?}");
    echoes(&mut old, "still").await;
    assert_eq!(server.next_end().await, "wrong_key");
    echoes(&mut old, "here").await;
}

/// The datagrams of one client, as a stranger on the way sees them, and what the stranger makes of them.
async fn between(
    server: SocketAddr,
    mut up: impl FnMut(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
) -> SocketAddr {
    let near = udp::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = near.local_addr().unwrap();
    let far = udp::connect(server).await.unwrap();
    tokio::spawn(async move {
        let (mut from_near, mut from_far) = ([0; 2048], [0; 2048]);
        let mut client = None;
        loop {
            tokio::select! {
                Ok((length, from)) = near.recv_from(&mut from_near) => {
                    client = Some(from);
                    for datagram in up(&from_near[..length]) {
                        far.send(&datagram).await.unwrap();
                    }
                }
                Ok(length) = far.recv(&mut from_far) => {
                    if let Some(client) = client {
                        near.send_to(&from_far[..length], client).await.unwrap();
                    }
                }
            }
        }
    });
    address
}

const APPLICATION_DATA: u8 = 23;

#[tokio::test]
async fn a_replayed_datagram_is_dropped() {
    let server = Echo::start().await;
    let mut seen: Vec<Vec<u8>> = Vec::new();
    // Everything comes twice, and each datagram under the key once more with every later one.
    let way = between(server.address, move |datagram| {
        let mut all = vec![datagram.to_vec(), datagram.to_vec()];
        all.extend(seen.iter().cloned());
        if datagram[0] == APPLICATION_DATA {
            seen.push(datagram.to_vec());
        }
        all
    })
    .await;
    let socket = udp::connect(way).await.unwrap();
    let mut session = connector().connect(socket, SOON).await.unwrap();
    for n in 0..20 {
        // Each answer is that to the last question: no replay was answered in between.
        echoes(&mut session, &format!("question {n}")).await;
    }
}

#[tokio::test]
async fn a_changed_datagram_is_dropped_and_the_session_goes_on() {
    let server = Echo::start().await;
    let mut count = 0;
    let way = between(server.address, move |datagram| {
        let mut changed = datagram.to_vec();
        if datagram[0] == APPLICATION_DATA {
            count += 1;
            if count % 2 == 1 {
                *changed.last_mut().unwrap() ^= 1;
            }
        }
        vec![changed]
    })
    .await;
    let socket = udp::connect(way).await.unwrap();
    let mut session = connector().connect(socket, SOON).await.unwrap();
    for n in 0..10 {
        session.send(b"changed on the way").unwrap();
        echoes(&mut session, &format!("question {n}")).await;
    }
}

#[tokio::test]
async fn peers_that_stop_half_way_hold_up_nobody() {
    let server = Echo::with(acceptor(), SOON, 1 << 20).await;
    for _ in 0..100 {
        let mut count = 0;
        // Two hellos come through, the second with its cookie, and then nothing.
        let way = between(server.address, move |datagram| {
            count += 1;
            match count <= 2 {
                true => vec![datagram.to_vec()],
                false => Vec::new(),
            }
        })
        .await;
        let socket = udp::connect(way).await.unwrap();
        tokio::spawn(async move { connector().connect(socket, SOON).await });
    }
    let mut session = server.connect().await.unwrap();
    echoes(&mut session, "served").await;
}

#[tokio::test]
async fn no_flight_is_larger_than_the_path_allows() {
    let server = Echo::start().await;
    let way = between(server.address, |datagram| {
        assert!(datagram.len() <= 1280 - 48);
        vec![datagram.to_vec()]
    })
    .await;
    let socket = udp::connect(way).await.unwrap();
    connector().connect(socket, SOON).await.unwrap();
}

#[tokio::test]
async fn the_key_is_wiped_with_its_last_session() {
    let acceptor = acceptor();
    let witness = acceptor.witness();
    let server = Echo::with(acceptor, SOON, 10).await;
    let client = connector();
    let of_client = client.witness();
    let session = server.connect_as(client).await.unwrap();
    assert!(!witness.key_is_wiped() && !of_client.key_is_wiped());
    drop(session);
    assert!(of_client.key_is_wiped());
}

const HELLO_VERIFY_REQUEST: u8 = 3;

#[tokio::test]
async fn a_cookie_of_another_address_is_refused() {
    let server = Echo::start().await;
    let (tell, mut hellos) = mpsc::unbounded_channel();
    let way = between(server.address, move |datagram| {
        let hello = ClientHello::of(datagram).is_some();
        if hello {
            let _ = tell.send(datagram.to_vec());
        }
        vec![datagram.to_vec()]
    })
    .await;
    let socket = udp::connect(way).await.unwrap();
    let mut session = connector().connect(socket, SOON).await.unwrap();
    let [bare, with_cookie] = [hellos.recv().await.unwrap(), hellos.recv().await.unwrap()];
    assert!(bare.len() < with_cookie.len());
    let thief = udp::connect(server.address).await.unwrap();
    for hello in [bare, with_cookie] {
        thief.send(&hello).await.unwrap();
        let mut answer = [0; 2048];
        let length = timeout(SOON, thief.recv(&mut answer)).await;
        assert!(length.expect("an answer").unwrap() <= hello.len());
        assert_eq!(answer[13], HELLO_VERIFY_REQUEST);
    }
    echoes(&mut session, "still").await;
}
