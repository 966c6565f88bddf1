//! Keys that are in this process, in the place of those of Cloud KMS, certificates of any kind, and a clock.

// Each test program uses a part of it.
#![allow(dead_code)]

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant, SystemTime};

use mcbn_gcp::{Algorithm, Digest, Failure, Hash};
use mcbn_kms::{
    Acceptor, AuthenticatedPeer, Chain, Connector, Credentials, End, HandshakeError, Key, Limits,
    Metrics, MtlsStream, Peers, Setup, Signs, Version,
};
use mcbn_tls13::provider;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::md::Md;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::{Padding, Rsa};
use openssl::sign::RsaPssSaltlen;
use openssl::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
};
use openssl::x509::{X509, X509Name, X509NameBuilder};
use rustls::server::WebPkiClientVerifier;
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Longer than anything here takes, so that a test that goes wrong ends.
pub const SOON: Duration = Duration::from_secs(20);

pub const HOUR: Duration = Duration::from_secs(60 * 60);

pub const P256: Algorithm = Algorithm::EcP256Sha256;

/// All that sign and that TLS 1.3 has.
pub const MODERN: [Algorithm; 6] = [
    P256,
    Algorithm::EcP384Sha384,
    pss(2048, Hash::Sha256),
    pss(3072, Hash::Sha256),
    pss(4096, Hash::Sha256),
    pss(4096, Hash::Sha512),
];

/// Those that TLS 1.2 alone has.
pub const OLD: [Algorithm; 4] = [
    pkcs1(2048, Hash::Sha256),
    pkcs1(3072, Hash::Sha256),
    pkcs1(4096, Hash::Sha256),
    pkcs1(4096, Hash::Sha512),
];

const fn pss(bits: u16, hash: Hash) -> Algorithm {
    Algorithm::RsaPss { bits, hash }
}

const fn pkcs1(bits: u16, hash: Hash) -> Algorithm {
    Algorithm::RsaPkcs1 { bits, hash }
}

type Pair = PKey<Private>;

fn ec(nid: Nid) -> Pair {
    let group = EcGroup::from_curve_name(nid).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

static RSA: LazyLock<[Pair; 3]> = LazyLock::new(|| {
    [2048, 3072, 4096].map(|bits| PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap())
});

/// A key of this algorithm; of RSA the same one for each size.
pub fn pair(algorithm: Algorithm) -> Pair {
    match algorithm {
        Algorithm::EcP256Sha256 => ec(Nid::X9_62_PRIME256V1),
        Algorithm::EcP384Sha384 => ec(Nid::SECP384R1),
        Algorithm::RsaPss { bits, .. }
        | Algorithm::RsaPkcs1 { bits, .. }
        | Algorithm::RsaOaep { bits, .. } => RSA[usize::from(bits / 1024 - 2).min(2)].clone(),
    }
}

/// Signs as Cloud KMS does, unless it is told otherwise.
#[derive(Clone)]
pub struct Local(Arc<Inner>);

struct Inner {
    private: Pair,
    algorithm: Algorithm,
    behaviour: Mutex<Behaviour>,
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

#[derive(Clone)]
pub enum Behaviour {
    Signs,
    /// After so long.
    Slow(Duration),
    /// When the test lets it.
    Gated(Arc<Semaphore>),
    /// Never.
    Stalled,
    Fails(Failure),
    /// One bit is another.
    Corrupt,
    /// Something else is signed.
    Foreign,
}

impl Local {
    pub fn new(algorithm: Algorithm) -> Local {
        Local(Arc::new(Inner {
            private: pair(algorithm),
            algorithm,
            behaviour: Mutex::new(Behaviour::Signs),
            asked: AtomicUsize::new(0),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        }))
    }

    pub fn behaves(&self, behaviour: Behaviour) {
        *self.0.behaviour.lock().unwrap() = behaviour;
    }

    /// How often it was asked for a signature.
    pub fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// How many waited for it at one time.
    pub fn at_once(&self) -> usize {
        self.0.at_once.load(Ordering::SeqCst)
    }

    pub fn most_at_once(&self) -> usize {
        self.0.most_at_once.load(Ordering::SeqCst)
    }

    pub fn spki(&self) -> Vec<u8> {
        self.0.private.public_key_to_der().unwrap()
    }

    pub fn key(&self) -> Key {
        Key::new(self.spki(), self.0.algorithm).unwrap()
    }

    fn signature(&self, digest: &Digest) -> Vec<u8> {
        let (md, bytes): (_, &[u8]) = match digest {
            Digest::Sha256(bytes) => (Md::sha256(), bytes),
            Digest::Sha384(bytes) => (Md::sha384(), bytes),
            Digest::Sha512(bytes) => (Md::sha512(), bytes),
        };
        let mut ctx = PkeyCtx::new(&self.0.private).unwrap();
        ctx.sign_init().unwrap();
        match self.0.algorithm {
            Algorithm::RsaPss { .. } => {
                ctx.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
                ctx.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)
                    .unwrap();
            }
            Algorithm::RsaPkcs1 { .. } => ctx.set_rsa_padding(Padding::PKCS1).unwrap(),
            _ => {}
        }
        ctx.set_signature_md(md).unwrap();
        let mut signature = Vec::new();
        ctx.sign_to_vec(bytes, &mut signature).unwrap();
        signature
    }
}

impl Signs for Local {
    async fn sign(&self, mut digest: Digest) -> Result<Vec<u8>, Failure> {
        let behaviour = self.0.behaviour.lock().unwrap().clone();
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        let at_once = self.0.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        let mut flipped = 0;
        match behaviour {
            Behaviour::Signs => {}
            Behaviour::Slow(time) => tokio::time::sleep(time).await,
            Behaviour::Gated(gate) => gate.acquire().await.unwrap().forget(),
            Behaviour::Stalled => std::future::pending().await,
            Behaviour::Fails(failure) => return Err(failure),
            Behaviour::Corrupt => flipped = 1,
            Behaviour::Foreign => {
                if let Digest::Sha256(bytes) = &mut digest {
                    bytes[0] ^= 1;
                }
            }
        }
        self.0.at_once.fetch_sub(1, Ordering::SeqCst);
        let mut signature = self.signature(&digest);
        *signature.last_mut().unwrap() ^= flipped;
        Ok(signature)
    }
}

/// Time as the tests say, in seconds from now.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    pub fn passes(&self, time: Duration) {
        self.0.fetch_add(time.as_secs() as i64, Ordering::SeqCst);
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let real = SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let shift = Duration::from_secs(self.0.load(Ordering::SeqCst).try_into().unwrap());
        Some(UnixTime::since_unix_epoch(real + shift))
    }
}

