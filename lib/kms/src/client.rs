//! The client's side.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcbn_mutual::HandshakeError;
use mcbn_tls13::End;
use mcbn_tunnel::handshake::Handshake;
use rustls::ClientConfig;
use rustls::client::{Resumption, Tls12Resumption};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::MtlsStream;
use crate::credentials::{Credentials, Version};
use crate::error::Setup;
use crate::peer::{AuthenticatedPeer, Judgement, Peers};
use crate::sessions::{Jar, JarOfConnection};
use crate::turn::Turn;

/// Connects to servers that show one of the peers' certificates.
#[derive(Clone)]
pub struct Connector {
    /// As each connection has it, but for its tickets.
    config: Arc<ClientConfig>,
    jar: Option<Arc<Jar>>,
    /// What is asked for in the handshake.
    name: ServerName<'static>,
    judgement: Arc<Judgement>,
    credentials: Credentials,
}

/// rustls wants some name; an address is not sent, and the verifier does not look at it.
const NO_NAME: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

impl Connector {
    /// Sessions are resumed for so long after the handshake that was signed; never in TLS 1.2.
    pub fn new(
        credentials: Credentials,
        peers: Peers,
        resumption: Option<Duration>,
    ) -> Result<Self, Setup> {
        credentials.is_for(End::Client)?;
        let resumption = resumption.filter(|_| credentials.version == Version::Tls13);
        let name = peers.name().cloned();
        let judgement = Arc::new(Judgement::new(peers, resumption));
        let verifier = credentials.verifier(Arc::clone(&judgement));
        let mut config = credentials
            .begun(ClientConfig::builder_with_details)?
            // What replaces the usual verifier asks webpki as that one does, and for an extended key usage beside.
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(credentials.shown());
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        config.require_ems = true;
        let jar = resumption.map(|_| Arc::new(Jar::new(Arc::clone(&credentials.clock))));
        Ok(Self {
            config: Arc::new(config),
            jar,
            name: name.unwrap_or(ServerName::IpAddress(NO_NAME.into())),
            judgement,
            credentials,
        })
    }

    /// Does the handshake. Ends when the peer lets it end: the caller sets the deadline, and says here when it is.
    ///
    /// In TLS 1.3 this is done before the server has judged our certificate: where it refuses, the first read says so.
    pub async fn connect<S>(
        &self,
        stream: S,
        until: Instant,
    ) -> Result<MtlsStream<S>, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let turn = Turn::new(until);
        let handshake = TlsConnector::from(self.config(&turn)).connect(self.name.clone(), stream);
        let tls = turn.drive(&self.credentials.seats, handshake).await;
        let tls = tls.map_err(HandshakeError::Unsigned)?;
        let tls = tls.map_err(HandshakeError::of)?;
        let when = (
            self.credentials.version,
            self.credentials.clock.current_time(),
        );
        let peer = AuthenticatedPeer::of(tls.get_ref().1, End::Server, &self.judgement, when);
        let peer = peer.map_err(HandshakeError::Peer)?;
        self.credentials.metrics.handshake(&peer);
        Ok(MtlsStream::new(tls.into(), peer))
    }

    /// Its tickets end with the handshake that was signed for them, so each connection has a store of its own.
    fn config(&self, turn: &Arc<Turn>) -> Arc<ClientConfig> {
        let Some(jar) = &self.jar else {
            return Arc::clone(&self.config);
        };
        let mut config = ClientConfig::clone(&self.config);
        let store = JarOfConnection {
            jar: Arc::clone(jar),
            turn: Arc::clone(turn),
        };
        config.resumption =
            Resumption::store(Arc::new(store)).tls12_resumption(Tls12Resumption::Disabled);
        Arc::new(config)
    }
}

impl Handshake for Connector {
    type Stream = MtlsStream<TcpStream>;
    type Error = HandshakeError;

    async fn handshake(
        &self,
        plain: TcpStream,
        until: Instant,
    ) -> Result<Self::Stream, HandshakeError> {
        Box::pin(self.connect(plain, until)).await
    }
}
