//! An authenticated connection to the server, whichever of its addresses answers.

use std::fmt;
use std::time::Instant;

use mcbn_consent::lease::Consent;
use mcbn_psk::{Connector, HandshakeError, PeerFault, PskStream, Witness};
use mcbn_runtime::process::Process;
use mcbn_tunnel::dial::{MayPass, Unreachable, Upstream};
use mcbn_tunnel::metrics::Metrics;
use mcbn_tunnel::names::Names;
use mcbn_tunnel::settings::Timeouts;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::ServerConfig;
use crate::error::Error;

pub struct Server {
    connector: Connector,
    upstream: Upstream,
    pub timeouts: Timeouts,
    pub metrics: Metrics,
}

impl Server {
    pub async fn new(config: ServerConfig, process: &Process) -> Result<(Self, Consent), Error> {
        let made = config.key.make(config.dns_server, &process.admin).await;
        let (key, consent) = made.map_err(Error::Key)?;
        let connector = Connector::new(config.key.identity().clone(), key, config.key.versions())
            .map_err(Error::Tls)?;
        let metrics = Metrics::default();
        process
            .admin
            .register(|registry| metrics.register(registry));
        let names = Names::needed_by(&config.targets, config.dns_server).map_err(Error::Names)?;
        let server = Self {
            connector,
            upstream: Upstream::new(config.targets, names, config.timeouts.connect),
            timeouts: config.timeouts,
            metrics,
        };
        Ok((server, consent))
    }

    /// Sees the end of the key.
    pub fn witness(&self) -> Witness {
        self.connector.witness()
    }

    /// Tries the servers until one shows that it knows the key.
    pub async fn connect(&self) -> Result<PskStream<TcpStream>, Unreachable<NoHandshake>> {
        // On the heap: it is needed for a short time only, and its space would stay in each connection.
        Box::pin(self.upstream.connect(|stream| self.handshake(stream))).await
    }

    async fn handshake(&self, stream: TcpStream) -> Result<PskStream<TcpStream>, NoHandshake> {
        let start = Instant::now();
        let failed = match timeout(self.timeouts.handshake, self.connector.connect(stream)).await {
            Ok(Ok(stream)) => {
                self.metrics.handshake_done(start.elapsed());
                return Ok(stream);
            }
            Ok(Err(error)) => NoHandshake::Failed(error),
            Err(_) => NoHandshake::Deadline,
        };
        self.metrics.handshake_failed(failed.reason());
        Err(failed)
    }
}

/// A server was reached, but it has not shown that it knows the key.
#[derive(Debug)]
pub enum NoHandshake {
    Failed(HandshakeError),
    /// It took too long.
    Deadline,
}

impl NoHandshake {
    fn reason(&self) -> &'static str {
        match self {
            Self::Failed(error) => error.reason(),
            Self::Deadline => "deadline",
        }
    }
}

impl MayPass for NoHandshake {
    fn may_pass(&self) -> bool {
        match self {
            // A server that is just being started or stopped does this.
            Self::Failed(HandshakeError::Peer(PeerFault::Closed) | HandshakeError::Io(_)) => true,
            Self::Failed(HandshakeError::Peer(_) | HandshakeError::Local(_)) => false,
            Self::Deadline => true,
        }
    }
}

impl fmt::Display for NoHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Deadline => f.write_str("the handshake took too long"),
        }
    }
}
