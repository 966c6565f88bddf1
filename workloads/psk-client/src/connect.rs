//! An authenticated connection to the server, whichever of its addresses answers.

use std::time::{Duration, Instant};

use mcbn_psk::{Connector, PskStream};
use mcbn_runtime::process::Process;
use mcbn_tunnel::dial::Upstream;
use mcbn_tunnel::metrics::Metrics;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::ServerConfig;
use crate::error::Error;

pub struct Server {
    connector: Connector,
    upstream: Upstream,
    handshake_timeout: Duration,
    pub idle_timeout: Duration,
    pub metrics: Metrics,
}

impl Server {
    pub async fn new(config: ServerConfig, process: &Process) -> Result<Self, Error> {
        let key = config.key.make().await.map_err(Error::Key)?;
        let connector = Connector::new(config.key.identity().clone(), key, config.key.versions())
            .map_err(Error::Tls)?;
        let metrics = Metrics::default();
        process
            .admin
            .register(|registry| metrics.register(registry));
        Ok(Self {
            connector,
            upstream: Upstream::new(config.targets),
            handshake_timeout: config.handshake_timeout,
            idle_timeout: config.idle_timeout,
            metrics,
        })
    }

    pub async fn connect(&self) -> Result<PskStream<TcpStream>, Error> {
        let stream = self.upstream.dial().await.map_err(Error::Unreachable)?;
        let start = Instant::now();
        let error = match timeout(self.handshake_timeout, self.connector.connect(stream)).await {
            Ok(Ok(stream)) => {
                self.metrics.handshake_done(start.elapsed());
                return Ok(stream);
            }
            Ok(Err(error)) => Error::Handshake(error),
            Err(_) => Error::HandshakeDeadline,
        };
        self.metrics.handshake_failed(match &error {
            Error::Handshake(error) => error.reason(),
            _ => "deadline",
        });
        Err(error)
    }
}
