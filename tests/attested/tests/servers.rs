//! Servers that do not do their part of the handshake.

use std::sync::Arc;
use std::thread;

use mcbn_attested::client::Failure;
use mcbn_tests_attested::{Scene, named, say};
use openssl::pkey::PKey;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslVersion};
use openssl::x509::X509;
use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

fn certificate(key: &KeyPair) -> CertificateDer<'static> {
    let signed = CertificateParams::default().self_signed(key);
    signed.unwrap().into()
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// What alice finds at a server that shows one key and signs with another.
async fn found(shown: &KeyPair, signing: &KeyPair) -> Result<(), Failure> {
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing.serialize_der()));
    let private = ring::sign::any_supported_type(&private).unwrap();
    let certified = CertifiedKey::new(vec![certificate(shown)], private);
    let config = rustls::ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(Arc::new(certified))));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = named(listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = acceptor.accept(stream).await;
        // Held until the test's end.
        std::future::pending::<()>().await;
        drop(stream);
    });
    let scene = Scene::new();
    scene.client().connect(&address).await.map(drop)
}

#[tokio::test]
async fn a_server_that_signs_with_another_key_is_refused() {
    let [own, other] = [(); 2].map(|()| KeyPair::generate().unwrap());
    found(&own, &own).await.unwrap();
    let failure = found(&own, &other).await.unwrap_err();
    assert!(matches!(failure, Failure::Handshake(_)), "{failure:?}");
}

#[tokio::test]
async fn a_server_of_tls_1_2_is_refused() {
    let key = KeyPair::generate().unwrap();
    let mut context = SslContext::builder(SslMethod::tls_server()).unwrap();
    let private = PKey::private_key_from_der(&key.serialize_der()).unwrap();
    context.set_private_key(&private).unwrap();
    let certificate = X509::from_der(&certificate(&key)).unwrap();
    context.set_certificate(&certificate).unwrap();
    context
        .set_max_proto_version(Some(SslVersion::TLS1_2))
        .unwrap();
    let ssl = Ssl::new(&context.build()).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = named(listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        ssl.accept(stream).map(drop).map_err(drop)
    });
    let scene = Scene::new();
    let failure = scene.client().connect(&address).await.unwrap_err();
    assert!(matches!(failure, Failure::Handshake(_)), "{failure:?}");
    assert_eq!(serving.join().unwrap(), Err(()));
}

/// Alice's next request finds the connection closed, and a new one is as good.
#[tokio::test]
async fn a_server_that_ends_is_seen_to_end() {
    let scene = Scene::new();
    let served = scene.serve().await;
    let mut connection = scene.client().connect(&served.address).await.unwrap();
    say(&mut connection, "hello").await.unwrap();
    served.trigger.drain();
    let failure = loop {
        // It may be answered once more, if it was there first.
        match say(&mut connection, "hello").await {
            Ok(_) => {}
            Err(failure) => break failure,
        }
    };
    assert!(matches!(failure, Failure::Broken(_)), "{failure:?}");
}
