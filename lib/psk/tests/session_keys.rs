//! Keys that depend on both randoms: in TLS 1.2, and only there.

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mcbn_psk::handshake::NoStream;
use mcbn_psk::{Acceptor, Connector, HandshakeError, KeySource, NoKey, PeerFault, Protocol};
use mcbn_psk::{Randoms, Resumption, Versions};
use mcbn_secret::Psk;
use mcbn_tunnel::handshake::{Fault, Handshake, HandshakeFailure};
use openssl::ssl::{SslOptions, SslVersion};
use support::*;
use tokio::net::TcpStream;

fn of(source: &OfRandoms) -> (Connector, Acceptor) {
    (
        session_connector(IDENTITY, source.clone(), Resumption::Off),
        session_acceptor(source.clone(), Resumption::Off),
    )
}

/// As a program does it, with what a person is told.
async fn handshake<H: Handshake>(side: &H, plain: TcpStream) -> Result<H::Stream, H::Error> {
    side.handshake(plain, Instant::now() + Duration::from_secs(20))
        .await
}

#[tokio::test]
async fn every_session_has_a_key_of_its_own() {
    let source = OfRandoms::default();
    let (client, server) = of(&source);
    for n in 1..=3 {
        let (near, far) = meet(&client, &server).await;
        let (near, far) = (near.unwrap(), far.unwrap());
        assert_eq!(near.peer().protocol(), Protocol::Tls12);
        assert_eq!(near.peer(), far.peer());
        assert!(!near.peer().is_resumed());
        // Once on either side.
        assert_eq!(source.asked.load(Ordering::Relaxed), 2 * n);
    }
    let keys = source.keys.lock().unwrap();
    assert_eq!(keys.len(), 6);
    for session in keys.chunks(2) {
        assert_eq!(session[0], session[1], "both ends have the same");
    }
    assert_ne!(keys[0], keys[2]);
    assert_ne!(keys[2], keys[4]);
}

#[tokio::test]
async fn tls12_is_spoken_with_a_peer_that_has_tls13_too() {
    let source = OfRandoms::default();
    let (client, server) = of(&source);
    let mut ctx = foreign_client(SslVersion::TLS1_2, None);
    ctx.set_max_proto_version(Some(SslVersion::TLS1_3)).unwrap();
    let foreign = source.clone();
    ctx.set_psk_client_callback(move |ssl, _, name, out| {
        name[..=IDENTITY.len()].copy_from_slice(b"Client1\0");
        Ok(foreign.write_foreign(ssl, out))
    });
    let ctx = ctx.build();
    let (foreign, ours) = against_server(&server, move |s| connect(&ctx, s, None)).await;
    foreign.unwrap();
    assert_eq!(ours.unwrap().peer().protocol(), Protocol::Tls12);

    let mut ctx = foreign_server(SslVersion::TLS1_2, None);
    ctx.set_max_proto_version(Some(SslVersion::TLS1_3)).unwrap();
    ctx.set_psk_server_callback(move |ssl, _, out| Ok(source.write_foreign(ssl, out)));
    let ctx = ctx.build();
    let (foreign, ours) = against_client(&client, move |s| accept(&ctx, s)).await;
    foreign.unwrap();
    assert_eq!(ours.unwrap().peer().protocol(), Protocol::Tls12);
}

