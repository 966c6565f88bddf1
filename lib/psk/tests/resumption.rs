//! Tickets and cached sessions are ways around the key: none is given, none is taken, unless somebody has asked for it.

mod support;

use std::io::{Read, Write};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use mcbn_psk::{Acceptor, AuthenticatedPeer, Connector, PeerFault, Protocol, Resumption, Versions};
use openssl::ssl::{SslContextBuilder, SslOptions, SslSession, SslSessionCacheMode, SslVersion};
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const BOTH: [(Versions, SslVersion); 2] = [
    (Versions::Tls13, SslVersion::TLS1_3),
    (Versions::Tls12And13, SslVersion::TLS1_2),
];

const TICKETS: [SslOptions; 2] = [SslOptions::empty(), SslOptions::NO_TICKET];

type Sessions = Arc<Mutex<Vec<SslSession>>>;

fn collecting(mut ctx: SslContextBuilder) -> (SslContextBuilder, Sessions) {
    let sessions = Sessions::default();
    let kept = Arc::clone(&sessions);
    ctx.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    ctx.set_new_session_callback(move |_, session| kept.lock().unwrap().push(session));
    (ctx, sessions)
}

/// A session that another server would resume: by a ticket that holds the session, or by a short name of it.
fn session_of_another_server(version: SslVersion, ticket: SslOptions) -> SslSession {
    let mut server = with_certificate(foreign_server(version, None));
    server.set_session_id_context(b"another server").unwrap();
    server.set_options(ticket);
    let server = server.build();
    let (client, sessions) = collecting(foreign_client(version, None));
    let client = client.build();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = std::thread::spawn(move || {
        let mut tls = accept(&server, listener.accept().unwrap().0).unwrap();
        tls.write_all(b"x").unwrap();
    });
    let stream = std::net::TcpStream::connect(address).unwrap();
    let mut tls = connect(&client, stream, None).unwrap();
    // Tickets come before the first data.
    tls.read_exact(&mut [0]).unwrap();
    // A session whose connection just breaks off is not resumed.
    tls.shutdown().unwrap();
    serving.join().unwrap();
    sessions.lock().unwrap().pop().expect("a ticket")
}

#[tokio::test]
async fn no_session_is_given_that_could_be_resumed() {
    for (versions, version) in BOTH {
        let (ctx, sessions) = collecting(foreign_client(version, Some(KEY)));
        let ctx = ctx.build();
        let (near, far) = tcp_pair().await;
        let near = near.into_std().unwrap();
        near.set_nonblocking(false).unwrap();
        let foreign = tokio::task::spawn_blocking(move || {
            let mut tls = connect(&ctx, near, None).unwrap();
            tls.write_all(b"question").unwrap();
            let mut answer = [0; 6];
            tls.read_exact(&mut answer).unwrap();
            answer
        });
        let mut ours = acceptor(versions).accept(far).await.unwrap();
        ours.read_exact(&mut [0; 8]).await.unwrap();
        ours.write_all(b"answer").await.unwrap();
        assert_eq!(&foreign.await.unwrap(), b"answer");

        for session in sessions.lock().unwrap().iter() {
            // TLS 1.2 has a session without a ticket and without an identifier: nothing to come back with.
            assert!(session.id().is_empty(), "a session with an identifier");
            assert_eq!(version, SslVersion::TLS1_2, "a ticket");
        }
    }
}

#[tokio::test]
async fn a_session_of_another_server_is_passed_over_and_the_key_is_asked_for() {
    for (versions, version) in BOTH {
        for ticket in TICKETS {
            let session = session_of_another_server(version, ticket);
            let ctx = foreign_client(version, Some(KEY)).build();
            let (foreign, ours) = against_server(&acceptor(versions), move |s| {
                connect(&ctx, s, Some(&session))
            })
            .await;
            ours.unwrap();
            assert!(foreign.unwrap().ssl().peer_certificate().is_none());
        }
    }
}

#[tokio::test]
async fn a_session_without_the_key_is_refused() {
    for (versions, version) in BOTH {
        for (key, ticket) in [
            (None, TICKETS[0]),
            (Some(OTHER_KEY), TICKETS[0]),
            (None, TICKETS[1]),
            (Some(OTHER_KEY), TICKETS[1]),
        ] {
            let session = session_of_another_server(version, ticket);
            let ctx = foreign_client(version, key).build();
            let (foreign, ours) = against_server(&acceptor(versions), move |s| {
                connect(&ctx, s, Some(&session))
            })
            .await;
            assert!(foreign.is_err());
            assert!(ours.is_err());
        }
    }
}

