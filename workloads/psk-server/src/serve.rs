//! From an accepted connection to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcbn_psk::{Acceptor, PskStream};
use mcbn_runtime::http::{self, StatusCode};
use mcbn_runtime::process::Process;
use mcbn_runtime::shutdown::Shutdown;
use mcbn_tunnel::accept::accept;
use mcbn_tunnel::dial::Upstream;
use mcbn_tunnel::join::{End, join};
use mcbn_tunnel::limits::Slots;
use mcbn_tunnel::listen::listen;
use mcbn_tunnel::metrics::Metrics;
use mcbn_tunnel::names::Names;
use mcbn_tunnel::settings::Timeouts;
use mcbn_tunnel::target::Target;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::Config;
use crate::error::Error;

pub async fn serve(config: Config, process: Process) -> Result<(), Error> {
    let key = config.key.make().await.map_err(Error::Key)?;
    let acceptor = Acceptor::new(config.key.identity().clone(), key, config.key.versions())
        .map_err(Error::Tls)?;
    let forward: Vec<Target> = config.forward.into_iter().collect();
    let names = Names::needed_by(&forward, config.dns_server).map_err(Error::Names)?;
    let upstream =
        (!forward.is_empty()).then(|| Upstream::new(forward, names, config.timeouts.connect));
    let listener = listen(config.listen).map_err(|error| Error::Listen(config.listen, error))?;
    let address = listener
        .local_addr()
        .map_err(|error| Error::Listen(config.listen, error))?;

    let metrics = Metrics::default();
    process
        .admin
        .register(|registry| metrics.register(registry));
    process.admin.set_ready(true);
    tracing::info!(%address, "listening");

    let service = Arc::new(Service {
        acceptor,
        upstream,
        metrics: metrics.clone(),
        shutdown: process.shutdown.clone(),
        timeouts: config.timeouts,
    });
    let slots = Slots::new(config.max_connections, config.max_connections_per_peer);
    accept(
        listener,
        slots,
        metrics,
        process.shutdown,
        |stream, peer| Arc::clone(&service).serve(stream, peer),
    )
    .await;
    Ok(())
}

/// What all connections share.
struct Service {
    acceptor: Acceptor,
    upstream: Option<Upstream>,
    metrics: Metrics,
    shutdown: Shutdown,
    timeouts: Timeouts,
}

impl Service {
    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true);
        let Some(stream) = self.handshake(stream, peer).await else {
            return;
        };
        match &self.upstream {
            Some(upstream) => self.forward(stream, upstream).await,
            None => self.answer(stream).await,
        }
    }

    async fn handshake(&self, stream: TcpStream, peer: SocketAddr) -> Option<PskStream<TcpStream>> {
        let start = Instant::now();
        let reason = match timeout(self.timeouts.handshake, self.acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                self.metrics.handshake_done(start.elapsed());
                return Some(stream);
            }
            Ok(Err(error)) => error.reason(),
            Err(_) => "deadline",
        };
        self.metrics.handshake_failed(reason);
        tracing::debug!(%peer, reason, "handshake failed");
        None
    }

    async fn forward(&self, mut stream: PskStream<TcpStream>, upstream: &Upstream) {
        let mut plain = match Box::pin(upstream.dial()).await {
            Ok(plain) => plain,
            Err(error) => {
                tracing::warn!(%error, "cannot forward");
                self.metrics.ended("forward_unreachable");
                return;
            }
        };
        let end = join(
            &mut stream,
            &mut plain,
            self.timeouts.idle,
            |direction, n| {
                self.metrics.moved(direction, n);
            },
        )
        .await;
        let reason = match end {
            End::Closed => "closed",
            End::Idle => "idle",
            End::AcceptedBroke(_) => "peer_broke",
            End::DialledBroke(_) => "forward_broke",
        };
        if reason != "closed" {
            let _ = plain.set_zero_linger();
        }
        self.metrics.ended(reason);
    }

    async fn answer(&self, stream: PskStream<TcpStream>) {
        let limits = http::Limits {
            head: self.timeouts.idle,
            connection: Duration::from_secs(3600),
        };
        let outcome = http::serve(stream, limits, self.shutdown.draining(), |request| {
            http::route(request, |path| {
                (path == "/").then(|| http::text(StatusCode::OK, "ok\n"))
            })
        })
        .await;
        self.metrics.ended(match outcome {
            Ok(()) => "closed",
            Err(http::Ended::Deadline) => "deadline",
            Err(http::Ended::Protocol(_)) => "peer_broke",
        });
    }
}
