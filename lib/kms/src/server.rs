//! The server's side.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcbn_mutual::HandshakeError;
use mcbn_tls13::End;
use mcbn_tunnel::handshake::Handshake;
use rustls::ServerConfig;
use rustls::server::{NoServerSessionStorage, StoresServerSessions};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::MtlsStream;
use crate::credentials::{Credentials, Version};
use crate::error::Setup;
use crate::peer::{AuthenticatedPeer, Judgement, Peers};
use crate::sessions::Sessions;
use crate::turn::Turn;

/// Accepts connections from clients that show one of the peers' certificates.
#[derive(Clone)]
pub struct Acceptor {
    tls: TlsAcceptor,
    judgement: Arc<Judgement>,
    credentials: Credentials,
}

impl Acceptor {
    /// Sessions are resumed for so long after the handshake that was signed; never in TLS 1.2.
    pub fn new(
        credentials: Credentials,
        peers: Peers,
        resumption: Option<Duration>,
    ) -> Result<Self, Setup> {
        credentials.is_for(End::Server)?;
        let resumption = resumption.filter(|_| credentials.version == Version::Tls13);
        let judgement = Arc::new(Judgement::new(peers, resumption));
        let verifier = credentials.verifier(Arc::clone(&judgement));
        let mut config = credentials
            .begun(ServerConfig::builder_with_details)?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(credentials.shown());
        let sessions: Arc<dyn StoresServerSessions> = match resumption {
            Some(_) => Arc::new(Sessions::new(Arc::clone(&credentials.clock))),
            None => Arc::new(NoServerSessionStorage {}),
        };
        config.session_storage = sessions;
        config.send_tls13_tickets = if resumption.is_some() { 2 } else { 0 };
        config.require_ems = true;
        Ok(Self {
            tls: Arc::new(config).into(),
            judgement,
            credentials,
        })
    }

    /// Does the handshake. Ends when the peer lets it end: the caller sets the deadline, and says here when it is.
    pub async fn accept<S>(
        &self,
        stream: S,
        until: Instant,
    ) -> Result<MtlsStream<S>, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let turn = Turn::new(until);
        let handshake = self.tls.accept(stream);
        let tls = turn.drive(&self.credentials.seats, handshake).await;
        let tls = tls.map_err(HandshakeError::Unsigned)?;
        let tls = tls.map_err(HandshakeError::of)?;
        let when = (
            self.credentials.version,
            self.credentials.clock.current_time(),
        );
        let peer = AuthenticatedPeer::of(tls.get_ref().1, End::Client, &self.judgement, when);
        let peer = peer.map_err(HandshakeError::Peer)?;
        self.credentials.metrics.handshake(&peer);
        Ok(MtlsStream::new(tls.into(), peer))
    }
}

impl Handshake for Acceptor {
    type Stream = MtlsStream<TcpStream>;
    type Error = HandshakeError;

    async fn handshake(
        &self,
        plain: TcpStream,
        until: Instant,
    ) -> Result<Self::Stream, HandshakeError> {
        // On the heap: it is needed for a short time only, and its space would stay in each connection.
        Box::pin(self.accept(plain, until)).await
    }
}
