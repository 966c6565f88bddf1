//! A server with a double for its tokens, and a client that can be made to do what ours never does.

#![allow(dead_code, reason = "each test program uses a part of it")]

use axum::body::Bytes;
use axum::http::{HeaderName, StatusCode};
use axum::routing::{get, post};
use axum::{Extension, Router};
use base64ct::{Base64UrlUnpadded, Encoding};
use mcbn_attested::server::{Acceptor, Caller, Limits, Server, Vouching};
use mcbn_attested::{Identity, LARGEST_BODY, Purpose};
use mcbn_binding::{EXPORTER_LABEL, Exporter};
use mcbn_launcher::{Error, Malformed, Request, Token, TokenType, Tokens};
use mcbn_manifest::Pin;
use mcbn_runtime::shutdown::{Shutdown, Trigger};
use mcbn_share::ManifestDigest;
use mcbn_tunnel::metrics::Metrics;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, ResolvesClientCert};
use rustls::crypto::{ring, verify_tls13_signature};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Far more than anything here takes.
pub const SOON: Duration = Duration::from_secs(30);

/// A deadline that is meant to pass.
pub const IMPATIENT: Duration = Duration::from_millis(50);

pub const PURPOSE: Purpose = Purpose::named("test");
pub const MANIFEST: ManifestDigest = ManifestDigest([7; 32]);
pub const CHALLENGE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// What the token service does.
#[derive(Clone, Copy, Debug)]
pub enum Double {
    /// Gives a token that says what was asked for, unsigned.
    Well,
    Down,
    Stalled,
}

impl Tokens for Double {
    async fn token(&self, request: &Request) -> Result<Token, Error> {
        match self {
            Double::Well => {}
            Double::Down => return Err(Error::Malformed(Malformed::NotAToken)),
            Double::Stalled => std::future::pending().await,
        }
        let asked = serde_json::to_vec(request).unwrap();
        let asked = Base64UrlUnpadded::encode_string(&asked);
        Ok(Token::parse(format!("AAAA.{asked}.AAAA").as_bytes()).unwrap())
    }
}

/// A server that runs, and the key of its one participant.
pub struct House {
    pub address: SocketAddr,
    pub participant: KeyPair,
    /// How often a handler has run.
    pub handled: Arc<AtomicUsize>,
    pub trigger: Trigger,
    pub served: JoinHandle<Option<()>>,
}

impl House {
    pub async fn start() -> House {
        House::with(Double::Well, Limits::default()).await
    }

    pub async fn with(tokens: Double, limits: Limits) -> House {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let participant = key();
        let acceptor = Acceptor::new(Identity::ephemeral().unwrap(), [pin(&participant)]);
        let handled = Arc::new(AtomicUsize::new(0));
        let server = Server {
            listener,
            acceptor: acceptor.unwrap(),
            vouching: Vouching {
                router: router(Arc::clone(&handled)),
                tokens,
                token_type: TokenType::Oidc,
                purpose: PURPOSE,
                manifest: MANIFEST,
            },
            limits,
            metrics: Metrics::default(),
        };
        let (trigger, shutdown) = Shutdown::manual();
        House {
            address,
            participant,
            handled,
            trigger,
            served: tokio::spawn(server.run(shutdown, pending())),
        }
    }

    /// The participant, connected.
    pub async fn visit(&self) -> Peer {
        let config = config(credentials(&self.participant, &self.participant));
        Peer::connect(self.address, config).await.unwrap()
    }

    pub fn handled(&self) -> usize {
        self.handled.load(Ordering::SeqCst)
    }
}

fn router(handled: Arc<AtomicUsize>) -> Router {
    let counted = move |request, next: axum::middleware::Next| {
        handled.fetch_add(1, Ordering::SeqCst);
        next.run(request)
    };
    let large = "x".repeat(LARGEST_BODY + 1);
    Router::new()
        .route("/echo", post(|body: Bytes| async { body }))
        .route(
            "/who",
            get(|Extension(caller): Extension<Caller>| async move { caller.pin().to_string() }),
        )
        .route(
            "/fails",
            get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "it failed") }),
        )
        .route(
            "/forges",
            get(|| async { ([(HeaderName::from_static("mcbn-token"), "A.B.C")], "forged") }),
        )
        .route("/stalls", get(std::future::pending::<String>))
        .route("/large", get(|| async { large }))
        .layer(axum::middleware::from_fn(counted))
}

pub fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

pub fn pin(key: &KeyPair) -> Pin {
    Pin(Sha256::digest(key.subject_public_key_info()).into())
}

