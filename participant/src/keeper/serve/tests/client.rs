//! A workload, as small as it can be: a TLS client that knows a pin, and HTTP by hand.

use super::{Running, SOON};
use mcbn_consent::message::{
    self, AskChallenge, AskRelease, AskRenewal, Challenge, Challenged, EXPORTER_LABEL, Exporter,
    Lease, Refusal, Released, Renewed, nonces,
};
use mcbn_manifest::Pin;
use mcbn_share::ManifestDigest;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls13_signature};
use rustls::version::TLS13;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What the double of the issuer says: the machine, and what it was asked to put in.
#[derive(Clone, Debug)]
pub struct Token {
    pub subject: String,
    pub audience: String,
    pub nonces: Vec<String>,
}

impl Token {
    pub fn new(subject: &str, running: &Running, client: &Client, challenge: &Challenge) -> Token {
        let manifest = &running.keeper.terms.manifest;
        Token {
            subject: subject.into(),
            audience: message::audience(&running.pin),
            nonces: nonces(challenge, &client.exporter, manifest).into(),
        }
    }

    pub fn parse(text: &str) -> Option<Token> {
        let mut fields = text.split(' ').map(str::to_owned);
        Some(Token {
            subject: fields.next()?,
            audience: fields.next()?,
            nonces: fields.collect(),
        })
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {} {}",
            self.subject,
            self.audience,
            self.nonces.join(" ")
        )
    }
}

pub struct Client {
    pub stream: TlsStream<TcpStream>,
    pub exporter: Exporter,
    /// In bytes.
    pub sent: usize,
}

impl Client {
    pub async fn connect(address: SocketAddr, pin: Pin) -> Client {
        let connector = TlsConnector::from(Arc::new(config(pin)));
        Client::connect_with(&connector, address).await.unwrap()
    }

    pub async fn connect_with(
        connector: &TlsConnector,
        address: SocketAddr,
    ) -> std::io::Result<Client> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("anything.invalid").unwrap();
        let stream = connector.connect(name, stream).await?;
        let label = EXPORTER_LABEL.as_bytes();
        let exported = stream
            .get_ref()
            .1
            .export_keying_material([0; 32], label, None);
        let exporter = Exporter(exported.unwrap());
        Ok(Client {
            stream,
            exporter,
            sent: 0,
        })
    }

    pub async fn challenge(&mut self, manifest: ManifestDigest) -> Challenge {
        let answer = self.ask("/v1/challenge", &AskChallenge { manifest }).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let Challenged { challenge } = message::read(&answer.body).unwrap();
        challenge
    }

    pub async fn release(&mut self, token: &Token) -> Answer {
        let token = &token.to_string();
        self.ask("/v1/release", &AskRelease { token }).await
    }

    /// Without waiting for the answer.
    pub async fn ask_later(&mut self, token: &Token) {
        let body = format!(r#"{{"token":"{token}"}}"#);
        let length = body.len();
        let head = format!("POST /v1/release HTTP/1.1\r\nContent-Length: {length}\r\n\r\n");
        self.send(format!("{head}{body}").as_bytes()).await;
    }

    pub async fn renew(&mut self, token: &Token, lease: Lease) -> Answer {
        let token = &token.to_string();
        self.ask("/v1/renew", &AskRenewal { token, lease }).await
    }

    pub async fn ask(&mut self, path: &str, message: &impl Serialize) -> Answer {
        self.post(path, &message::write(message)).await
    }

    pub async fn post(&mut self, path: &str, body: &[u8]) -> Answer {
        let length = body.len();
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: keeper\r\nContent-Length: {length}\r\n\r\n");
        self.send(head.as_bytes()).await;
        self.send(body).await;
        self.answer().await.expect("an answer")
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.sent += bytes.len();
        // The keeper may have closed already; what it said stands in its answer.
        let _ = self.stream.write_all(bytes).await;
        let _ = self.stream.flush().await;
    }

    /// None when the connection ends without one.
    pub async fn answer(&mut self) -> Option<Answer> {
        timeout(SOON, async {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.stream.read_u8().await.ok()?);
            }
            let head = String::from_utf8(head).unwrap().to_lowercase();
            let header = |name: &str| {
                let line = head.lines().find_map(|line| line.strip_prefix(name));
                line.map(|value| value.trim().to_owned())
            };
            let length = header("content-length:")?.parse().unwrap();
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body).await.ok()?;
            Some(Answer {
                status: head.split(' ').nth(1)?.parse().unwrap(),
                retry: header("retry-after:").map(|seconds| seconds.parse().unwrap()),
                closes: header("connection:").as_deref() == Some("close"),
                body,
            })
        })
        .await
        .expect("an answer or an end in time")
    }

    /// Whether the keeper has closed the connection, without another answer.
    pub async fn is_closed(&mut self) -> bool {
        self.answer().await.is_none()
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub retry: Option<u64>,
    pub closes: bool,
    pub body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub fn released(self) -> Released {
        assert_eq!(self.status, 200, "{:?}", self.refusal());
        assert!(self.closes);
        Released::read(&self.body).unwrap()
    }

    #[track_caller]
    pub fn renewed(self) -> Renewed {
        assert_eq!(self.status, 200, "{:?}", self.refusal());
        assert!(self.closes);
        message::read(&self.body).unwrap()
    }

    /// Code and reasons in one line.
    #[track_caller]
    pub fn refusal(&self) -> String {
        let refusal: Refusal = message::read(&self.body).unwrap();
        assert_eq!(self.status, refusal.refused.status());
        assert!(self.closes);
        let mut line = refusal.refused.to_string();
        for reason in refusal.reasons {
            line.push(' ');
            line.push_str(reason.as_str());
        }
        line
    }
}

pub fn config(pin: Pin) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned(pin)))
        .with_no_client_auth()
}

/// Accepts the certificate of one key.
#[derive(Debug)]
struct Pinned(Pin);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        use sha2::{Digest, Sha256};
        // A SubjectPublicKeyInfo of a P-256 key has 91 bytes and begins with its algorithm.
        const BEGINS: [u8; 26] = [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
            0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ];
        let spki = certificate
            .windows(91)
            .find(|part| part.starts_with(&BEGINS));
        match spki.is_some_and(|spki| Sha256::digest(spki)[..] == self.0.0) {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }
}

fn algorithms() -> WebPkiSupportedAlgorithms {
    ring::default_provider().signature_verification_algorithms
}
