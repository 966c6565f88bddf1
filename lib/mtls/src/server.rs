//! The server's side.

use std::sync::Arc;

use mcbn_tls13::{Verifier, provider};
use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;
use rustls::version::TLS13;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use crate::certificate::Credentials;
use crate::error::Setup;
use crate::key::Witness;
use crate::peer::{AuthenticatedPeer, Checks, OurKey};
use crate::{HandshakeError, MtlsStream};

/// Accepts connections from clients that hold the key.
#[derive(Clone)]
pub struct Acceptor {
    tls: TlsAcceptor,
    spki: Arc<[u8]>,
    witness: Witness,
}

impl Acceptor {
    pub fn new(credentials: Arc<Credentials>, checks: Checks) -> Result<Self, Setup> {
        let key = credentials.key();
        let (spki, witness) = (key.spki().into(), key.witness());
        let verifier = Arc::new(Verifier::new(OurKey::new(key, checks)));
        let builder = ServerConfig::builder_with_details(provider(), credentials.clock());
        let mut config = builder
            .with_protocol_versions(&[&TLS13])
            .map_err(Setup::step("set up TLS"))?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(credentials);
        // Every connection shows the key anew.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self {
            tls: Arc::new(config).into(),
            spki,
            witness,
        })
    }

    /// Sees the key's end.
    pub fn witness(&self) -> Witness {
        self.witness.clone()
    }

    /// Does the handshake. Ends when the peer lets it end: the caller sets the deadline.
    pub async fn accept<S>(&self, stream: S) -> Result<MtlsStream<S>, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let tls = self.tls.accept(stream).await;
        let tls = tls.map_err(HandshakeError::of)?;
        let peer = AuthenticatedPeer::of(tls.get_ref().1, &self.spki);
        let peer = peer.map_err(HandshakeError::Peer)?;
        Ok(MtlsStream::new(tls.into(), peer))
    }
}
