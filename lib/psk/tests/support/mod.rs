//! Peers for the tests: ours, and ones that are built straight on OpenSSL and may misbehave.

#![allow(dead_code)] // Each test file uses its part.

use std::io::Read;
use std::net::{SocketAddr, TcpStream as StdStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mcbn_psk::{
    Acceptor, Connector, HandshakeError, KeySource, NoKey, PeerFault, PskStream, Randoms,
    Resumption, Versions,
};
use mcbn_secret::Psk;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sha::Sha256;
use openssl::ssl::{
    Ssl, SslContext, SslContextBuilder, SslMethod, SslRef, SslSession, SslStream, SslVersion,
};
use openssl::x509::{X509, X509NameBuilder};
use tokio::net::{TcpListener, TcpStream};

pub const IDENTITY: &str = "Client1";
pub const KEY: [u8; 32] = [7; 32];
pub const OTHER_KEY: [u8; 32] = [8; 32];

/// Both versions, as client and server settings that lead to them.
pub const BOTH: [(Versions, SslVersion); 2] = [
    (Versions::Tls13, SslVersion::TLS1_3),
    (Versions::Tls12And13, SslVersion::TLS1_2),
];

pub type Outcome = Result<PskStream<TcpStream>, HandshakeError>;

pub fn fault(outcome: Outcome) -> PeerFault {
    match outcome {
        Err(HandshakeError::Peer(fault)) => fault,
        other => panic!("not the peer's fault: {other:?}"),
    }
}

pub fn acceptor(versions: Versions) -> Acceptor {
    Acceptor::new(IDENTITY.parse().unwrap(), Psk::copied_from(&KEY), versions).unwrap()
}

pub fn connector(identity: &str, key: [u8; 32], versions: Versions) -> Connector {
    Connector::new(identity.parse().unwrap(), Psk::copied_from(&key), versions).unwrap()
}

/// Makes a key for each session, of a secret and both randoms.
#[derive(Clone)]
pub struct OfRandoms {
    secret: [u8; 32],
    pub asked: Arc<AtomicUsize>,
    pub keys: Arc<Mutex<Vec<[u8; 32]>>>,
}

impl OfRandoms {
    pub fn with(secret: [u8; 32]) -> Self {
        Self {
            secret,
            asked: Arc::default(),
            keys: Arc::default(),
        }
    }

    /// The same key, in the callback of a peer that is built straight on OpenSSL.
    pub fn write_foreign(&self, ssl: &SslRef, out: &mut [u8]) -> usize {
        let (mut client, mut server) = ([0; 32], [0; 32]);
        ssl.client_random(&mut client);
        ssl.server_random(&mut server);
        // In TLS 1.3 it would be asked for a key before there is a random.
        if server == [0; 32] {
            return 0;
        }
        out[..32].copy_from_slice(&self.key(&Randoms { client, server }));
        32
    }

    fn key(&self, randoms: &Randoms) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(&self.secret);
        hash.update(&randoms.client);
        hash.update(&randoms.server);
        hash.finish()
    }
}

impl Default for OfRandoms {
    fn default() -> Self {
        Self::with(KEY)
    }
}

impl KeySource for OfRandoms {
    fn write_key(
        &self,
        randoms: &Randoms,
        _: Option<Instant>,
        out: &mut [u8; Psk::LENGTH],
    ) -> Result<(), NoKey> {
        *out = self.key(randoms);
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.keys.lock().unwrap().push(*out);
        Ok(())
    }

    fn advice(&self) -> &'static str {
        "what the test says"
    }
}

pub fn session_acceptor(keys: impl KeySource, resumption: Resumption) -> Acceptor {
    Acceptor::of_session_keys(IDENTITY.parse().unwrap(), keys, resumption).unwrap()
}

pub fn session_connector(
    identity: &str,
    keys: impl KeySource,
    resumption: Resumption,
) -> Connector {
    Connector::of_session_keys(identity.parse().unwrap(), keys, resumption).unwrap()
}

pub async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
    (near.unwrap(), far.unwrap().0)
}

/// Our client meets our server.
pub async fn meet(client: &Connector, server: &Acceptor) -> (Outcome, Outcome) {
    let (near, far) = tcp_pair().await;
    tokio::join!(client.connect(near), server.accept(far))
}

/// Our client and our server, connected.
pub async fn connected(
    client: Versions,
    server: Versions,
) -> (PskStream<TcpStream>, PskStream<TcpStream>) {
    let client = connector(IDENTITY, KEY, client);
    let (client, server) = meet(&client, &acceptor(server)).await;
    (client.unwrap(), server.unwrap())
}

/// What a foreign peer's blocking work gives, and what our side says.
pub async fn against_server<T: Send + 'static>(
    server: &Acceptor,
    foreign: impl FnOnce(StdStream) -> T + Send + 'static,
) -> (T, Outcome) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let foreign = tokio::task::spawn_blocking(move || foreign(std_stream(address)));
    let ours = server.accept(listener.accept().await.unwrap().0).await;
    let foreign = hold(&ours, foreign).await;
    (foreign, ours)
}