pub fn certificate(key: &KeyPair) -> CertificateDer<'static> {
    let signed = CertificateParams::default().self_signed(key);
    signed.unwrap().into()
}

/// The certificate of one key, and another one to sign with, if one likes.
pub fn credentials(shown: &KeyPair, signing: &KeyPair) -> CertifiedKey {
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing.serialize_der()));
    let private = ring::sign::any_supported_type(&private).unwrap();
    CertifiedKey::new(vec![certificate(shown)], private)
}

pub fn config(credentials: CertifiedKey) -> ClientConfig {
    builder().with_client_cert_resolver(Arc::new(Always(Arc::new(credentials))))
}

pub fn anonymous() -> ClientConfig {
    builder().with_no_client_auth()
}

fn builder() -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone))
}

/// Shows this, whatever is asked for.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesClientCert for Always {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// The head of a request with a challenge and these headers, one a line.
pub fn head(request: &str, headers: &str) -> String {
    format!("{request} HTTP/1.1\r\nhost: h\r\nmcbn-challenge: {CHALLENGE}\r\n{headers}\r\n")
}

/// A client that writes its HTTP by hand.
pub struct Peer {
    pub stream: TlsStream<TcpStream>,
    pub exporter: Exporter,
}

impl Peer {
    pub async fn connect(address: SocketAddr, config: ClientConfig) -> io::Result<Peer> {
        let connector = TlsConnector::from(Arc::new(config));
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("anything.invalid").unwrap();
        let stream = connector.connect(name, stream).await?;
        let label = EXPORTER_LABEL.as_bytes();
        let session = stream.get_ref().1;
        let exported = session.export_keying_material([0; 32], label, Some(&[]));
        Ok(Peer {
            exporter: Exporter(exported.unwrap()),
            stream,
        })
    }

    /// A request with these headers, one a line.
    pub async fn ask(&mut self, request: &str, headers: &str, body: &str) -> Answer {
        let length = body.len();
        self.send(&format!(
            "{request} HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        ))
        .await;
        self.answer().await.expect("an answer")
    }

    /// One with a challenge.
    pub async fn challenge(&mut self, request: &str, body: &str) -> Answer {
        let header = format!("mcbn-challenge: {CHALLENGE}\r\n");
        self.ask(request, &header, body).await
    }

    pub async fn send(&mut self, text: &str) {
        // The server may have closed already; what it said stands in its answer.
        let _ = self.stream.write_all(text.as_bytes()).await;
        let _ = self.stream.flush().await;
    }

    /// # Errors
    ///
    /// The connection ends without one.
    pub async fn answer(&mut self) -> io::Result<Answer> {
        let read = async {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.stream.read_u8().await?);
            }
            let head = String::from_utf8(head).unwrap();
            let (first, rest) = head.split_once("\r\n").unwrap();
            let headers: BTreeMap<_, _> = rest
                .lines()
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect();
            let mut body = vec![0; headers["content-length"].parse().unwrap()];
            self.stream.read_exact(&mut body).await?;
            Ok(Answer {
                status: first.split(' ').nth(1).unwrap().parse().unwrap(),
                headers,
                body: String::from_utf8(body).unwrap(),
            })
        };
        timeout(SOON, read).await.expect("an answer or an end")
    }

    /// Waits for the end of the connection, before which nothing more may come.
    pub async fn ends(&mut self) {
        match self.answer().await {
            Err(_) => {}
            Ok(answer) => panic!("one more answer: {answer:?}"),
        }
    }

    /// The fatal alert with which the server ends a connection that it has not let in.
    pub async fn alert(&mut self) -> rustls::AlertDescription {
        let error = self.answer().await.unwrap_err();
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        match inner {
            Some(rustls::Error::AlertReceived(alert)) => *alert,
            _ => panic!("no alert: {error:?}"),
        }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Answer {
    pub fn token(&self) -> Option<&String> {
        self.headers.get("mcbn-token")
    }

    /// What the token was asked to say.
    #[track_caller]
    pub fn asked(&self) -> Value {
        let token = self.token().expect("a token");
        let payload = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&Base64UrlUnpadded::decode_vec(payload).unwrap()).unwrap()
    }

    /// The word of the layer itself, which closes the connection.
    #[track_caller]
    pub fn refused(&self) -> (u16, &str) {
        assert_eq!(self.headers["connection"], "close", "{self:?}");
        let word = self.body.strip_prefix(r#"{"refused":""#);
        let word = word.and_then(|word| word.strip_suffix(r#""}"#));
        (self.status, word.unwrap_or_else(|| panic!("{self:?}")))
    }
}
