//! An authenticated session with the server, whichever of its addresses answers.

use std::fmt;
use std::time::Instant;

use mcbn_consent::lease::Consent;
use mcbn_dtls::{Connector, HandshakeError, NoSession, PeerFault, Session};
use mcbn_psk::Witness;
use mcbn_runtime::process::Process;
use mcbn_tunnel::datagram::Losses;
use mcbn_tunnel::dial::{MayPass, Unreachable, Upstream};
use mcbn_tunnel::metrics::Metrics;
use mcbn_tunnel::names::Names;
use mcbn_tunnel::settings::Timeouts;
use tokio::net::UdpSocket;

use crate::config::ServerConfig;
use crate::error::Error;

pub struct Server {
    connector: Connector,
    upstream: Upstream<UdpSocket>,
    pub timeouts: Timeouts,
    pub metrics: Metrics,
    pub losses: Losses,
}

impl Server {
    pub async fn new(config: ServerConfig, process: &Process) -> Result<(Self, Consent), Error> {
        let made = config.key.make(config.dns_server, &process.admin).await;
        let (key, consent) = made.map_err(Error::Key)?;
        let dtls = config.key.protocol();
        let connector = Connector::new(config.key.identity().clone(), key, dtls.suites, dtls.mtu)
            .map_err(Error::Dtls)?;
        let (metrics, losses) = (Metrics::default(), Losses::default());
        process.admin.register(|registry| {
            metrics.register(registry);
            losses.register(registry);
        });
        let names = Names::needed_by(&config.targets, config.dns_server).map_err(Error::Names)?;
        // The handshake tells whether anyone is there: with less time for the whole, its deadline would not come.
        let limit = config.timeouts.connect + config.timeouts.handshake;
        let server = Self {
            connector,
            upstream: Upstream::new(config.targets, names, limit),
            timeouts: config.timeouts,
            metrics,
            losses,
        };
        Ok((server, consent))
    }

    /// Sees the end of the key.
    pub fn witness(&self) -> Witness {
        self.connector.witness()
    }

    /// Tries the servers until one shows that it knows the key.
    pub async fn connect(&self) -> Result<Session, Unreachable<NoHandshake>> {
        // On the heap: it is needed for a short time only, and its space would stay in each session.
        Box::pin(self.upstream.connect(|socket| self.handshake(socket))).await
    }

    async fn handshake(&self, socket: UdpSocket) -> Result<Session, NoHandshake> {
        let start = Instant::now();
        let done = self
            .connector
            .connect(socket, self.timeouts.handshake)
            .await;
        match &done {
            Ok(_) => self.metrics.handshake_done(start.elapsed()),
            Err(error) => self.metrics.handshake_failed(error.reason()),
        }
        done.map_err(NoHandshake)
    }
}

/// No server has shown that it knows the key.
#[derive(Debug)]
pub struct NoHandshake(pub NoSession);

impl MayPass for NoHandshake {
    fn may_pass(&self) -> bool {
        match &self.0 {
            // A server that is just being started or stopped does this.
            NoSession::Failed(HandshakeError::Peer(PeerFault::Closed) | HandshakeError::Io(_)) => {
                true
            }
            NoSession::NoAnswer => true,
            NoSession::Failed(
                HandshakeError::Peer(_) | HandshakeError::Local(_) | HandshakeError::NoKey(_),
            )
            | NoSession::Unproven
            | NoSession::Replaced => false,
        }
    }
}

impl fmt::Display for NoHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
