//! A source that is slow holds up nobody but who waits for its keys.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mcbn_psk::{KeySource, NoKey, Randoms, Resumption};
use mcbn_secret::Psk;
use mcbn_tunnel::handshake::{Handshake, HandshakeFailure};
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Longer than anything here takes, so that a test that goes wrong ends.
const SOON: Duration = Duration::from_secs(20);

/// Has two seats, and keeps whoever asks for a key until the test lets it go.
#[derive(Clone)]
struct Slow {
    keys: OfRandoms,
    seats: Arc<Semaphore>,
    gate: Arc<Semaphore>,
    inside: watch::Sender<usize>,
    most: Arc<AtomicUsize>,
}

impl Slow {
    fn new() -> Self {
        Self {
            keys: OfRandoms::default(),
            seats: Arc::new(Semaphore::new(2)),
            gate: Arc::new(Semaphore::new(0)),
            inside: watch::Sender::new(0),
            most: Arc::default(),
        }
    }
}

/// A test that goes wrong ends: who waits at the gate would hold up the end of the runtime.
struct OpenAtLast(Arc<Semaphore>);

impl Drop for OpenAtLast {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl KeySource for Slow {
    fn write_key(
        &self,
        randoms: &Randoms,
        until: Option<Instant>,
        out: &mut [u8; Psk::LENGTH],
    ) -> Result<(), NoKey> {
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
        self.keys.write_key(randoms, until, out)
    }

    fn seats(&self) -> Option<Arc<Semaphore>> {
        Some(Arc::clone(&self.seats))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_that_wait_for_their_keys_hold_up_no_connection() {
    let slow = Slow::new();
    let _open = OpenAtLast(Arc::clone(&slow.gate));
    let server = session_acceptor(slow.clone(), Resumption::Off);
    let client = session_connector(IDENTITY, OfRandoms::default(), Resumption::Off);
    slow.gate.add_permits(1);
    let (near, far) = meet(&client, &server).await;
    let (mut near, mut far) = (near.unwrap(), far.unwrap());
    let echo = tokio::spawn(async move {
        let mut byte = [0];
        while far.read(&mut byte).await.unwrap() > 0 {
            far.write_all(&byte).await.unwrap();
        }
    });

    let mut waiting = JoinSet::new();
    for _ in 0..10 {
        let (client, server) = (client.clone(), server.clone());
        waiting.spawn(async move {
            let (near, far) = meet(&client, &server).await;
            near.and(far).map(drop)
        });
    }
    let mut inside = slow.inside.subscribe();
    let two = timeout(SOON, inside.wait_for(|inside| *inside >= 2)).await;
    two.expect("two handshakes that wait").unwrap();
    for n in 0..100 {
        let mut answer = [0];
        near.write_all(&[n]).await.unwrap();
        timeout(SOON, near.read_exact(&mut answer))
            .await
            .expect("an answer")
            .unwrap();
        assert_eq!(answer, [n]);
    }
    assert_eq!(*inside.borrow(), 2);
    assert_eq!(slow.seats.available_permits(), 0);
    slow.gate.add_permits(10);
    let all = timeout(SOON, waiting.join_all())
        .await
        .expect("all of them");
    assert_eq!(all.len(), 10);
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(slow.most.load(Ordering::Relaxed), 2);
    assert_eq!(slow.seats.available_permits(), 2);
    near.shutdown().await.unwrap();
    echo.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_without_a_seat_ends_by_its_deadline() {
    let slow = Slow::new();
    let _open = OpenAtLast(Arc::clone(&slow.gate));
    let server = session_acceptor(slow.clone(), Resumption::Off);
    let _taken = slow.seats.acquire_many(2).await.unwrap();
    let (_near, far) = tcp_pair().await;
    let until = Instant::now() + Duration::from_millis(100);
    let ended = timeout(SOON, server.handshake(far, until)).await;
    let failed = ended.expect("an end").unwrap_err();
    assert_eq!(failed.reason(), "no_key");
    assert_eq!(*slow.inside.borrow(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_is_given_up_gives_its_place_back() {
    let slow = Slow::new();
    let _open = OpenAtLast(Arc::clone(&slow.gate));
    let server = session_acceptor(slow.clone(), Resumption::Off);
    let client = session_connector(IDENTITY, OfRandoms::default(), Resumption::Off);
    let taken = slow.seats.acquire_many(2).await.unwrap();
    for _ in 0..3 {
        let (near, far) = tcp_pair().await;
        let given_up = tokio::select! {
            biased;
            _ = server.accept(far) => false,
            _ = client.connect(near) => false,
            () = std::future::ready(()) => true,
        };
        assert!(given_up);
    }
    drop(taken);
    slow.gate.add_permits(1);
    let (near, far) = timeout(SOON, meet(&client, &server)).await.expect("an end");
    near.unwrap();
    far.unwrap();
}
