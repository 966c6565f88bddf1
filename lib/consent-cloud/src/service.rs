//! A service that answers one request as a test tells it to, and the way to it.

use crate::https::{Answer, Https};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use mcbn_gcp_answer::Failure;
use mcbn_manifest::Endpoint;
use rcgen::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::PrivateKeyDer;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// Longer than anything here takes, so that a test that goes wrong ends.
const LONG: Duration = Duration::from_secs(20);

pub(crate) struct Service {
    pub(crate) endpoint: Endpoint,
    asked: JoinHandle<String>,
}

impl Service {
    /// Answers with these bytes, whatever is asked, and ends the connection.
    pub(crate) async fn saying(answer: impl Into<Vec<u8>>) -> Service {
        let answer = answer.into();
        Service::start("http", |stream| served(stream, answer)).await
    }

    /// With a head around this body.
    pub(crate) async fn answering(status: u16, body: &str) -> Service {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} Of A Test\r\ncontent-length: {length}\r\n\r\n");
        Service::saying(head + body).await
    }

    /// Over TLS, by this certificate.
    pub(crate) async fn by(certified: &Certified, answer: &'static str) -> Service {
        let acceptor = certified.acceptor();
        let over_tls = async move |stream| match acceptor.accept(stream).await {
            Ok(stream) => served(stream, answer.into()).await,
            Err(_) => String::new(),
        };
        Service::start("https", over_tls).await
    }

    async fn start<F>(scheme: &str, serve: impl FnOnce(TcpStream) -> F + Send + 'static) -> Service
    where
        F: Future<Output = String> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("{scheme}://{}", listener.local_addr().unwrap());
        let asked = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            // Nobody else is let in.
            drop(listener);
            serve(stream).await
        });
        Service {
            endpoint: endpoint.parse().unwrap(),
            asked,
        }
    }

    /// What was asked for: head and body.
    pub(crate) async fn asked(self) -> String {
        timeout(LONG, self.asked).await.unwrap().unwrap()
    }

    /// Asks it for nothing in particular.
    pub(crate) async fn asked_by(&self, https: &Https) -> Result<Answer, Failure> {
        let request = Request::get("/path").body(Full::new(Bytes::new())).unwrap();
        in_time(https.ask(&self.endpoint, request)).await
    }
}

pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(LONG, future).await.expect("an end in time")
}

async fn served(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: Vec<u8>) -> String {
    let mut asked = Vec::new();
    while !is_whole(&asked) {
        if stream.read_buf(&mut asked).await.unwrap() == 0 {
            break;
        }
    }
    // Whoever has heard enough may be gone.
    let _ = stream.write_all(&answer).await;
    let _ = stream.shutdown().await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
    String::from_utf8(asked).unwrap()
}

fn is_whole(request: &[u8]) -> bool {
    let request = str::from_utf8(request).unwrap();
    let Some((head, body)) = request.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| body.len() >= length.parse().unwrap())
}

/// A certificate that is its own CA, and its key.
pub(crate) struct Certified(CertifiedKey<rcgen::KeyPair>);

impl Certified {
    pub(crate) fn of(name: &str) -> Certified {
        Certified(rcgen::generate_simple_self_signed([name.to_owned()]).unwrap())
    }

    /// For who believes this one alone.
    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.cert.der().clone()).unwrap();
        roots
    }

    fn acceptor(&self) -> TlsAcceptor {
        let key = PrivateKeyDer::try_from(self.0.signing_key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(mcbn_tls13::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.0.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![mcbn_tls13::HTTP_1_1.to_vec()];
        Arc::new(config).into()
    }
}

/// A port that is taken and where nobody listens.
pub(crate) struct Nobody {
    pub(crate) endpoint: Endpoint,
    _socket: TcpSocket,
}

impl Nobody {
    pub(crate) fn there() -> Nobody {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = socket.local_addr().unwrap();
        Nobody {
            endpoint: format!("http://{address}").parse().unwrap(),
            _socket: socket,
        }
    }
}
