//! A client that asks for no name and speaks HTTP.

use crate::{HTTP_1_1, Judge, Verifier, provider};
use rustls::client::Resumption;
use rustls::version::TLS13;
use rustls::{ClientConfig, Error};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Connects to servers that its judge lets pass.
#[derive(Clone)]
pub struct Client(TlsConnector);

/// What a client shows of itself.
pub type Shows = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// rustls wants some name; an address is not sent, and the verifier does not look at it.
const NO_NAME: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

impl Client {
    /// # Errors
    ///
    /// What it is to show of itself cannot be used.
    pub fn new(judge: impl Judge + 'static, own: Option<Shows>) -> Result<Client, Error> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .expect("the provider has the suites of TLS 1.3")
            // What replaces the usual verifier has a judge in the place of names and issuers.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier::new(judge)));
        let mut config = match own {
            Some((certificates, private)) => {
                builder.with_client_auth_cert(certificates, private)?
            }
            None => builder.with_no_client_auth(),
        };
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        config.enable_sni = false;
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Client(Arc::new(config).into()))
    }

    /// Does the handshake. Ends when the server lets it end: the caller sets the deadline.
    ///
    /// # Errors
    ///
    /// [`Failed`](crate::Failed) sorts them.
    pub async fn connect<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::IpAddress(NO_NAME.into());
        self.0.connect(name, stream).await
    }
}
