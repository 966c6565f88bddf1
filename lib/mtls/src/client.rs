//! The client's side.

use std::net::Ipv4Addr;
use std::sync::Arc;

use mcbn_tls13::{Verifier, provider};
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::version::TLS13;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use crate::certificate::Credentials;
use crate::error::Setup;
use crate::key::Witness;
use crate::peer::{AuthenticatedPeer, Checks, OurKey};
use crate::{HandshakeError, MtlsStream};

/// Connects to servers that hold the key.
#[derive(Clone)]
pub struct Connector {
    tls: TlsConnector,
    /// What is asked for in the handshake.
    name: ServerName<'static>,
    spki: Arc<[u8]>,
    witness: Witness,
}

/// rustls wants some name; an address is not sent, and the verifier does not look at it.
const NO_NAME: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

impl Connector {
    pub fn new(credentials: Arc<Credentials>, checks: Checks) -> Result<Self, Setup> {
        let key = credentials.key();
        let (spki, witness) = (key.spki().into(), key.witness());
        let name = checks.name().cloned();
        let verifier = Arc::new(Verifier::new(OurKey::new(key, checks)));
        let builder = ClientConfig::builder_with_details(provider(), credentials.clock());
        let mut config = builder
            .with_protocol_versions(&[&TLS13])
            .map_err(Setup::step("set up TLS"))?
            // What replaces the usual verifier asks for more than that one: our own key.
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(credentials);
        // Every connection shows the key anew.
        config.resumption = Resumption::disabled();
        Ok(Self {
            tls: Arc::new(config).into(),
            name: name.unwrap_or(ServerName::IpAddress(NO_NAME.into())),
            spki,
            witness,
        })
    }

    /// Sees the key's end.
    pub fn witness(&self) -> Witness {
        self.witness.clone()
    }

    /// Does the handshake. Ends when the peer lets it end: the caller sets the deadline.
    ///
    /// In TLS 1.3 this is done before the server has judged our certificate: where it refuses, the first read says so.
    pub async fn connect<S>(&self, stream: S) -> Result<MtlsStream<S>, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let tls = self.tls.connect(self.name.clone(), stream).await;
        let tls = tls.map_err(HandshakeError::of)?;
        let peer = AuthenticatedPeer::of(tls.get_ref().1, &self.spki);
        let peer = peer.map_err(HandshakeError::Peer)?;
        Ok(MtlsStream::new(tls.into(), peer))
    }
}
