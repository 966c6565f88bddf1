//! One signature for many connections, and when there must be another.

mod support;

use std::time::Duration;

use mcbn_kms::{Acceptor, Connector, Version};
use support::*;

struct Pair {
    server: Setting,
    client: Setting,
    acceptor: Acceptor,
    connector: Connector,
}

impl Pair {
    async fn new(ca: &Ca, version: Version, lifetime: Option<Duration>) -> Pair {
        let server = Setting::new(P256, ca).with(version);
        let mut client = Setting::new(P256, ca).with(version);
        client.clock = server.clock.clone();
        let acceptor = server.acceptor(ca.peers(), lifetime).await;
        let connector = client.connector(ca.peers(), lifetime).await;
        Pair {
            server,
            client,
            acceptor,
            connector,
        }
    }

    /// Whether a connection was resumed. Both ends agree, and a signature of each is asked for where it was not.
    async fn resumes(&self) -> bool {
        let before = [self.server.local.asked(), self.client.local.asked()];
        let [server, client] = meet(&self.acceptor, &self.connector).await;
        assert_eq!(server.is_resumed(), client.is_resumed());
        let signatures = usize::from(!server.is_resumed());
        assert_eq!(self.server.local.asked(), before[0] + signatures);
        assert_eq!(self.client.local.asked(), before[1] + signatures);
        server.is_resumed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_costs_one_signature() {
    let pair = Pair::new(&Ca::new(), Version::Tls13, Some(HOUR)).await;
    assert!(!pair.resumes().await);
    for _ in 0..5 {
        assert!(pair.resumes().await);
    }
    for metrics in [&pair.server.metrics, &pair.client.metrics] {
        assert_eq!(metrics.handshakes("full"), 1);
        assert_eq!(metrics.handshakes("resumed"), 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_resumed_where_it_is_off() {
    let pair = Pair::new(&Ca::new(), Version::Tls13, None).await;
    assert!(!pair.resumes().await);
    assert!(!pair.resumes().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn either_end_can_turn_it_off() {
    let ca = Ca::new();
    let mut pair = Pair::new(&ca, Version::Tls13, Some(HOUR)).await;
    pair.connector = pair.client.connector(ca.peers(), None).await;
    assert!(!pair.resumes().await);
    assert!(!pair.resumes().await);
    pair.connector = pair.client.connector(ca.peers(), Some(HOUR)).await;
    pair.acceptor = pair.server.acceptor(ca.peers(), None).await;
    assert!(!pair.resumes().await);
    assert!(!pair.resumes().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_resumed_in_tls_1_2() {
    let pair = Pair::new(&Ca::new(), Version::Tls12, Some(HOUR)).await;
    assert!(!pair.resumes().await);
    assert!(!pair.resumes().await);
}

/// However often it was resumed within it.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_past_its_lifetime_is_refused() {
    let pair = Pair::new(&Ca::new(), Version::Tls13, Some(HOUR)).await;
    assert!(!pair.resumes().await);
    pair.server.clock.passes(HOUR / 2);
    assert!(pair.resumes().await);
    pair.server.clock.passes(HOUR / 2 - Duration::from_secs(10));
    assert!(pair.resumes().await);
    pair.server.clock.passes(Duration::from_secs(11));
    assert!(!pair.resumes().await, "an hour after the signature");
    assert!(pair.resumes().await, "and the new one counts anew");
}

/// A client that keeps its tickets for longer is held to the server's time, and the other way around.
#[tokio::test(flavor = "multi_thread")]
async fn the_shorter_lifetime_counts() {
    let ca = Ca::new();
    for longer_at_client in [true, false] {
        let mut pair = Pair::new(&ca, Version::Tls13, Some(HOUR)).await;
        match longer_at_client {
            true => pair.connector = pair.client.connector(ca.peers(), Some(HOUR * 9)).await,
            false => pair.acceptor = pair.server.acceptor(ca.peers(), Some(HOUR * 9)).await,
        }
        assert!(!pair.resumes().await);
        pair.server.clock.passes(HOUR / 2);
        assert!(pair.resumes().await);
        // Within an hour of that one, and not of the signature.
        pair.server.clock.passes(HOUR * 3 / 4);
        assert!(!pair.resumes().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_past_the_peer_s_certificate_is_refused() {
    let ca = Ca::new();
    let mut pair = Pair::new(&ca, Version::Tls13, Some(HOUR)).await;
    let short = Says {
        ends: 20 * 60,
        ..GOOD
    };
    pair.client.chain = ca.issue(&pair.client.local, &short);
    pair.connector = pair.client.connector(ca.peers(), Some(HOUR)).await;
    assert!(!pair.resumes().await);
    pair.server.clock.passes(Duration::from_secs(10 * 60));
    assert!(pair.resumes().await);
    pair.server.clock.passes(Duration::from_secs(11 * 60));
    let (_, far) = handshakes(&pair.acceptor, &pair.connector).await;
    assert_eq!(
        far.unwrap_err().reason(),
        "expired",
        "it is asked for again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_server_with_another_peer_ca_is_refused() {
    let (ca, other) = (Ca::new(), Ca::new());
    let mut pair = Pair::new(&ca, Version::Tls13, Some(HOUR)).await;
    assert!(!pair.resumes().await);
    pair.acceptor = pair.server.acceptor(other.peers(), Some(HOUR)).await;
    let (_, far) = handshakes(&pair.acceptor, &pair.connector).await;
    assert_eq!(far.unwrap_err().reason(), "chain");
}

/// The same server, started anew, knows nothing of before.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_an_earlier_run_is_refused() {
    let ca = Ca::new();
    let mut pair = Pair::new(&ca, Version::Tls13, Some(HOUR)).await;
    assert!(!pair.resumes().await);
    pair.acceptor = pair.server.acceptor(ca.peers(), Some(HOUR)).await;
    pair.server.clock.passes(Duration::from_secs(60));
    assert!(!pair.resumes().await);
    assert!(pair.resumes().await);
}