/// A CA of a test's own.
pub struct Ca {
    private: Pair,
    name: X509Name,
    certificate: X509,
}

/// What a certificate says; to be made worse.
pub struct Says {
    pub begins: i64,
    pub ends: i64,
    pub client: bool,
    pub server: bool,
    pub signs: bool,
    pub name: &'static str,
}

/// Good for a day, for both ends.
pub const GOOD: Says = Says {
    begins: -60,
    ends: 24 * 60 * 60,
    client: true,
    server: true,
    signs: true,
    name: "peer.example",
};

fn from_now(seconds: i64) -> Asn1Time {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
    Asn1Time::from_unix(now + seconds).unwrap()
}

impl Ca {
    pub fn new() -> Ca {
        let private = ec(Nid::X9_62_PRIME256V1);
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_nid(Nid::COMMONNAME, "CA of a test")
            .unwrap();
        let name = name.build();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        builder.set_pubkey(&private).unwrap();
        builder.set_not_before(&from_now(-60)).unwrap();
        builder
            .set_not_after(&from_now(100 * 24 * 60 * 60))
            .unwrap();
        builder
            .append_extension(BasicConstraints::new().critical().ca().build().unwrap())
            .unwrap();
        builder.sign(&private, MessageDigest::sha256()).unwrap();
        Ca {
            private,
            name,
            certificate: builder.build(),
        }
    }

    pub fn pem(&self) -> Vec<u8> {
        self.certificate.to_pem().unwrap()
    }

    pub fn peers(&self) -> Peers {
        Peers::new(&self.pem(), Vec::new()).unwrap()
    }

    pub fn peers_named(&self, names: &[&'static str]) -> Peers {
        let names = names
            .iter()
            .map(|name| ServerName::try_from(*name).unwrap());
        Peers::new(&self.pem(), names.collect()).unwrap()
    }

    pub fn issue(&self, local: &Local, says: &Says) -> Chain {
        Chain::from_pem(&self.certificate_of(local, says).to_pem().unwrap()).unwrap()
    }

    fn certificate_of(&self, local: &Local, says: &Says) -> X509 {
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        let serial = BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap();
        builder.set_serial_number(&serial).unwrap();
        builder.set_issuer_name(&self.name).unwrap();
        builder.set_pubkey(&local.0.private).unwrap();
        builder.set_not_before(&from_now(says.begins)).unwrap();
        builder.set_not_after(&from_now(says.ends)).unwrap();
        let mut usage = KeyUsage::new();
        match says.signs {
            true => usage.digital_signature(),
            false => usage.key_encipherment(),
        };
        builder.append_extension(usage.build().unwrap()).unwrap();
        if says.client || says.server {
            let mut uses = ExtendedKeyUsage::new();
            if says.client {
                uses.client_auth();
            }
            if says.server {
                uses.server_auth();
            }
            builder.append_extension(uses.build().unwrap()).unwrap();
        }
        let names = SubjectAlternativeName::new()
            .dns(says.name)
            .build(&builder.x509v3_context(Some(&self.certificate), None))
            .unwrap();
        builder.append_extension(names).unwrap();
        builder
            .sign(&self.private, MessageDigest::sha256())
            .unwrap();
        builder.build()
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots
            .add(self.certificate.to_der().unwrap().into())
            .unwrap();
        Arc::new(roots)
    }

    fn stranger_s(&self, says: &Says) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let local = Local::new(P256);
        let key = local.0.private.private_key_to_pkcs8().unwrap();
        let certificate = self.certificate_of(&local, says).to_der().unwrap();
        (
            vec![certificate.into()],
            PrivateKeyDer::try_from(key).unwrap(),
        )
    }