pub async fn against_client<T: Send + 'static>(
    client: &Connector,
    foreign: impl FnOnce(StdStream) -> T + Send + 'static,
) -> (T, Outcome) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let foreign = tokio::task::spawn_blocking(move || {
        let (stream, _) = listener.accept().unwrap();
        foreign(with_deadline(stream))
    });
    let ours = client
        .connect(TcpStream::connect(address).await.unwrap())
        .await;
    let foreign = hold(&ours, foreign).await;
    (foreign, ours)
}

/// Our side's stream stays open until the foreign side is done with it.
async fn hold<T>(_ours: &Outcome, foreign: tokio::task::JoinHandle<T>) -> T {
    foreign.await.unwrap()
}

fn std_stream(address: SocketAddr) -> StdStream {
    with_deadline(StdStream::connect(address).unwrap())
}

/// A test that goes wrong ends, and does not hang.
fn with_deadline(stream: StdStream) -> StdStream {
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

/// A foreign client's context with the right identity and this key, if any.
pub fn foreign_client(version: SslVersion, key: Option<[u8; 32]>) -> SslContextBuilder {
    let mut ctx = foreign(SslMethod::tls_client(), version);
    if let Some(key) = key {
        ctx.set_psk_client_callback(move |_, _, identity, out| {
            identity[..=IDENTITY.len()].copy_from_slice(b"Client1\0");
            out[..key.len()].copy_from_slice(&key);
            Ok(key.len())
        });
    }
    ctx
}

/// A foreign server's context with the right identity and this key, if any.
pub fn foreign_server(version: SslVersion, key: Option<[u8; 32]>) -> SslContextBuilder {
    let mut ctx = foreign(SslMethod::tls_server(), version);
    if let Some(key) = key {
        ctx.set_psk_server_callback(move |_, identity, out| {
            if identity != Some(IDENTITY.as_bytes()) {
                return Ok(0);
            }
            out[..key.len()].copy_from_slice(&key);
            Ok(key.len())
        });
    }
    ctx
}

fn foreign(method: SslMethod, version: SslVersion) -> SslContextBuilder {
    let mut ctx = SslContextBuilder::new(method).unwrap();
    ctx.set_min_proto_version(Some(version)).unwrap();
    ctx.set_max_proto_version(Some(version)).unwrap();
    ctx.set_cipher_list("ALL:PSK").unwrap();
    ctx
}

pub fn with_certificate(mut ctx: SslContextBuilder) -> SslContextBuilder {
    let (key, certificate) = certificate();
    ctx.set_private_key(&key).unwrap();
    ctx.set_certificate(&certificate).unwrap();
    ctx
}

/// A key and a self-signed certificate, made anew.
fn certificate() -> (PKey<Private>, X509) {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "server.example").unwrap();
    let name = name.build();
    let mut certificate = X509::builder().unwrap();
    certificate.set_version(2).unwrap();
    let serial = BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap();
    certificate.set_serial_number(&serial).unwrap();
    certificate.set_subject_name(&name).unwrap();
    certificate.set_issuer_name(&name).unwrap();
    certificate.set_pubkey(&key).unwrap();
    certificate
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    certificate
        .set_not_after(&Asn1Time::days_from_now(1).unwrap())
        .unwrap();
    certificate.sign(&key, MessageDigest::sha256()).unwrap();
    (key, certificate.build())
}

pub type Foreign = Result<SslStream<StdStream>, openssl::ssl::Error>;

pub fn connect(ctx: &SslContext, stream: StdStream, session: Option<&SslSession>) -> Foreign {
    let mut ssl = Ssl::new(ctx).unwrap();
    if let Some(session) = session {
        // SAFETY: the session comes from a context with the same method and version.
        #[allow(unsafe_code)]
        unsafe {
            ssl.set_session(session).unwrap();
        }
    }
    let mut tls = SslStream::new(ssl, stream).unwrap();
    tls.connect().map(|()| tls)
}

pub fn accept(ctx: &SslContext, stream: StdStream) -> Foreign {
    let mut tls = SslStream::new(Ssl::new(ctx).unwrap(), stream).unwrap();
    tls.accept().map(|()| tls)
}

/// The alert that ended a foreign peer's handshake, or its first read after it.
pub fn alert_seen(mut outcome: Foreign) -> i32 {
    let error = match &mut outcome {
        Err(error) => error.ssl_error().cloned(),
        Ok(tls) => match tls.ssl_read(&mut [0; 1]) {
            Ok(_) => panic!("data came"),
            Err(error) => error.ssl_error().cloned(),
        },
    };
    let stack = error.expect("an alert, and not just an end");
    stack.errors()[0].reason_code() - 1000
}

/// All that comes until the other side is done or breaks off.
pub fn read_all(mut stream: impl Read) -> Vec<u8> {
    let mut all = Vec::new();
    // Being cut off is an end as well here.
    let _ = stream.read_to_end(&mut all);
    all
}