/// Meets, and ends in order: a session whose connection just breaks off is not resumed.
async fn meet_and_part(client: &Connector, server: &Acceptor) -> AuthenticatedPeer {
    let (near, far) = meet(client, server).await;
    let (mut near, mut far) = (near.unwrap(), far.unwrap());
    let peer = near.peer().clone();
    assert_eq!(&peer, far.peer(), "both ends say the same");
    near.write_all(b"question").await.unwrap();
    near.shutdown().await.unwrap();
    let mut question = Vec::new();
    far.read_to_end(&mut question).await.unwrap();
    assert_eq!(question, b"question");
    far.shutdown().await.unwrap();
    near.read_to_end(&mut Vec::new()).await.unwrap();
    peer
}

#[tokio::test]
async fn every_session_asks_for_its_key_unless_resumption_is_on() {
    use Resumption::{Off, On};
    for (of_client, of_server) in [(Off, Off), (Off, On), (On, Off)] {
        let source = OfRandoms::default();
        let client = session_connector(IDENTITY, source.clone(), of_client);
        let server = session_acceptor(source.clone(), of_server);
        for n in 1..=2 {
            let peer = meet_and_part(&client, &server).await;
            assert!(!peer.is_resumed());
            assert_eq!(source.asked.load(Ordering::Relaxed), 2 * n);
        }
    }
}

#[tokio::test]
async fn a_session_is_resumed_without_a_key_where_resumption_is_on() {
    let source = OfRandoms::default();
    let client = session_connector(IDENTITY, source.clone(), Resumption::On);
    let server = session_acceptor(source.clone(), Resumption::On);
    let first = meet_and_part(&client, &server).await;
    assert!(!first.is_resumed());
    for _ in 0..3 {
        // Clones have the session in common.
        let again = meet_and_part(&client.clone(), &server.clone()).await;
        assert!(again.is_resumed());
        assert_eq!(again.protocol(), Protocol::Tls12);
        assert_eq!(again.cipher_suite(), first.cipher_suite());
    }
    assert_eq!(source.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_session_that_the_server_does_not_know_is_passed_over_and_the_key_is_asked_for() {
    let source = OfRandoms::default();
    let client = session_connector(IDENTITY, source.clone(), Resumption::On);
    for n in 1..=2 {
        // Another server each time.
        let server = session_acceptor(source.clone(), Resumption::On);
        assert!(!meet_and_part(&client, &server).await.is_resumed());
        assert_eq!(source.asked.load(Ordering::Relaxed), 2 * n);
        assert!(meet_and_part(&client, &server).await.is_resumed());
        assert_eq!(source.asked.load(Ordering::Relaxed), 2 * n);
    }
}

#[tokio::test]
async fn a_session_is_forgotten_with_the_connection_that_broke() {
    let source = OfRandoms::default();
    let client = session_connector(IDENTITY, source.clone(), Resumption::On);
    let server = session_acceptor(source.clone(), Resumption::On);
    let (near, far) = meet(&client, &server).await;
    drop((near.unwrap(), far.unwrap()));
    assert!(!meet_and_part(&client, &server).await.is_resumed());
}

#[tokio::test]
async fn a_session_without_an_extended_master_secret_is_refused_when_it_is_resumed_too() {
    const NO_EXTENDED_MASTER_SECRET: u64 = 1;
    let source = OfRandoms::default();
    let server = session_acceptor(source.clone(), Resumption::On);
    let ctx = foreign_client(SslVersion::TLS1_2, None);
    let (mut ctx, sessions) = collecting(ctx);
    ctx.set_options(SslOptions::from_bits_retain(NO_EXTENDED_MASTER_SECRET));
    ctx.set_psk_client_callback({
        let source = source.clone();
        move |ssl, _, name, out| {
            name[..=IDENTITY.len()].copy_from_slice(b"Client1\0");
            Ok(source.write_foreign(ssl, out))
        }
    });
    let ctx = ctx.build();
    for _ in 0..2 {
        let session = sessions.lock().unwrap().pop();
        let foreign = ctx.clone();
        let (_, ours) = against_server(&server, move |s| {
            let mut tls = connect(&foreign, s, session.as_ref()).unwrap();
            let _ = tls.shutdown();
        })
        .await;
        assert_eq!(fault(ours), PeerFault::NoExtendedMasterSecret);
    }
    // The second time OpenSSL resumed the session, and the judge refused it.
    assert_eq!(source.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_session_that_was_not_made_here_is_refused() {
    // It would be good at a server that takes the certificate's word.
    let session = session_of_another_server(SslVersion::TLS1_2, SslOptions::NO_TICKET);
    let source = OfRandoms::default();
    let server = session_acceptor(source.clone(), Resumption::On);
    let ctx = foreign_client(SslVersion::TLS1_2, None).build();
    let (foreign, ours) = against_server(&server, move |s| connect(&ctx, s, Some(&session))).await;
    assert!(foreign.is_err());
    assert!(ours.is_err());
}
