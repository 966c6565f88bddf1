//! Keys, certificates of any kind, and strangers that show them and check nothing.

// Each test program uses a part of it.
#![allow(dead_code)]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use mcbn_mtls::{
    Acceptor, Checks, Connector, Credentials, HandshakeError, Issuer, Key, MtlsStream, PeerFault,
    Subject,
};
use openssl::bn::{BigNum, BigNumContext};
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Longer than anything here takes, so that a test that goes wrong ends.
pub const SOON: Duration = Duration::from_secs(10);

static RSA: LazyLock<[Rsa<Private>; 2]> =
    LazyLock::new(|| [(); 2].map(|()| Rsa::generate(2048).unwrap()));

fn of_rsa(rsa: Rsa<Private>) -> Key {
    let pkcs8 = PKey::from_rsa(rsa).unwrap().private_key_to_pkcs8().unwrap();
    Key::from_pkcs8(&pkcs8).unwrap()
}

/// The key of both ends.
pub fn ours() -> Key {
    of_rsa(RSA[0].clone())
}

pub fn another() -> Key {
    of_rsa(RSA[1].clone())
}

/// Our modulus, and a public exponent that whoever knows the primes may choose.
pub fn ours_with_another_exponent() -> Key {
    let rsa = &RSA[0];
    let mut ctx = BigNumContext::new().unwrap();
    let (p, q) = (rsa.p().unwrap(), rsa.q().unwrap());
    let one = BigNum::from_u32(1).unwrap();
    let (mut p1, mut q1, mut phi) = (
        p.to_owned().unwrap(),
        q.to_owned().unwrap(),
        BigNum::new().unwrap(),
    );
    p1.sub_word(1).unwrap();
    q1.sub_word(1).unwrap();
    phi.checked_mul(&p1, &q1, &mut ctx).unwrap();
    let mut d = BigNum::new().unwrap();
    let mut e = BigNum::from_u32(65_539).unwrap();
    while d.mod_inverse(&e, &phi, &mut ctx).is_err() || d == one {
        e.add_word(2).unwrap();
    }
    let (mut dp, mut dq, mut qinv) = (
        BigNum::new().unwrap(),
        BigNum::new().unwrap(),
        BigNum::new().unwrap(),
    );
    dp.nnmod(&d, &p1, &mut ctx).unwrap();
    dq.nnmod(&d, &q1, &mut ctx).unwrap();
    qinv.mod_inverse(q, p, &mut ctx).unwrap();
    let own = |number: &openssl::bn::BigNumRef| number.to_owned().unwrap();
    of_rsa(Rsa::from_private_components(own(rsa.n()), e, d, own(p), own(q), dp, dq, qinv).unwrap())
}

/// A CA, as an operator may have one.
pub struct Ca {
    pub issuer: rcgen::Issuer<'static, KeyPair>,
    pub certificate: CertificateDer<'static>,
    pub pem: String,
    pub key: String,
}

pub fn ca() -> Ca {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Frank's");
    params.distinguished_name.push(DnType::CommonName, "CA");
    let certificate = params.self_signed(&key).unwrap();
    Ca {
        certificate: certificate.der().clone(),
        pem: certificate.pem(),
        key: key.serialize_pem(),
        issuer: rcgen::Issuer::new(params, key),
    }
}

/// What our own certificates say, good for a day; to be made worse.
pub fn good() -> CertificateParams {
    let mut params = CertificateParams::new(vec!["server.example".to_owned()]).unwrap();
    params.not_before = OffsetDateTime::now_utc() - Duration::from_secs(60);
    params.not_after = OffsetDateTime::now_utc() + Duration::from_secs(24 * 60 * 60);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params
}

/// Our side's credentials, with a certificate that this CA has signed.
pub fn credentials_of(key: Key, ca: &Ca) -> Arc<Credentials> {
    let issuer = Issuer::operators(ca.pem.as_bytes(), ca.key.as_bytes()).unwrap();
    credentials(key, issuer, Arc::new(DefaultTimeProvider))
}

