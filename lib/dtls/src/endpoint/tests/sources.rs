//! Keys that depend on the handshake, and sources that take their time.

use super::*;
use mcbn_psk::{KeySource, NoKey, Randoms};
use mcbn_tls::{HandshakeError, PeerFault};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

/// A key that depends on the handshake, as a TPM makes it.
#[derive(Clone, Default)]
struct OfRandoms {
    asked: Arc<AtomicUsize>,
    /// Where there is one, the source waits for it and has two seats.
    gate: Option<Arc<Gated>>,
}

/// Keeps whoever asks for a key until the test lets it go.
struct Gated {
    seats: Arc<Semaphore>,
    gate: Semaphore,
    inside: watch::Sender<usize>,
    most: AtomicUsize,
}

impl OfRandoms {
    fn gated() -> (Self, Arc<Gated>) {
        let gate = Arc::new(Gated {
            seats: Arc::new(Semaphore::new(2)),
            gate: Semaphore::new(0),
            inside: watch::Sender::new(0),
            most: AtomicUsize::new(0),
        });
        let source = Self {
            asked: Arc::default(),
            gate: Some(Arc::clone(&gate)),
        };
        (source, gate)
    }
}

impl Gated {
    fn wait(&self) {
        self.inside.send_modify(|inside| {
            *inside += 1;
            self.most.fetch_max(*inside, Ordering::Relaxed);
        });
        tokio::task::block_in_place(|| {
            if let Ok(passed) = Handle::current().block_on(self.gate.acquire()) {
                passed.forget();
            }
        });
        self.inside.send_modify(|inside| *inside -= 1);
    }
}

/// A test that goes wrong ends: who waits at the gate would hold up the end of the runtime.
struct OpenAtLast(Arc<Gated>);

impl Drop for OpenAtLast {
    fn drop(&mut self) {
        self.0.gate.close();
    }
}

impl KeySource for OfRandoms {
    fn write_key(
        &self,
        randoms: &Randoms,
        _: Option<Instant>,
        out: &mut [u8; Psk::LENGTH],
    ) -> Result<(), NoKey> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if let Some(gate) = &self.gate {
            gate.wait();
        }
        for (byte, (client, server)) in out
            .iter_mut()
            .zip(randoms.client.iter().zip(randoms.server))
        {
            *byte = client ^ server;
        }
        Ok(())
    }

    fn seats(&self) -> Option<Arc<Semaphore>> {
        self.gate.as_ref().map(|gate| Arc::clone(&gate.seats))
    }
}

fn acceptor_of(keys: impl KeySource) -> Acceptor {
    Acceptor::new(identity("Client1"), keys, Suites::Strong, Mtu::SAFE).unwrap()
}

fn connector_of(keys: impl KeySource) -> Connector {
    Connector::new(identity("Client1"), keys, Suites::Strong, Mtu::SAFE).unwrap()
}

struct Broken;

impl KeySource for Broken {
    fn write_key(
        &self,
        _: &Randoms,
        _: Option<Instant>,
        _: &mut [u8; Psk::LENGTH],
    ) -> Result<(), NoKey> {
        Err(NoKey("it is broken"))
    }
}

/// Answers when nobody waits any more.
struct Late;

impl KeySource for Late {
    fn write_key(
        &self,
        _: &Randoms,
        until: Option<Instant>,
        _: &mut [u8; Psk::LENGTH],
    ) -> Result<(), NoKey> {
        let left = until.unwrap().saturating_duration_since(Instant::now());
        std::thread::sleep(left);
        Ok(())
    }
}

#[tokio::test]
async fn both_ends_see_the_same_randoms_when_they_make_the_key() {
    let server = Echo::with(acceptor_of(OfRandoms::default()), SOON, 10).await;
    let connector = connector_of(OfRandoms::default());
    let mut session = server.connect_as(connector).await.unwrap();
    echoes(&mut session, "same").await;
}

#[tokio::test]
async fn every_session_asks_for_a_key_of_its_own() {
    let [near, far] = [OfRandoms::default(), OfRandoms::default()];
    let server = Echo::with(acceptor_of(far.clone()), SOON, 10).await;
    let connector = connector_of(near.clone());
    for n in 1..=3 {
        let mut session = server.connect_as(connector.clone()).await.unwrap();
        echoes(&mut session, "here").await;
        for source in [&near, &far] {
            assert_eq!(source.asked.load(Ordering::Relaxed), n);
        }
    }
}

#[tokio::test]
async fn a_session_without_a_key_fails_by_the_fault_of_the_side_that_has_none() {
    let no_key = |outcome| match outcome {
        Err(NoSession::Failed(HandshakeError::NoKey(why))) => why,
        other => panic!("{other:?}"),
    };
    let alert = |outcome| match outcome {
        Err(NoSession::Failed(HandshakeError::Peer(PeerFault::Alert(alert)))) => alert,
        other => panic!("{other:?}"),
    };
    let mut server = Echo::start().await;
    let refused = server.connect_as(connector_of(Broken)).await;
    assert_eq!(no_key(refused), "it is broken");
    assert_eq!(server.next_end().await, "alert");

    let mut server = Echo::with(acceptor_of(Broken), SOON, 10).await;
    // internal_error, and not unknown_psk_identity.
    assert_eq!(alert(server.connect().await), 80);
    assert_eq!(server.next_end().await, "no_key");
}

#[tokio::test]
async fn a_key_that_comes_too_late_is_refused() {
    let server = Echo::start().await;
    let socket = udp::connect(server.address).await.unwrap();
    let limit = Duration::from_millis(200);
    let refused = connector_of(Late).connect(socket, limit).await;
    assert!(
        matches!(
            refused,
            Err(NoSession::Failed(HandshakeError::NoKey("it came too late")))
        ),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_that_wait_for_their_keys_hold_up_no_session() {
    let (source, gated) = OfRandoms::gated();
    let _open = OpenAtLast(Arc::clone(&gated));
    let server = Echo::with(acceptor_of(source.clone()), SOON, 100).await;
    let address = server.address;
    let connect = move || async move {
        let socket = udp::connect(address).await.unwrap();
        let connector = connector_of(OfRandoms::default());
        connector.connect(socket, SOON).await.unwrap()
    };
    gated.gate.add_permits(1);
    let mut established = connect().await;

    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..10 {
        waiting.spawn(connect());
    }
    let mut inside = gated.inside.subscribe();
    let two = timeout(SOON, inside.wait_for(|inside| *inside >= 2)).await;
    two.expect("two handshakes that wait").unwrap();
    for n in 0..100 {
        echoes(&mut established, &format!("{n}")).await;
    }
    assert_eq!(*inside.borrow(), 2);
    gated.gate.add_permits(10);
    let sessions = timeout(SOON, waiting.join_all()).await;
    assert_eq!(sessions.expect("all of them").len(), 10);
    assert_eq!(gated.most.load(Ordering::Relaxed), 2);
    assert_eq!(source.asked.load(Ordering::Relaxed), 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_without_a_seat_ends_by_its_deadline() {
    let (source, gated) = OfRandoms::gated();
    let _open = OpenAtLast(Arc::clone(&gated));
    let server = Echo::start().await;
    let _taken = gated.seats.acquire_many(2).await.unwrap();
    let socket = udp::connect(server.address).await.unwrap();
    let limit = Duration::from_millis(100);
    let refused = connector_of(source.clone()).connect(socket, limit).await;
    assert!(
        matches!(&refused, Err(NoSession::Failed(HandshakeError::NoKey(why))) if why.contains("wait")),
        "{refused:?}"
    );
    assert_eq!(source.asked.load(Ordering::Relaxed), 0);
}
