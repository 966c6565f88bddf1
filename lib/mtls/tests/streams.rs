//! Two ends with one key, whoever signed their certificates.

mod support;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use mcbn_mtls::{
    Acceptor, Checks, Connector, HandshakeError, Issuer, NotAnIssuer, PeerFault, Subject, request,
};
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509Req};
use rustls::HandshakeKind;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls_pki_types::{ServerName, UnixTime};
use support::{
    Stranger, acceptor, another, ca, connector, credentials, credentials_of, good, ours, pair,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_rustls::TlsConnector;

#[tokio::test]
async fn whoever_signed_two_ends_with_one_key_meet() {
    let ca = ca();
    let clock = || -> Arc<dyn TimeProvider> { Arc::new(DefaultTimeProvider) };
    let outside = credentials_of(ours(), &ca).chain();
    let issuers = || {
        [
            Issuer::Own,
            Issuer::OfThisRun,
            Issuer::operators(ca.pem.as_bytes(), ca.key.as_bytes()).unwrap(),
            Issuer::Outside(outside.clone()),
        ]
    };
    for server in issuers() {
        let server = Acceptor::new(credentials(ours(), server, clock()), Checks::default());
        let server = server.unwrap();
        for client in issuers() {
            let client = Connector::new(credentials(ours(), client, clock()), Checks::default());
            let [mut near, mut far] = pair(&server, &client.unwrap()).await;
            near.write_all(b"hello").await.unwrap();
            near.flush().await.unwrap();
            let mut got = [0; 5];
            far.read_exact(&mut got).await.unwrap();
            assert_eq!(&got, b"hello");
        }
    }
}

#[tokio::test]
async fn each_direction_ends_alone() {
    let [mut near, mut far] =
        pair(&acceptor(Checks::default()), &connector(Checks::default())).await;
    near.write_all(b"question").await.unwrap();
    near.shutdown().await.unwrap();
    let mut got = String::new();
    far.read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "question");
    far.write_all(b"answer").await.unwrap();
    far.shutdown().await.unwrap();
    got.clear();
    near.read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "answer");
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_no_end() {
    let [mut near, far] = pair(&acceptor(Checks::default()), &connector(Checks::default())).await;
    drop(far);
    let error = near.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

/// Every connection shows the key anew, whatever the client would like.
#[tokio::test]
async fn no_session_is_resumed() {
    let acceptor = acceptor(Checks::default());
    let client = Stranger::certified(&ours(), &ca(), &good()).client();
    let client = TlsConnector::from(Arc::new(client));
    for _ in 0..2 {
        let (near, far) = duplex(1 << 16);
        let name = ServerName::try_from("server.example").unwrap();
        let (near, far) = tokio::join!(client.connect(name, near), acceptor.accept(far));
        let (mut near, mut far) = (near.unwrap(), far.unwrap());
        far.write_all(b"x").await.unwrap();
        far.flush().await.unwrap();
        // A ticket would come before it.
        near.read_u8().await.unwrap();
        let kind = near.get_ref().1.handshake_kind();
        assert_eq!(kind, Some(HandshakeKind::Full));
    }
}

#[tokio::test]
async fn a_plain_request_is_refused() {
    let (mut near, far) = duplex(1024);
    near.write_all(b"GET / HTTP/1.1\r\nHost: server\r\n\r\n")
        .await
        .unwrap();
    let refused = acceptor(Checks::default()).accept(far).await.unwrap_err();
    assert!(
        matches!(refused, HandshakeError::Peer(PeerFault::NotTls)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn chain_and_name_are_checked_where_that_is_asked_for() {
    let ca = ca();
    let name = ServerName::try_from("server.example").unwrap();
    let checks = Checks::default()
        .with_roots(ca.pem.as_bytes())
        .unwrap()
        .with_name(name);
    let acceptor = Acceptor::new(credentials_of(ours(), &ca), checks.clone()).unwrap();
    let connector = Connector::new(credentials_of(ours(), &ca), checks).unwrap();
    pair(&acceptor, &connector).await;
}

#[tokio::test]
async fn the_key_is_wiped_with_its_last_holder() {
    let acceptor = acceptor(Checks::default());
    let witness = acceptor.witness();
    let [near, far] = pair(&acceptor, &connector(Checks::default())).await;
    assert!(!witness.key_is_wiped());
    drop((acceptor, near, far));
    assert!(witness.key_is_wiped());
}

#[tokio::test]
async fn the_proof_names_what_the_peer_showed() {
    let credentials = credentials_of(ours(), &ca());
    let connector = Connector::new(Arc::clone(&credentials), Checks::default()).unwrap();
    let [_, far] = pair(&acceptor(Checks::default()), &connector).await;
    assert_eq!(far.peer().certificate(), &credentials.chain()[0]);
}

/// Only the test moves it.
#[derive(Debug)]
struct Clock(AtomicU64);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(
            self.0.load(Ordering::SeqCst),
        )))
    }
}

#[test]
fn a_certificate_is_made_anew_at_half_of_its_time() {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let clock = Arc::new(Clock(now.as_secs().into()));
    let credentials = credentials(ours(), Issuer::OfThisRun, Arc::clone(&clock) as _);
    let first = credentials.chain();
    let half_a_day = 12 * 60 * 60;
    clock.0.fetch_add(half_a_day - 1, Ordering::SeqCst);
    assert_eq!(credentials.chain(), first);
    clock.0.fetch_add(1, Ordering::SeqCst);
    let second = credentials.chain();
    assert_ne!(second, first);
    let [first, second] = [first, second].map(|chain| X509::from_der(&chain[0]).unwrap());
    assert!(second.not_after() > first.not_after());
    assert!(second.not_before() > first.not_before());
}

