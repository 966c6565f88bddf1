//! Which servers the client talks to.

use crate::Stack;
use mcbn_manifest::Pin;
use mcbn_pinned::{Connector, NoStream, PeerFault};
use mcbn_tests_pinned::{exporter, issued, key, meet, params, pin_of, self_signed, server};
use openssl::ssl::{
    NameType, Ssl, SslContextBuilder, SslMethod, SslStream, SslVerifyMode, SslVersion,
};
use openssl::x509::X509;
use rcgen::date_time_ymd;
use rustls::HandshakeKind;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

#[tokio::test]
async fn the_server_with_the_pinned_key_is_reached() {
    let key = key();
    let server = server(vec![self_signed(params(), &key)], &key);
    let (ours, theirs) = meet::<Stack>(&pin_of(&key), &server).await;
    let (mut ours, mut theirs) = (ours.unwrap(), theirs.unwrap());
    assert_eq!(ours.peer().pin(), &pin_of(&key));

    ours.write_all(b"question").await.unwrap();
    let mut heard = [0; 8];
    theirs.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"question");
    theirs.write_all(b"answer").await.unwrap();
    theirs.shutdown().await.unwrap();
    let mut answer = Vec::new();
    ours.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"answer");
    assert_eq!(theirs.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
}

#[tokio::test]
async fn each_direction_ends_on_its_own() {
    let key = key();
    let server = server(vec![self_signed(params(), &key)], &key);
    let (ours, theirs) = meet::<Stack>(&pin_of(&key), &server).await;
    let (mut ours, mut theirs) = (ours.unwrap(), theirs.unwrap());
    ours.write_all(b"question").await.unwrap();
    ours.shutdown().await.unwrap();
    let mut heard = Vec::new();
    theirs.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"question");
    theirs.write_all(b"answer").await.unwrap();
    theirs.shutdown().await.unwrap();
    let mut answer = Vec::new();
    ours.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"answer");
}

#[tokio::test]
async fn a_connection_that_breaks_off_does_not_end() {
    let key = key();
    let server = server(vec![self_signed(params(), &key)], &key);
    let (ours, theirs) = meet::<Stack>(&pin_of(&key), &server).await;
    let (mut ours, mut theirs) = (ours.unwrap(), theirs.unwrap());
    theirs.write_all(b"half an ans").await.unwrap();
    theirs.flush().await.unwrap();
    // As anyone on the path can do it: without close_notify.
    drop(theirs);
    let mut answer = Vec::new();
    let error = ours.read_to_end(&mut answer).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(answer, b"half an ans");
}

