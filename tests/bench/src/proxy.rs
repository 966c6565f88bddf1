//! A proxy that forwards plain TCP: what a tunnel costs without TLS, or with a key in memory.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use mcbn_tls13::provider;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::{Error as NotPem, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional_with_sizes};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::failure::Failure;

/// As much as psk-server moves at a time.
const CHUNK: usize = 128 * 1024;

/// Where each connection leads, and what it is accepted with.
pub struct Proxy {
    pub forward: SocketAddr,
    /// None accepts plain TCP.
    pub tls: Option<Tls>,
}

/// PEM files for mutual TLS 1.3.
pub struct Tls {
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Prints its address and forwards every connection, until it is killed.
pub fn serve(proxy: Proxy) -> Result<(), Failure> {
    let acceptor = proxy.tls.map(|tls| tls.acceptor()).transpose()?;
    tokio::runtime::Runtime::new()
        .and_then(|runtime| runtime.block_on(forward_all(proxy.forward, acceptor)))
        .map_err(Failure::machine("run the proxy"))
}

impl Tls {
    fn acceptor(&self) -> Result<TlsAcceptor, Failure> {
        let acceptor = || {
            let mut roots = RootCertStore::empty();
            roots
                .add(CertificateDer::from_pem_file(&self.ca).map_err(not_pem)?)
                .map_err(io::Error::other)?;
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build();
            let chain = vec![CertificateDer::from_pem_file(&self.certificate).map_err(not_pem)?];
            let key = PrivateKeyDer::from_pem_file(&self.key).map_err(not_pem)?;
            let config = ServerConfig::builder_with_provider(provider())
                .with_protocol_versions(&[&rustls::version::TLS13])
                .map_err(io::Error::other)?
                .with_client_cert_verifier(verifier.map_err(io::Error::other)?)
                .with_single_cert(chain, key)
                .map_err(io::Error::other)?;
            Ok(Arc::new(config).into())
        };
        acceptor().map_err(Failure::machine("set up the proxy's TLS"))
    }
}

fn not_pem(error: NotPem) -> io::Error {
    io::Error::other(error)
}

async fn forward_all(forward: SocketAddr, acceptor: Option<TlsAcceptor>) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (near, _) = listener.accept().await?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            near.set_nodelay(true)?;
            match acceptor {
                Some(acceptor) => join(acceptor.accept(near).await?, forward).await,
                None => join(near, forward).await,
            }
        });
    }
}

async fn join(
    mut near: impl AsyncRead + AsyncWrite + Unpin,
    forward: SocketAddr,
) -> io::Result<()> {
    let mut far = TcpStream::connect(forward).await?;
    far.set_nodelay(true)?;
    let joined = copy_bidirectional_with_sizes(&mut near, &mut far, CHUNK, CHUNK).await;
    joined.map(drop)
}
