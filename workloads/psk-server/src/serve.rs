//! From an accepted connection to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcbn_consent::lease::Consent;
use mcbn_psk::{Acceptor, PskStream};
use mcbn_runtime::http::{self, StatusCode};
use mcbn_runtime::process::Process;
use mcbn_runtime::shutdown::Shutdown;
use mcbn_tunnel::accept::{Place, accept};
use mcbn_tunnel::dial::Upstream;
use mcbn_tunnel::join::{End, join};
use mcbn_tunnel::limits::{Full, Slots};
use mcbn_tunnel::listen::listen;
use mcbn_tunnel::metrics::Metrics;
use mcbn_tunnel::names::Names;
use mcbn_tunnel::reset::ResetOnDrop;
use mcbn_tunnel::settings::Timeouts;
use mcbn_tunnel::target::Target;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::config::Config;
use crate::error::Error;

pub async fn serve(config: Config, process: Process) -> Result<(), Error> {
    let (server, consent) = tokio::select! {
        opened = Server::open(config, &process) => opened?,
        // A person who is to approve may be long about it.
        () = process.shutdown.draining() => return Ok(()),
    };
    tracing::info!(address = %server.address, "listening");
    let admin = process.admin.clone();
    let lost = consent.lost(|standing| admin.set_ready(!standing.in_danger));
    match server.run(process, lost).await {
        None => Ok(()),
        Some(lost) => Err(Error::ConsentLost(lost)),
    }
}

/// A server whose port is open.
struct Server {
    address: SocketAddr,
    listener: TcpListener,
    slots: Slots,
    service: Arc<Service>,
}

impl Server {
    /// Makes the key, then opens the port.
    async fn open(config: Config, process: &Process) -> Result<(Self, Consent), Error> {
        let made = config.key.make(config.dns_server, &process.admin).await;
        let (key, consent) = made.map_err(Error::Key)?;
        let acceptor = Acceptor::new(config.key.identity().clone(), key, config.key.versions())
            .map_err(Error::Tls)?;
        let forward: Vec<Target> = config.forward.into_iter().collect();
        let names = Names::needed_by(&forward, config.dns_server).map_err(Error::Names)?;
        let upstream =
            (!forward.is_empty()).then(|| Upstream::new(forward, names, config.timeouts.connect));

        let failed = |error| Error::Listen(config.listen, error);
        let listener = listen(config.listen).map_err(failed)?;
        let metrics = Metrics::default();
        process
            .admin
            .register(|registry| metrics.register(registry));
        let server = Self {
            address: listener.local_addr().map_err(failed)?,
            listener,
            slots: Slots::new(config.max_connections, config.max_connections_per_peer),
            service: Arc::new(Service {
                acceptor,
                upstream,
                metrics,
                shutdown: process.shutdown.clone(),
                handshakes: Semaphore::new(config.max_handshakes.get().min(Semaphore::MAX_PERMITS)),
                timeouts: config.timeouts,
            }),
        };
        Ok((server, consent))
    }

    /// Serves until the program drains and all connections are done, or until `cut` resolves: then every connection is
    /// closed and the key is wiped before this gives what it gave.
    async fn run<C>(self, process: Process, cut: impl Future<Output = C>) -> Option<C> {
        let service = self.service;
        let (metrics, witness) = (service.metrics.clone(), service.acceptor.witness());
        let serve = |stream, peer, place| Arc::clone(&service).serve(stream, peer, place);
        let shutdown = process.shutdown;
        let cut = accept(self.listener, self.slots, metrics, shutdown, cut, serve).await;
        drop(service);
        debug_assert!(witness.key_is_wiped(), "something outlives the service");
        cut
    }
}

/// What all connections share.
struct Service {
    acceptor: Acceptor,
    upstream: Option<Upstream>,
    metrics: Metrics,
    shutdown: Shutdown,
    /// Strangers hold these places only: they cannot take those of peers that know the key.
    handshakes: Semaphore,
    timeouts: Timeouts,
}

impl Service {
    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, _place: Place) {
        // IPv4 peers of a socket that takes both families, as people write them.
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        // Small writes leave at once; without it they are only slower.
        let _ = stream.set_nodelay(true);
        let Some(stream) = self.handshake(stream, peer).await else {
            return;
        };
        match &self.upstream {
            Some(upstream) => self.forward(stream, upstream).await,
            // On the heap: its space would stay in each forwarded connection.
            None => Box::pin(self.answer(stream)).await,
        }
    }

    async fn handshake(&self, stream: TcpStream, peer: SocketAddr) -> Option<PskStream<TcpStream>> {
        let Ok(_place) = self.handshakes.try_acquire() else {
            self.metrics.refused(Full::Handshakes);
            return None;
        };
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
            Ok(plain) => ResetOnDrop::new(plain),
            Err(error) => {
                tracing::warn!(%error, "cannot forward");
                self.metrics.ended("forward_unreachable");
                return;
            }
        };
        let end = join(
            &mut stream,
            plain.stream(),
            self.timeouts.idle,
            |direction, n| {
                self.metrics.moved(direction, n);
            },
        )
        .await;
        let reason = match end {
            End::Closed => {
                plain.ended_in_order();
                "closed"
            }
            End::Idle => "idle",
            End::AcceptedBroke(_) => "peer_broke",
            End::DialledBroke(_) => "forward_broke",
        };
        self.metrics.ended(reason);
    }

    async fn answer(&self, stream: PskStream<TcpStream>) {
        let limits = http::Limits {
            head: self.timeouts.idle,
            connection: Duration::from_secs(3600),
        };
        let outcome = http::serve(
            self.metrics.counted(stream),
            limits,
            self.shutdown.draining(),
            |request| {
                http::route(request, |path| {
                    (path == "/").then(|| http::text(StatusCode::OK, "ok\n"))
                })
            },
        )
        .await;
        self.metrics.ended(match outcome {
            Ok(()) => "closed",
            Err(http::Ended::Deadline) => "deadline",
            Err(http::Ended::Protocol(_)) => "peer_broke",
        });
    }
}

#[cfg(test)]
mod tests;