#[tokio::test]
async fn both_ends_compute_one_exporter_and_each_connection_another() {
    let key = key();
    let server = server(vec![self_signed(params(), &key)], &key);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (ours, theirs) = meet::<Stack>(&pin_of(&key), &server).await;
        let ours = ours.unwrap().peer().exporter().0;
        assert_eq!(ours, exporter(theirs.unwrap().get_ref().1));
        seen.push(ours);
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn dates_names_and_issuers_do_not_matter() {
    let key = key();
    let mut expired = params();
    expired.not_after = date_time_ymd(2001, 1, 1);
    let mut early = params();
    early.not_before = date_time_ymd(2999, 1, 1);
    for chain in [
        vec![self_signed(expired, &key)],
        vec![self_signed(early, &key)],
        vec![self_signed(Default::default(), &key)],
        issued(&key),
        issued(&key)[..1].to_vec(),
    ] {
        let (ours, theirs) = meet::<Stack>(&pin_of(&key), &server(chain, &key)).await;
        ours.unwrap();
        theirs.unwrap();
    }
}

#[tokio::test]
async fn a_server_with_another_key_is_refused_before_it_gets_a_byte() {
    let (key, other) = (key(), key());
    let server = server(vec![self_signed(params(), &other)], &other);
    let (ours, theirs) = meet::<Stack>(&pin_of(&key), &server).await;
    let error = ours.unwrap_err();
    assert!(matches!(error, NoStream::WrongKey), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the server has another key than the pinned one"
    );
    // Not even the handshake was over for it.
    let refused = theirs.unwrap_err();
    let cause = refused.get_ref().and_then(|cause| cause.downcast_ref());
    assert!(
        matches!(cause, Some(rustls::Error::AlertReceived(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_certificate_without_its_key_is_refused() {
    let (key, thief) = (key(), key());
    let server = server(vec![self_signed(params(), &key)], &thief);
    let (ours, theirs) = meet::<Stack>(&pin_of(&key), &server).await;
    assert!(matches!(ours.unwrap_err(), NoStream::Peer(_)));
    theirs.unwrap_err();
}

#[tokio::test]
async fn the_pinned_key_in_another_place_of_the_chain_is_refused() {
    let (key, thief) = (key(), key());
    let chain = vec![self_signed(params(), &thief), self_signed(params(), &key)];
    let (ours, _) = meet::<Stack>(&pin_of(&key), &server(chain, &thief)).await;
    assert!(matches!(ours.unwrap_err(), NoStream::WrongKey));
}

#[tokio::test]
async fn an_issuer_with_the_pinned_key_is_not_the_server() {
    let (authority, key) = (key(), key());
    let issuer = rcgen::Issuer::new(params(), authority);
    let leaf = params().signed_by(&key, &issuer).unwrap().der().clone();
    let chain = vec![leaf, self_signed(params(), issuer.key())];
    let (ours, _) = meet::<Stack>(&pin_of(issuer.key()), &server(chain, &key)).await;
    assert!(matches!(ours.unwrap_err(), NoStream::WrongKey));
}

#[tokio::test]
async fn no_connection_resumes_another() {
    let key = key();
    let server = server(vec![self_signed(params(), &key)], &key);
    let (connector, pin) = (Stack::new().unwrap(), pin_of(&key));
    for _ in 0..2 {
        let (near, far) = duplex(1 << 16);
        let (ours, theirs) = tokio::join!(connector.connect(near, &pin), server.accept(far));
        let (mut ours, mut theirs) = (ours.unwrap(), theirs.unwrap());
        assert_eq!(
            theirs.get_ref().1.handshake_kind(),
            Some(HandshakeKind::Full)
        );
        // The tickets come before the data.
        theirs.write_all(b"x").await.unwrap();
        ours.read_exact(&mut [0]).await.unwrap();
    }
}

/// Our client meets a server that is built straight on OpenSSL.
async fn against_openssl(
    prepare: impl FnOnce(&mut SslContextBuilder, &rcgen::KeyPair),
) -> NoStream {
    let key = key();
    let mut ctx = SslContextBuilder::new(SslMethod::tls_server()).unwrap();
    prepare(&mut ctx, &key);
    let ctx = ctx.build();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::task::spawn_blocking(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = SslStream::new(Ssl::new(&ctx).unwrap(), stream).unwrap();
        stream.accept().is_ok()
    });
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nonblocking(true).unwrap();
    let stream = tokio::net::TcpStream::from_std(stream).unwrap();
    let connector = Stack::new().unwrap();
    let error = connector.connect(stream, &pin_of(&key)).await.unwrap_err();
    assert!(!serving.await.unwrap(), "the server thinks it is connected");
    error
}

fn with_certificate(ctx: &mut SslContextBuilder, key: &rcgen::KeyPair) {
    let certificate = X509::from_der(&self_signed(params(), key)).unwrap();
    let private = openssl::pkey::PKey::private_key_from_pem(key.serialize_pem().as_bytes());
    ctx.set_certificate(&certificate).unwrap();
    ctx.set_private_key(&private.unwrap()).unwrap();
}

#[tokio::test]
async fn tls12_is_refused() {
    let error = against_openssl(|ctx, key| {
        with_certificate(ctx, key);
        ctx.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    })
    .await;
    assert!(
        matches!(error, NoStream::Peer(PeerFault::Alert(70))),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_that_knows_only_a_shared_key_is_refused() {
    let error = against_openssl(|ctx, _| {
        ctx.set_psk_server_callback(|_, _, out| {
            out[..32].fill(7);
            Ok(32)
        });
    })
    .await;
    assert!(matches!(error, NoStream::Peer(_)), "{error:?}");
}

#[tokio::test]
async fn an_anonymous_server_is_refused() {
    let error = against_openssl(|ctx, _| {
        ctx.set_security_level(0);
        ctx.set_cipher_list("aNULL").unwrap();
        ctx.set_verify(SslVerifyMode::NONE);
    })
    .await;
    assert!(matches!(error, NoStream::Peer(_)), "{error:?}");
}

#[tokio::test]
async fn the_servers_name_is_not_told_to_the_path() {
    let (tell, told) = std::sync::mpsc::channel();
    let error = against_openssl(move |ctx, key| {
        with_certificate(ctx, key);
        ctx.set_client_hello_callback(move |ssl, _| {
            let named = ssl.servername(NameType::HOST_NAME).is_some();
            let _ = tell.send(named);
            // The test is over.
            Err(openssl::error::ErrorStack::get())
        });
    })
    .await;
    assert!(matches!(error, NoStream::Peer(_)));
    assert!(!told.recv().unwrap());
}

#[tokio::test]
async fn a_peer_that_speaks_no_tls_is_told_apart() {
    let connector = Stack::new().unwrap();
    for (said, fault) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], PeerFault::NotTls),
        (b"", PeerFault::Closed),
    ] {
        let (near, mut far) = duplex(1 << 16);
        far.write_all(said).await.unwrap();
        far.shutdown().await.unwrap();
        let error = connector.connect(near, &Pin([7; 32])).await.unwrap_err();
        assert!(
            matches!(&error, NoStream::Peer(found) if *found == fault),
            "{error:?}"
        );
    }
}
