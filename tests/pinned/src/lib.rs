//! What the tests of connectors by pin share: servers to connect to, honest ones and others.

#![forbid(unsafe_code)]

use mcbn_manifest::Pin;
use mcbn_pinned::{Connector, NoStream, PinnedStream};
use rcgen::{CertificateParams, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection};
use std::io;
use std::sync::Arc;
use tokio::io::{DuplexStream, duplex};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

pub fn pin_of(key: &KeyPair) -> Pin {
    Pin::of_key(&key.subject_public_key_info())
}

pub fn params() -> CertificateParams {
    CertificateParams::new(["keeper.example".to_owned()]).unwrap()
}

pub fn self_signed(params: CertificateParams, key: &KeyPair) -> CertificateDer<'static> {
    params.self_signed(key).unwrap().der().clone()
}

/// A certificate for this key by an authority that nobody trusts, and the authority's own.
pub fn issued(key: &KeyPair) -> Vec<CertificateDer<'static>> {
    let authority_key = self::key();
    let authority = self_signed(params(), &authority_key);
    let issuer = Issuer::new(params(), authority_key);
    let leaf = params().signed_by(key, &issuer).unwrap();
    vec![leaf.der().clone(), authority]
}

/// A server with this chain, which signs with this key, whether they belong together or not.
pub fn server(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> TlsAcceptor {
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let signing = ring::default_provider()
        .key_provider
        .load_private_key(private)
        .unwrap();
    #[derive(Debug)]
    struct Always(Arc<CertifiedKey>);
    impl ResolvesServerCert for Always {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }
    let always = Always(Arc::new(CertifiedKey::new(chain, signing)));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(always));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

pub type Ours<C> = Result<PinnedStream<<C as Connector>::Tls<DuplexStream>>, NoStream>;
pub type Theirs = io::Result<TlsStream<DuplexStream>>;

/// Our client, with this pin, meets a server.
pub async fn meet<C: Connector>(pin: &Pin, server: &TlsAcceptor) -> (Ours<C>, Theirs) {
    let connector = C::new().unwrap();
    let (near, far) = duplex(1 << 16);
    tokio::join!(connector.connect(near, pin), server.accept(far))
}

/// What the server computes of the connection.
pub fn exporter(server: &ServerConnection) -> [u8; 32] {
    let label = b"EXPORTER-Channel-Binding";
    server
        .export_keying_material([0; 32], label, Some(&[]))
        .unwrap()
}
