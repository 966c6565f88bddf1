//! Peers that are not let in, and signatures that are not sent.

mod support;

use std::time::{Duration, Instant};

use mcbn_gcp::{Corrupt, Failure};
use mcbn_kms::{Acceptor, Connector, End, HandshakeError, PeerFault, Setup, Version};
use mcbn_tunnel::handshake::{Fault, HandshakeFailure};
use support::*;
use tokio::io::duplex;

const BOTH: [Version; 2] = [Version::Tls12, Version::Tls13];

/// The server's and the client's fault in the other one.
async fn faults(acceptor: &Acceptor, connector: &Connector) -> [Option<PeerFault>; 2] {
    let (near, far) = handshakes(acceptor, connector).await;
    [far, near].map(|outcome| match outcome {
        Err(HandshakeError::Peer(fault)) => Some(fault),
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    })
}

async fn client_is_refused(says: Says, why: PeerFault) {
    let ca = Ca::new();
    for version in BOTH {
        let server = Setting::new(P256, &ca).with(version);
        let acceptor = server.acceptor(ca.peers(), None).await;
        for (says, refused) in [(&GOOD, None), (&says, Some(why))] {
            let client = ca.stranger_client(version, says);
            let (near, far) = duplex(1 << 16);
            let name = "peer.example".try_into().unwrap();
            let accepting = acceptor.accept(far, Instant::now() + SOON);
            let (_near, far) = tokio::join!(client.connect(name, near), accepting);
            let fault = match far {
                Err(HandshakeError::Peer(fault)) => Some(fault),
                Err(other) => panic!("{other}"),
                Ok(_) => None,
            };
            assert_eq!(fault, refused, "{version:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_certificate_has_expired_is_refused() {
    client_is_refused(Says { ends: -1, ..GOOD }, PeerFault::Expired).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_certificate_has_not_begun_is_refused() {
    client_is_refused(Says { begins: 60, ..GOOD }, PeerFault::NotYetValid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_certificate_for_servers_is_refused() {
    let says = Says {
        client: false,
        ..GOOD
    };
    client_is_refused(says, PeerFault::Usage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_certificate_that_says_no_use_is_refused() {
    let says = Says {
        client: false,
        server: false,
        ..GOOD
    };
    client_is_refused(says, PeerFault::Usage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_certificate_for_another_use_is_refused() {
    let ca = Ca::new();
    let for_clients = Says {
        server: false,
        ..GOOD
    };
    let for_nothing = Says {
        client: false,
        server: false,
        ..GOOD
    };
    for version in BOTH {
        let client = Setting::new(P256, &ca).with(version);
        let connector = client.connector(ca.peers(), None).await;
        for says in [&for_clients, &for_nothing] {
            let server = ca.stranger_server(version, says);
            let (near, far) = duplex(1 << 16);
            let connecting = connector.connect(near, Instant::now() + SOON);
            let (near, _far) = tokio::join!(connecting, server.accept(far));
            let error = near.unwrap_err();
            assert!(
                matches!(error, HandshakeError::Peer(PeerFault::Usage)),
                "{error}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_of_a_stranger_s_ca_is_refused() {
    for version in BOTH {
        let (ours, theirs) = (Ca::new(), Ca::new());
        let server = Setting::new(P256, &ours).with(version);
        let stranger = Setting::new(P256, &theirs).with(version);
        let acceptor = server.acceptor(ours.peers(), None).await;
        let connector = stranger.connector(ours.peers(), None).await;
        assert_eq!(
            faults(&acceptor, &connector).await[0],
            Some(PeerFault::Chain)
        );

        let acceptor = stranger.acceptor(ours.peers(), None).await;
        let connector = server.connector(ours.peers(), None).await;
        assert_eq!(
            faults(&acceptor, &connector).await[1],
            Some(PeerFault::Chain)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_of_another_name_is_refused() {
    let ca = Ca::new();
    let setting = Setting::new(P256, &ca);
    let acceptor = setting.acceptor(ca.peers(), None).await;
    let other = ca.peers_named(&["other.example"]);
    let connector = setting.connector(other.clone(), None).await;
    assert_eq!(
        faults(&acceptor, &connector).await[1],
        Some(PeerFault::Name)
    );

    let acceptor = setting.acceptor(other, None).await;
    let either = ca.peers_named(&["other.example", "peer.example"]);
    let connector = setting.connector(either, None).await;
    assert_eq!(
        faults(&acceptor, &connector).await[0],
        Some(PeerFault::Name)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_of_the_other_version_is_refused() {
    let ca = Ca::new();
    for [ours, theirs] in [
        [Version::Tls12, Version::Tls13],
        [Version::Tls13, Version::Tls12],
    ] {
        let server = Setting::new(P256, &ca).with(ours);
        let acceptor = server.acceptor(ca.peers(), None).await;
        let client = Setting::new(P256, &ca).with(theirs);
        let connector = client.connector(ca.peers(), None).await;
        assert_eq!(
            faults(&acceptor, &connector).await[0],
            Some(PeerFault::Version)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_is_none_is_refused_at_the_start() {
    let ca = Ca::new();
    for behaviour in [Behaviour::Corrupt, Behaviour::Foreign] {
        let setting = Setting::new(P256, &ca);
        setting.local.behaves(behaviour);
        let refused = setting.credentials(End::Server).await.unwrap_err();
        assert!(matches!(refused, Setup::ForeignSignature), "{refused}");
    }
}

/// What this side says of its signer, and that nothing of it reached the other one.
async fn unsigned(behaviour: Behaviour, limit: Duration) -> [&'static str; 2] {
    let mut reasons = [""; 2];
    let ca = Ca::new();
    for (own, reason) in [End::Server, End::Client].into_iter().zip(&mut reasons) {
        let mut setting = Setting::new(P256, &ca);
        setting.limits.signature = limit;
        let other = Setting::new(P256, &ca);
        let (ours, theirs) = match own {
            End::Server => {
                let acceptor = setting.acceptor(ca.peers(), None).await;
                let connector = other.connector(ca.peers(), None).await;
                setting.local.behaves(behaviour.clone());
                let (near, far) = handshakes(&acceptor, &connector).await;
                (far, near.map(|_| ()))
            }
            End::Client => {
                let acceptor = other.acceptor(ca.peers(), None).await;
                let connector = setting.connector(ca.peers(), None).await;
                setting.local.behaves(behaviour.clone());
                let (near, far) = handshakes(&acceptor, &connector).await;
                (near, far.map(|_| ()))
            }
        };
        let error = ours.unwrap_err();
        assert!(matches!(error, HandshakeError::Unsigned(_)), "{error}");
        *reason = error.reason();
        assert_eq!(setting.metrics.signatures(reason), 1, "{reason}");
        let theirs = theirs.unwrap_err();
        // A signature that is wrong would be another fault.
        assert!(
            matches!(
                theirs,
                HandshakeError::Peer(PeerFault::Closed | PeerFault::Alert(_))
            ),
            "{theirs}"
        );
    }
    reasons
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_signature_is_refused_before_it_is_sent() {
    let foreign = ["kms_foreign_signature"; 2];
    assert_eq!(unsigned(Behaviour::Corrupt, SOON).await, foreign);
    assert_eq!(unsigned(Behaviour::Foreign, SOON).await, foreign);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signer_that_is_slow_meets_the_deadline() {
    let limit = Duration::from_millis(50);
    assert_eq!(
        unsigned(Behaviour::Stalled, limit).await,
        ["kms_deadline"; 2]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signer_that_fails_is_told_by_name() {
    let corrupt = Behaviour::Fails(Failure::Corrupt(Corrupt::Checksum));
    assert_eq!(unsigned(corrupt, SOON).await, ["kms_corrupt"; 2]);
    let slow = Behaviour::Fails(Failure::Slow);
    assert_eq!(unsigned(slow, SOON).await, ["kms_deadline"; 2]);
    let nobody = Behaviour::Fails(Failure::NoCredentials("none".into()));
    assert_eq!(unsigned(nobody, SOON).await, ["kms_credentials"; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_pass_is_told_from_what_stays() {
    let ca = Ca::new();
    for (behaviour, fault) in [
        (Behaviour::Fails(Failure::Slow), Fault::Network),
        (
            Behaviour::Fails(Failure::NoCredentials("none".into())),
            Fault::Local,
        ),
        (Behaviour::Corrupt, Fault::Local),
    ] {
        let setting = Setting::new(P256, &ca);
        let acceptor = setting.acceptor(ca.peers(), None).await;
        let connector = Setting::new(P256, &ca).connector(ca.peers(), None).await;
        setting.local.behaves(behaviour);
        let error = handshakes(&acceptor, &connector).await.1.unwrap_err();
        assert_eq!(error.fault(), fault, "{error}");
    }
}
