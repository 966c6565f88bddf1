//! Tickets and cached sessions are ways around the key: none is given, none is taken.

mod support;

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use mcbn_psk::Versions;
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