    /// Some other client, whose start does not look at what it shows.
    pub fn stranger_client(&self, version: Version, says: &Says) -> TlsConnector {
        let (chain, key) = self.stranger_s(says);
        let builder = ClientConfig::builder_with_provider(provider());
        let builder = builder.with_protocol_versions(&[of(version)]).unwrap();
        let builder = builder.with_root_certificates(self.roots());
        Arc::new(builder.with_client_auth_cert(chain, key).unwrap()).into()
    }

    /// Some other server.
    pub fn stranger_server(&self, version: Version, says: &Says) -> TlsAcceptor {
        let (chain, key) = self.stranger_s(says);
        let verifier = WebPkiClientVerifier::builder_with_provider(self.roots(), provider());
        let builder = ServerConfig::builder_with_provider(provider());
        let builder = builder.with_protocol_versions(&[of(version)]).unwrap();
        let builder = builder.with_client_cert_verifier(verifier.build().unwrap());
        Arc::new(builder.with_single_cert(chain, key).unwrap()).into()
    }
}

fn of(version: Version) -> &'static SupportedProtocolVersion {
    match version {
        Version::Tls12 => &TLS12,
        Version::Tls13 => &TLS13,
    }
}

pub const LIMITS: Limits = Limits {
    signature: SOON,
    concurrency: 64,
};

/// One end, with all that may be otherwise.
pub struct Setting {
    pub local: Local,
    pub chain: Chain,
    pub version: Version,
    pub limits: Limits,
    pub metrics: Metrics,
    pub clock: Clock,
}

impl Setting {
    pub fn new(algorithm: Algorithm, ca: &Ca) -> Setting {
        let local = Local::new(algorithm);
        Setting {
            chain: ca.issue(&local, &GOOD),
            local,
            version: Version::Tls13,
            limits: LIMITS,
            metrics: Metrics::default(),
            clock: Clock::default(),
        }
    }

    pub fn with(self, version: Version) -> Setting {
        Setting { version, ..self }
    }

    pub async fn credentials(&self, own: End) -> Result<Credentials, Setup> {
        Credentials::open(
            (self.local.key(), self.chain.clone()),
            self.local.clone(),
            (own, self.version),
            self.limits,
            self.metrics.clone(),
            Arc::new(self.clock.clone()),
        )
        .await
    }

    pub async fn acceptor(&self, peers: Peers, resumption: Option<Duration>) -> Acceptor {
        let credentials = self.credentials(End::Server).await.unwrap();
        Acceptor::new(credentials, peers, resumption).unwrap()
    }

    pub async fn connector(&self, peers: Peers, resumption: Option<Duration>) -> Connector {
        let credentials = self.credentials(End::Client).await.unwrap();
        Connector::new(credentials, peers, resumption).unwrap()
    }
}

pub type Stream = MtlsStream<DuplexStream>;

pub async fn handshakes(
    acceptor: &Acceptor,
    connector: &Connector,
) -> (
    Result<Stream, HandshakeError>,
    Result<Stream, HandshakeError>,
) {
    let (near, far) = duplex(1 << 16);
    let until = Instant::now() + SOON;
    let both = async {
        tokio::join!(
            async {
                let mut stream = connector.connect(near, until).await?;
                // What the server thinks of us is said now; tickets come with it.
                let _ = stream.read_exact(&mut [0]).await;
                Ok(stream)
            },
            async {
                let mut stream = acceptor.accept(far, until).await?;
                stream.write_all(b"!").await.unwrap();
                stream.flush().await.unwrap();
                Ok(stream)
            }
        )
    };
    timeout(SOON, both).await.expect("an end")
}

/// Connects once, and says who was met, the server first.
pub async fn meet(acceptor: &Acceptor, connector: &Connector) -> [AuthenticatedPeer; 2] {
    let (near, far) = handshakes(acceptor, connector).await;
    let (mut near, mut far) = (near.unwrap(), far.unwrap());
    near.write_all(b"ping").await.unwrap();
    let mut heard = [0; 4];
    far.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"ping");
    [near.peer().clone(), far.peer().clone()]
}