#[test]
fn every_start_has_another_serial() {
    let serials = Mutex::new(std::collections::HashSet::new());
    for issuer in [
        Issuer::Own,
        Issuer::OfThisRun,
        Issuer::Own,
        Issuer::OfThisRun,
    ] {
        let chain = credentials(ours(), issuer, Arc::new(DefaultTimeProvider)).chain();
        for certificate in chain {
            let certificate = X509::from_der(&certificate).unwrap();
            let serial = certificate.serial_number().to_bn().unwrap();
            assert!(!serial.is_negative() && serial.num_bytes() == 16);
            assert!(serials.lock().unwrap().insert(serial.to_vec()));
        }
    }
}

#[test]
fn a_chain_by_an_operators_ca_of_any_kind_verifies() {
    let rsa = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let [p256, p384] = ["prime256v1", "secp384r1"].map(|curve| {
        let nid = match curve {
            "prime256v1" => openssl::nid::Nid::X9_62_PRIME256V1,
            _ => openssl::nid::Nid::SECP384R1,
        };
        let group = openssl::ec::EcGroup::from_curve_name(nid).unwrap();
        PKey::from_ec_key(openssl::ec::EcKey::generate(&group).unwrap()).unwrap()
    });
    let ed25519 = PKey::generate_ed25519().unwrap();
    for key in [rsa, p256, p384, ed25519] {
        // A name of several strings, of two types.
        let mut name = openssl::x509::X509Name::builder().unwrap();
        name.append_entry_by_text("C", "CH").unwrap();
        name.append_entry_by_text("O", "Frank's Köln").unwrap();
        name.append_entry_by_text("CN", "CA").unwrap();
        let name = name.build();
        let mut ca = X509::builder().unwrap();
        ca.set_version(2).unwrap();
        ca.set_subject_name(&name).unwrap();
        ca.set_issuer_name(&name).unwrap();
        ca.set_pubkey(&key).unwrap();
        let [from, to] = [0, 1].map(|days| openssl::asn1::Asn1Time::days_from_now(days).unwrap());
        ca.set_not_before(&from).unwrap();
        ca.set_not_after(&to).unwrap();
        let constraint = openssl::x509::extension::BasicConstraints::new()
            .critical()
            .ca()
            .build();
        ca.append_extension(constraint.unwrap()).unwrap();
        let digest = match key.id() {
            openssl::pkey::Id::ED25519 => openssl::hash::MessageDigest::null(),
            _ => openssl::hash::MessageDigest::sha256(),
        };
        ca.sign(&key, digest).unwrap();
        let ca = ca.build();
        let pem = key.private_key_to_pem_pkcs8().unwrap();
        let issuer = Issuer::operators(&ca.to_pem().unwrap(), &pem).unwrap();
        let chain = credentials(ours(), issuer, Arc::new(DefaultTimeProvider)).chain();
        let leaf = X509::from_der(&chain[0]).unwrap();
        assert_eq!(leaf.issuer_name().to_der().unwrap(), name.to_der().unwrap());
        assert!(leaf.verify(&key).unwrap());
        assert_eq!(chain[1].as_ref(), ca.to_der().unwrap());
    }
}

#[test]
fn files_that_are_no_issuer_are_refused() {
    let (one, other) = (ca(), ca());
    let operators = |certificate: &str, key: &str| {
        Issuer::operators(certificate.as_bytes(), key.as_bytes()).map(|_| ())
    };
    assert_eq!(operators(&one.pem, &other.key), Err(NotAnIssuer::OtherKey));
    assert_eq!(
        operators(&one.key, &one.key),
        Err(NotAnIssuer::NoCertificate)
    );
    assert_eq!(operators(&one.pem, &one.pem), Err(NotAnIssuer::NoKey));
    assert_eq!(
        Issuer::outside(b"").map(|_| ()),
        Err(NotAnIssuer::NoCertificate)
    );
    let no_roots = Checks::default().with_roots(b"").map(|_| ());
    assert_eq!(no_roots, Err(NotAnIssuer::NoCertificate));
}

#[test]
fn an_outside_certificate_of_another_key_is_refused() {
    let chain = credentials_of(another(), &ca()).chain();
    let made = mcbn_mtls::Credentials::new(
        ours(),
        Subject::new(Vec::new()),
        Issuer::Outside(chain),
        Duration::from_secs(1),
        Arc::new(DefaultTimeProvider),
    );
    let error = made.unwrap_err().to_string();
    assert!(error.contains("not of this key"), "{error}");
}

#[test]
fn a_request_is_of_our_key_and_signed_by_it() {
    let name = ServerName::try_from("server.example").unwrap();
    let address = ServerName::try_from("192.0.2.1").unwrap();
    let pem = request(&ours(), &Subject::new(vec![name, address])).unwrap();
    let request = X509Req::from_pem(pem.as_bytes()).unwrap();
    let key = request.public_key().unwrap();
    assert!(request.verify(&key).unwrap());
    assert_eq!(key.public_key_to_der().unwrap(), ours().spki());
    let text = String::from_utf8(request.to_text().unwrap()).unwrap();
    assert!(
        text.contains("DNS:server.example, IP Address:192.0.2.1"),
        "{text}"
    );
}

#[test]
fn no_form_of_a_key_shows_it() {
    let key = ours();
    let forms = format!(
        "{key:?} {:?} {:?}",
        key.witness(),
        credentials_of(key.clone(), &ca())
    );
    assert!(
        forms.starts_with("Key(..) Witness(..) Credentials {"),
        "{forms}"
    );
}