pub fn credentials(key: Key, issuer: Issuer, clock: Arc<dyn TimeProvider>) -> Arc<Credentials> {
    let name = ServerName::try_from("server.example").unwrap();
    let subject = Subject::new(vec![name]);
    let day = Duration::from_secs(24 * 60 * 60);
    Arc::new(Credentials::new(key, subject, issuer, day, clock).unwrap())
}

pub fn acceptor(checks: Checks) -> Acceptor {
    Acceptor::new(credentials_of(ours(), &ca()), checks).unwrap()
}

pub fn connector(checks: Checks) -> Connector {
    Connector::new(credentials_of(ours(), &ca()), checks).unwrap()
}

/// Both ends are ours.
pub async fn pair(acceptor: &Acceptor, connector: &Connector) -> [MtlsStream<DuplexStream>; 2] {
    let (near, far) = duplex(1 << 16);
    let (near, far) = tokio::join!(connector.connect(near), acceptor.accept(far));
    [near.unwrap(), far.unwrap()]
}

/// What a stranger shows, and with which key it signs.
#[derive(Clone)]
pub struct Stranger(Option<Arc<CertifiedKey>>);

impl Stranger {
    pub fn without_a_certificate() -> Self {
        Self(None)
    }

    pub fn showing(certificate: &CertificateDer<'static>, key: &Key) -> Self {
        let chain = vec![certificate.clone()];
        Self(Some(Arc::new(CertifiedKey::new(
            chain,
            Arc::new(key.clone()),
        ))))
    }

    /// A certificate of its key, which a CA has signed.
    pub fn certified(key: &Key, ca: &Ca, params: &CertificateParams) -> Self {
        let certificate = params.signed_by(key, &ca.issuer).unwrap();
        Self::showing(certificate.der(), key)
    }

    /// A client of rustls as it is by itself: it resumes sessions where it can.
    pub fn client(&self) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(TakesAll));
        match &self.0 {
            Some(certified) => {
                builder.with_client_cert_resolver(Arc::new(Shows(Arc::clone(certified))))
            }
            None => builder.with_no_client_auth(),
        }
    }

    /// Connects to our server. What the server says of it, and the alert that it gets.
    pub async fn connects_to(&self, acceptor: &Acceptor) -> (PeerFault, Option<Error>) {
        let config = self.client();
        let (near, far) = duplex(1 << 16);
        let connect = async {
            let name = ServerName::try_from("server.example").unwrap();
            let mut tls = TlsConnector::from(Arc::new(config))
                .connect(name, near)
                .await?;
            tls.write_all(b"let me in").await?;
            tls.read_u8().await
        };
        let both = async { tokio::join!(connect, acceptor.accept(far)) };
        let (met, refused) = timeout(SOON, both).await.expect("a refusal");
        (fault(refused), alert(met))
    }

    /// Serves our client. What the client says of it, and the alert that it gets.
    pub async fn serves(&self, connector: &Connector) -> (PeerFault, Option<Error>) {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_client_cert_verifier(Arc::new(TakesAll));
        let certified = self.0.as_ref().expect("a server shows something");
        let config = builder.with_cert_resolver(Arc::new(Shows(Arc::clone(certified))));
        let (near, far) = duplex(1 << 16);
        let accept = async {
            let mut tls = TlsAcceptor::from(Arc::new(config)).accept(far).await?;
            tls.read_u8().await
        };
        let both = async { tokio::join!(connector.connect(near), accept) };
        let (refused, met) = timeout(SOON, both).await.expect("a refusal");
        (fault(refused), alert(met))
    }
}

fn fault(refused: Result<MtlsStream<DuplexStream>, HandshakeError>) -> PeerFault {
    match refused {
        Err(HandshakeError::Peer(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

fn alert(met: std::io::Result<u8>) -> Option<Error> {
    let error = met.expect_err("nobody answers a stranger");
    error.get_ref()?.downcast_ref::<Error>().cloned()
}

/// Shows the same whatever is asked for.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl rustls::client::ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl rustls::server::ResolvesServerCert for Shows {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
struct TakesAll;

fn schemes() -> Vec<SignatureScheme> {
    let provider = ring::default_provider();
    provider
        .signature_verification_algorithms
        .supported_schemes()
}

impl ServerCertVerifier for TakesAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}

impl ClientCertVerifier for TakesAll {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}
