//! Many handshakes, and a signer that takes its time.

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcbn_kms::{Acceptor, Connector};
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// As many handshakes, each a task of its own.
fn start(
    how_many: usize,
    acceptor: &Acceptor,
    connector: &Connector,
) -> JoinSet<Result<(), &'static str>> {
    let mut tasks = JoinSet::new();
    for _ in 0..how_many {
        let (acceptor, connector) = (acceptor.clone(), connector.clone());
        tasks.spawn(async move {
            let (near, far) = handshakes(&acceptor, &connector).await;
            far.map_err(|error| error.reason())?;
            near.map_err(|error| error.reason())?;
            Ok(())
        });
    }
    tasks
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_handshakes_sign_concurrently() {
    const EACH: Duration = Duration::from_millis(100);
    let ca = Ca::new();
    let server = Setting::new(P256, &ca);
    let acceptor = server.acceptor(ca.peers(), None).await;
    let connector = Setting::new(P256, &ca).connector(ca.peers(), None).await;
    server.local.behaves(Behaviour::Slow(EACH));
    let started = Instant::now();
    start(1, &acceptor, &connector).join_all().await;
    let one = started.elapsed();

    let started = Instant::now();
    let outcomes = start(50, &acceptor, &connector).join_all().await;
    let all = started.elapsed();
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert!(one >= EACH);
    // One after the other would be 50 times as long; a loaded machine has room here.
    assert!(all < one * 10, "{all:?} for 50, {one:?} for one");
    assert!(server.local.most_at_once() > 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signer_that_stalls_holds_up_nothing_that_is_open() {
    let ca = Ca::new();
    let mut server = Setting::new(P256, &ca);
    server.limits.concurrency = 3;
    let acceptor = server.acceptor(ca.peers(), None).await;
    let connector = Setting::new(P256, &ca).connector(ca.peers(), None).await;
    let (near, far) = handshakes(&acceptor, &connector).await;
    let (mut near, mut far) = (near.unwrap(), far.unwrap());
    let echo = tokio::spawn(async move {
        let mut byte = [0];
        while far.read_exact(&mut byte).await.is_ok() {
            far.write_all(&byte).await.unwrap();
        }
    });

    let gate = Arc::new(Semaphore::new(0));
    server.local.behaves(Behaviour::Gated(Arc::clone(&gate)));
    let waiting = start(40, &acceptor, &connector);
    let seated = timeout(SOON, async {
        while server.local.at_once() < 3 {
            tokio::task::yield_now().await;
        }
    });
    seated.await.expect("they come to their seats");
    for _ in 0..100 {
        let mut heard = [0];
        let heard = async {
            near.write_all(b"x").await.unwrap();
            near.read_exact(&mut heard).await.unwrap();
        };
        timeout(SOON, heard).await.expect("it goes on");
    }
    // What is blocked goes on first: a test that fails is to end.
    gate.add_permits(40);
    let outcomes = waiting.join_all().await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(server.local.most_at_once(), 3);
    drop(near);
    echo.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_without_a_seat_ends_by_its_deadline() {
    let ca = Ca::new();
    let mut server = Setting::new(P256, &ca);
    server.limits.concurrency = 1;
    let acceptor = server.acceptor(ca.peers(), None).await;
    let connector = Setting::new(P256, &ca).connector(ca.peers(), None).await;
    let gate = Arc::new(Semaphore::new(0));
    server.local.behaves(Behaviour::Gated(Arc::clone(&gate)));
    let first = start(1, &acceptor, &connector);
    while server.local.at_once() < 1 {
        tokio::task::yield_now().await;
    }
    let (_near, far) = tokio::io::duplex(1);
    let soon = Instant::now() + Duration::from_millis(20);
    let late = timeout(Duration::from_secs(2), acceptor.accept(far, soon)).await;
    gate.add_permits(1);
    let late = late.expect("it ends by itself").unwrap_err();
    assert_eq!(late.reason(), "kms_no_seat");
    assert_eq!(first.join_all().await, [Ok(())]);
}

/// One that says nothing would have the only seat otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_that_says_nothing_has_no_seat() {
    let ca = Ca::new();
    let mut server = Setting::new(P256, &ca);
    server.limits.concurrency = 1;
    let acceptor = server.acceptor(ca.peers(), None).await;
    let connector = Setting::new(P256, &ca).connector(ca.peers(), None).await;
    let mut strangers = JoinSet::new();
    let mut silent = Vec::new();
    for _ in 0..10 {
        let (near, far) = tokio::io::duplex(1);
        silent.push(near);
        let acceptor = acceptor.clone();
        strangers.spawn(async move { acceptor.accept(far, Instant::now() + SOON).await.is_ok() });
    }
    tokio::task::yield_now().await;
    meet(&acceptor, &connector).await;
    drop(silent);
    assert_eq!(strangers.join_all().await, [false; 10]);
}