#[tokio::test]
async fn a_client_that_has_only_tls13_is_refused_with_the_reason() {
    let source = OfRandoms::default();
    let (_, server) = of(&source);
    let client = connector(IDENTITY, KEY, Versions::Tls13);
    let (near, far) = tcp_pair().await;
    let (near, far) = tokio::join!(client.connect(near), handshake(&server, far));
    assert_eq!(fault(near), PeerFault::Alert(70));
    needs_tls12(&far.unwrap_err());
    assert_eq!(source.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_server_that_has_only_tls13_is_refused_with_the_reason() {
    let source = OfRandoms::default();
    let (client, _) = of(&source);
    let server = acceptor(Versions::Tls13);
    let (near, far) = tcp_pair().await;
    let (near, far) = tokio::join!(handshake(&client, near), server.accept(far));
    assert_eq!(fault(far), PeerFault::Version);
    needs_tls12(&near.unwrap_err());
    assert_eq!(source.asked.load(Ordering::Relaxed), 0);
}

fn needs_tls12(refused: &NoStream) {
    assert_eq!(refused.fault(), Fault::Peer);
    let hint = refused.hint().expect("a hint");
    assert!(
        hint.contains("TLS 1.2") && hint.contains("randoms"),
        "{hint}"
    );
}

#[tokio::test]
async fn the_reason_is_another_where_tls13_would_do() {
    let server = acceptor(Versions::Tls13);
    let ctx = foreign_client(SslVersion::TLS1_2, Some(KEY)).build();
    let (near, far) = tcp_pair().await;
    let near = near.into_std().unwrap();
    near.set_nonblocking(false).unwrap();
    let foreign = tokio::task::spawn_blocking(move || connect(&ctx, near, None).is_ok());
    let refused = handshake(&server, far).await.unwrap_err();
    assert!(!foreign.await.unwrap());
    assert_eq!((refused.reason(), refused.hint()), ("version", None));
}

#[tokio::test]
async fn another_key_and_an_unknown_identity_are_refused_alike() {
    for (identity, secret) in [(IDENTITY, OTHER_KEY), ("nobody", KEY)] {
        let (theirs, ours) = (OfRandoms::with(secret), OfRandoms::default());
        let client = session_connector(identity, theirs, Resumption::Off);
        let server = session_acceptor(ours.clone(), Resumption::Off);
        let (near, far) = tcp_pair().await;
        let (near, far) = tokio::join!(handshake(&client, near), handshake(&server, far));
        let [near, far] = [near, far].map(Result::unwrap_err);
        let alert = matches!(near.error(), HandshakeError::Peer(PeerFault::Alert(20)));
        assert!(alert, "{identity}: {near}");
        assert_eq!(far.reason(), "wrong_key", "{identity}");
        for refused in [near, far] {
            assert_eq!(refused.hint(), Some("what the test says"));
        }
        // The work is the same.
        assert_eq!(ours.asked.load(Ordering::Relaxed), 1, "{identity}");
    }
}

#[tokio::test]
async fn a_peer_without_an_extended_master_secret_is_refused() {
    const NO_EXTENDED_MASTER_SECRET: u64 = 1;
    for resumption in [Resumption::Off, Resumption::On] {
        let source = OfRandoms::default();
        let server = session_acceptor(source.clone(), resumption);
        let mut ctx = foreign_client(SslVersion::TLS1_2, None);
        ctx.set_options(SslOptions::from_bits_retain(NO_EXTENDED_MASTER_SECRET));
        ctx.set_psk_client_callback(move |ssl, _, name, out| {
            name[..=IDENTITY.len()].copy_from_slice(b"Client1\0");
            Ok(source.write_foreign(ssl, out))
        });
        let ctx = ctx.build();
        let (_, ours) = against_server(&server, move |s| connect(&ctx, s, None)).await;
        assert_eq!(fault(ours), PeerFault::NoExtendedMasterSecret);
    }
}

#[tokio::test]
async fn a_server_with_only_a_certificate_is_refused() {
    let (client, _) = of(&OfRandoms::default());
    let ctx = with_certificate(foreign_server(SslVersion::TLS1_2, None)).build();
    let (foreign, ours) = against_client(&client, move |s| accept(&ctx, s)).await;
    assert!(foreign.is_err());
    assert_eq!(fault(ours), PeerFault::Alert(40));
}

/// Has no key, or has it when nobody waits for it any more.
#[derive(Clone, Copy)]
enum Broken {
    None,
    Late,
}

impl KeySource for Broken {
    fn write_key(
        &self,
        _: &Randoms,
        until: Option<Instant>,
        _: &mut [u8; Psk::LENGTH],
    ) -> Result<(), NoKey> {
        match self {
            Self::None => Err(NoKey("it is broken")),
            Self::Late => {
                let until = until.expect("a program has a deadline");
                std::thread::sleep(until.saturating_duration_since(Instant::now()));
                Ok(())
            }
        }
    }
}

#[tokio::test]
async fn a_session_without_a_key_fails_by_the_fault_of_the_side_that_has_none() {
    for (broken, why) in [
        (Broken::None, "it is broken"),
        (Broken::Late, "it came too late"),
    ] {
        let within = |side: TcpStream| (side, Instant::now() + Duration::from_millis(300));
        let (client, server) = of(&OfRandoms::default());

        let without = session_connector(IDENTITY, broken, Resumption::Off);
        let (near, far) = tcp_pair().await;
        let (near, until) = within(near);
        let (near, far) = tokio::join!(without.handshake(near, until), server.accept(far));
        has_no_key(&near.unwrap_err(), why);
        assert_eq!(fault(far), PeerFault::Alert(40));

        let without = session_acceptor(broken, Resumption::Off);
        let (near, far) = tcp_pair().await;
        let (far, until) = within(far);
        let (near, far) = tokio::join!(client.connect(near), without.handshake(far, until));
        has_no_key(&far.unwrap_err(), why);
        // internal_error, and not unknown_psk_identity.
        assert_eq!(fault(near), PeerFault::Alert(80));
    }
}

fn has_no_key(failed: &NoStream, why: &str) {
    assert_eq!((failed.fault(), failed.reason()), (Fault::Local, "no_key"));
    let said = failed.to_string();
    assert_eq!(said, format!("there is no key for this session: {why}"));
}

#[tokio::test]
async fn the_source_goes_with_the_last_that_could_ask_it() {
    for resumption in [Resumption::Off, Resumption::On] {
        let source = OfRandoms::default();
        let client = session_connector(IDENTITY, source.clone(), resumption);
        let server = session_acceptor(source.clone(), resumption);
        let witnesses = [client.witness(), server.witness()];
        let is_wiped = || witnesses.each_ref().map(|witness| witness.key_is_wiped());
        let (near, far) = meet(&client, &server).await;
        let (near, far) = (near.unwrap(), far.unwrap());
        drop((client, server));
        assert_eq!(is_wiped(), [false, false], "connections are open");
        drop((near, far));
        assert_eq!(is_wiped(), [true, true]);
        // The test's own is all that is left.
        assert_eq!(Arc::strong_count(&source.asked), 1);
    }
}
