//! One request to one service, over HTTP/1.1 and TLS 1.3, and the whole answer to it.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use mcbn_gcp_answer::{Corrupt, Failure, Said};
use mcbn_manifest::Endpoint;
use mcbn_tunnel::dial::Upstream;
use mcbn_tunnel::names::{Names, NoResolver};
use mcbn_tunnel::target::Target;
use rustls::client::Resumption;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use std::convert::Infallible;
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::future::ready;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

/// In bytes: the longest secret with room for its base64 and what stands around it.
const LONGEST: usize = 128 * 1024;

/// The way to services. What it needs of the system's files is read once, so that a lease is renewed without them: what
/// changes in them has effect when the program is started again.
#[derive(Clone)]
pub struct Https {
    tls: TlsConnector,
    /// Of the first name that is looked up, for all others.
    names: Arc<OnceLock<Names>>,
    dns_server: Option<SocketAddr>,
}

/// There are no certificates to believe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCertificates;

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Https {
    /// Believes whom the system, or the image, has certificates of as public CAs. Names are looked up as the system says,
    /// or by this server alone.
    pub fn of_system(dns_server: Option<SocketAddr>) -> Result<Https, NoCertificates> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Https::believing(roots, dns_server)
    }

    pub(crate) fn believing(
        roots: RootCertStore,
        dns_server: Option<SocketAddr>,
    ) -> Result<Https, NoCertificates> {
        match roots.is_empty() {
            true => Err(NoCertificates),
            false => Ok(Https::with(roots, dns_server)),
        }
    }

    /// Believes no certificate: where nobody is to be asked, and there need be none.
    pub fn believing_nobody() -> Https {
        Https::with(RootCertStore::empty(), None)
    }

    fn with(roots: RootCertStore, dns_server: Option<SocketAddr>) -> Https {
        let mut config = ClientConfig::builder_with_provider(mcbn_tls13::provider())
            .with_protocol_versions(&[&TLS13])
            .expect("the provider has the suites of TLS 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![mcbn_tls13::HTTP_1_1.to_vec()];
        Https {
            tls: Arc::new(config).into(),
            names: Arc::default(),
            dns_server,
        }
    }

    /// Nothing is tried again: the caller does, and sets the deadline.
    pub(crate) async fn ask(
        &self,
        endpoint: &Endpoint,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Answer, Failure> {
        let authority = endpoint.as_str().split_once("://").map(|(_, rest)| rest);
        let authority = authority.expect("an endpoint has a scheme");
        let host = HeaderValue::from_str(authority).expect("names and addresses are ASCII");
        request.headers_mut().insert(HOST, host);
        let stream = self.connect(endpoint).await?;
        if !endpoint.is_https() {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(endpoint.host().to_owned());
        let name = name.expect("an endpoint has a name or an address");
        let stream = self.tls.connect(name, stream).await;
        exchange(stream.map_err(|error| broken(&error))?, request).await
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<TcpStream, Failure> {
        let port = endpoint.port();
        let target = match endpoint.host().parse::<IpAddr>() {
            Ok(address) => Target::Address(SocketAddr::new(address, port)),
            Err(_) => Target::Host {
                name: endpoint.host().parse().expect("an endpoint's host is one"),
                port,
            },
        };
        let targets = vec![target];
        let names = self.names_for(&targets);
        let names = names.map_err(|error| away(&error.to_string()))?;
        let upstream = Upstream::<TcpStream>::new(targets, names, CONNECT);
        let stream = upstream.connect_once(|stream| ready(Ok::<_, Infallible>(stream)));
        stream.await.map_err(|error| away(&error.to_string()))
    }

    fn names_for(&self, targets: &[Target]) -> Result<Option<Names>, NoResolver> {
        if let Some(names) = self.names.get() {
            return Ok(Some(names.clone()));
        }
        let names = Names::needed_by(targets, self.dns_server)?;
        // Whoever was faster has read the same.
        Ok(names.map(|names| self.names.get_or_init(|| names).clone()))
    }
}

impl Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Https(..)")
    }
}

impl Display for NoCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there are no certificates of public CAs here")
    }
}

impl Error for NoCertificates {}

/// For one connection; the reading as a whole has a deadline too.
const CONNECT: Duration = Duration::from_secs(5);

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut requests, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broke(&error))?;
    let answer = async {
        let answer = requests.send_request(request);
        whole(answer.await.map_err(|error| broke(&error))?).await
    };
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        outcome = answer.as_mut() => return outcome,
        // It ends first where the service closes at once; what came before is still to be read.
        _ = connection => {}
    }
    answer.await
}

async fn whole(answer: Response<Incoming>) -> Result<Answer, Failure> {
    let status = answer.status();
    let mut incoming = Limited::new(answer.into_body(), LONGEST);
    // Room for all of it: a buffer that grows leaves copies behind.
    let mut body = Zeroizing::new(Vec::with_capacity(LONGEST));
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| match error.is::<LengthLimitError>() {
            true => Failure::Corrupt(Corrupt::Form),
            false => away("the connection broke"),
        })?;
        if let Ok(data) = frame.into_data() {
            body.extend_from_slice(&data);
        }
    }
    Ok(Answer { status, body })
}

fn broke(error: &hyper::Error) -> Failure {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return broken(error);
        }
        source = error.source();
    }
    away("the connection broke")
}

fn broken(error: &io::Error) -> Failure {
    away(&error.to_string())
}

fn away(why: &str) -> Failure {
    Failure::Away(Said::new(why.as_bytes()))
}

#[cfg(test)]
mod tests;
