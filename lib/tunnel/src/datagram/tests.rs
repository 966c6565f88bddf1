use super::*;
use crate::udp;
use mcbn_runtime::shutdown::Trigger;
use std::num::NonZeroUsize;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything here takes, so that a test that goes wrong ends.
const SOON: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    metrics: Metrics,
    trigger: Trigger,
    cut: oneshot::Sender<&'static str>,
    task: JoinHandle<Option<&'static str>>,
}

/// Echoes to each address, until it says `end`.
async fn echo(most: usize) -> Running {
    let socket = Arc::new(udp::bind("127.0.0.1:0".parse().unwrap()).unwrap());
    let address = socket.local_addr().unwrap();
    let (trigger, shutdown) = Shutdown::manual();
    let metrics = Metrics::default();
    let most = NonZeroUsize::new(most).unwrap();
    let slots = Slots::new(most, most);
    let (cut, is_cut) = oneshot::channel();
    let is_cut = async { is_cut.await.expect("the test cuts or keeps it") };
    let counted = metrics.clone();
    let task = tokio::spawn(async move {
        let gate = ByAddress::new(Losses::default());
        let echo = |mut local: Local, place: Place| {
            let socket = Arc::clone(&socket);
            async move {
                let _place = place;
                loop {
                    let datagram = local.receive().await;
                    if datagram == b"end" {
                        return;
                    }
                    socket.send_to(&datagram, local.address()).await.unwrap();
                }
            }
        };
        serve(&socket, gate, slots, counted, shutdown, is_cut, echo).await
    });
    Running {
        address,
        metrics,
        trigger,
        cut,
        task,
    }
}

impl Running {
    async fn peer(&self) -> UdpSocket {
        udp::connect(self.address).await.unwrap()
    }

    async fn comes_to_show(&self, line: &str) {
        let mut registry = Registry::default();
        self.metrics.register(&mut registry);
        let mut text = String::new();
        let shown = timeout(SOON, async {
            loop {
                text.clear();
                prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
                if text.lines().any(|shown| shown == line) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        });
        assert!(shown.await.is_ok(), "never {line} in {text}");
    }

    async fn ends(self) -> Option<&'static str> {
        timeout(SOON, self.task).await.expect("it ends").unwrap()
    }
}

async fn echoes(peer: &UdpSocket, text: &str) {
    peer.send(text.as_bytes()).await.unwrap();
    let mut buffer = [0; 64];
    let length = timeout(SOON, peer.recv(&mut buffer)).await;
    let length = length.expect("an answer").unwrap();
    assert_eq!(&buffer[..length], text.as_bytes());
}

#[tokio::test]
async fn each_address_is_a_peer_with_its_own_datagrams() {
    let running = echo(10).await;
    let peers = [running.peer().await, running.peer().await];
    for round in 0..3 {
        for (n, peer) in peers.iter().enumerate() {
            echoes(peer, &format!("{round} of {n}")).await;
        }
    }
    running.comes_to_show("connections_accepted_total 2").await;
}

#[tokio::test]
async fn a_peer_that_ended_is_forgotten_and_can_come_again() {
    let running = echo(1).await;
    let peer = running.peer().await;
    for _ in 0..3 {
        echoes(&peer, "here").await;
        peer.send(b"end").await.unwrap();
        running.comes_to_show("connections_active 0").await;
    }
    running.comes_to_show("connections_accepted_total 3").await;
}

#[tokio::test]
async fn one_peer_more_than_there_may_be_is_refused() {
    let running = echo(1).await;
    let first = running.peer().await;
    echoes(&first, "first").await;
    running.peer().await.send(b"second").await.unwrap();
    running
        .comes_to_show(r#"connections_refused_total{reason="total_limit"} 1"#)
        .await;
    echoes(&first, "still").await;
}

#[tokio::test]
async fn draining_refuses_new_peers_and_waits_for_the_others() {
    let running = echo(10).await;
    let old = running.peer().await;
    echoes(&old, "before").await;
    running.trigger.drain();
    // The old one's answer comes after the new one was looked at.
    let new = running.peer().await;
    new.send(b"new").await.unwrap();
    echoes(&old, "after").await;
    let refused = new.try_recv(&mut [0; 8]).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
    old.send(b"end").await.unwrap();
    assert_eq!(running.ends().await, None);
}

#[tokio::test]
async fn the_end_of_the_drain_ends_it_whatever_is_open() {
    let running = echo(10).await;
    echoes(&running.peer().await, "open").await;
    running.trigger.end();
    assert_eq!(running.ends().await, None);
}

#[tokio::test]
async fn a_cut_ends_it_whatever_is_open() {
    let mut running = echo(10).await;
    echoes(&running.peer().await, "open").await;
    let (unused, _) = oneshot::channel();
    let cut = std::mem::replace(&mut running.cut, unused);
    cut.send("cut").unwrap();
    assert_eq!(running.ends().await, Some("cut"));
}

#[test]
fn a_peer_that_does_not_read_has_a_bounded_queue() {
    let mut gate = ByAddress::new(Losses::default());
    let metrics = Metrics::default();
    let one = NonZeroUsize::MIN;
    let slots = Slots::new(one, one);
    let from: SocketAddr = "192.0.2.1:1".parse().unwrap();
    let place = || Some(Place::new(slots.take(from.ip()).unwrap(), &metrics));
    let (local, _place) = gate.take(b"first", from, place).unwrap();
    for _ in 0..10 * QUEUE {
        assert!(gate.take(b"more", from, || unreachable!()).is_none());
    }
    assert_eq!(local.queue.len(), QUEUE);
    let mut registry = Registry::default();
    gate.losses.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    let lost = 9 * QUEUE + 1;
    assert!(
        text.contains(&format!("{{reason=\"queue_full\"}} {lost}\n")),
        "{text}"
    );
    drop(local);
    assert!(lock(&gate.queues).is_empty());
}

#[test]
fn errors_of_one_datagram_are_told_from_those_of_the_socket() {
    let of = |error: io::Error| Dropped::of(&error);
    const EMSGSIZE: i32 = 90;
    assert_eq!(
        of(io::Error::from_raw_os_error(EMSGSIZE)),
        Some(Dropped::TooLarge)
    );
    assert_eq!(of(io::ErrorKind::WouldBlock.into()), Some(Dropped::Busy));
    assert_eq!(
        of(io::ErrorKind::ConnectionRefused.into()),
        Some(Dropped::Unreachable)
    );
    assert_eq!(of(io::ErrorKind::PermissionDenied.into()), None);
}
