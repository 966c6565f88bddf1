//! From an accepted connection to its end.

mod error;
pub mod settings;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcbn_consent::lease::{Consent, Lost};
use mcbn_runtime::http::{self, StatusCode};
use mcbn_runtime::process::Process;
use mcbn_runtime::shutdown::Shutdown;
use mcbn_tunnel::accept::{Place, accept};
use mcbn_tunnel::dial::Upstream;
use mcbn_tunnel::handshake::{Handshake, HandshakeFailure};
use mcbn_tunnel::join::{End, join};
use mcbn_tunnel::limits::{Full, Slots};
use mcbn_tunnel::listen::listen;
use mcbn_tunnel::metrics::Metrics;
use mcbn_tunnel::names::Names;
use mcbn_tunnel::reset::ResetOnDrop;
use mcbn_tunnel::settings::{ServerConfig, Timeouts};
use mcbn_tunnel::target::Target;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout_at;

pub use error::Error;

/// A server whose port is open.
pub struct Server<H> {
    pub address: SocketAddr,
    pub listener: TcpListener,
    pub slots: Slots,
    pub service: Arc<Service<H>>,
}

impl<H: Handshake> Server<H> {
    /// Opens the port. The key is made before: a server that has none is not there.
    pub fn open(config: ServerConfig, handshake: H, process: &Process) -> Result<Self, Error> {
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
        Ok(Self {
            address: listener.local_addr().map_err(failed)?,
            listener,
            slots: Slots::new(config.max_connections, config.max_connections_per_peer),
            service: Arc::new(Service {
                handshake,
                upstream,
                metrics,
                shutdown: process.shutdown.clone(),
                handshakes: Semaphore::new(config.max_handshakes.get().min(Semaphore::MAX_PERMITS)),
                timeouts: config.timeouts,
            }),
        })
    }

    /// Serves for as long as there is consent, or until the program drains and all connections are done. Either way the
    /// connections and the handshake, with whatever key it has, are gone when this is done.
    pub async fn serve(self, consent: Consent, process: Process) -> Result<(), Lost> {
        tracing::info!(address = %self.address, "listening");
        let admin = process.admin.clone();
        let lost = consent.lost(|standing| admin.set_ready(!standing.in_danger));
        match self.run(process.shutdown, lost).await {
            None => Ok(()),
            Some(lost) => Err(lost),
        }
    }

    /// Serves until the program drains and all connections are done, or until `cut` resolves: then every connection is
    /// closed before this gives what it gave.
    pub async fn run<C>(self, shutdown: Shutdown, cut: impl Future<Output = C>) -> Option<C> {
        let service = self.service;
        let metrics = service.metrics.clone();
        let serve = |stream, peer, place| Arc::clone(&service).serve(stream, peer, place);
        accept(self.listener, self.slots, metrics, shutdown, cut, serve).await
    }
}

/// What all connections share.
pub struct Service<H> {
    handshake: H,
    upstream: Option<Upstream>,
    pub metrics: Metrics,
    shutdown: Shutdown,
    /// Strangers hold these places only: they cannot take those of peers that know the key.
    handshakes: Semaphore,
    timeouts: Timeouts,
}

impl<H> Service<H> {
    pub fn handshake(&self) -> &H {
        &self.handshake
    }
}

impl<H: Handshake> Service<H> {
    /// Serves one connection to its end.
    pub async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, _place: Place) {
        // IPv4 peers of a socket that takes both families, as people write them.
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        // Small writes leave at once; without it they are only slower.
        let _ = stream.set_nodelay(true);
        let Some(stream) = self.encrypted(stream, peer).await else {
            return;
        };
        match &self.upstream {
            Some(upstream) => self.forward(stream, upstream).await,
            // On the heap: its space would stay in each forwarded connection.
            None => Box::pin(self.answer(stream)).await,
        }
    }

    async fn encrypted(&self, stream: TcpStream, peer: SocketAddr) -> Option<H::Stream> {
        let Ok(_place) = self.handshakes.try_acquire() else {
            self.metrics.refused(Full::Handshakes);
            return None;
        };
        let start = Instant::now();
        let until = start + self.timeouts.handshake;
        let handshake = self.handshake.handshake(stream, until);
        let error = match timeout_at(until.into(), handshake).await {
            Ok(Ok(stream)) => {
                self.metrics.handshake_done(start.elapsed());
                return Some(stream);
            }
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        let reason = error.as_ref().map_or("deadline", H::Error::reason);
        self.metrics.handshake_failed(reason);
        let hint = error.as_ref().and_then(H::Error::hint);
        let error = error.as_ref().map(tracing::field::display);
        tracing::debug!(%peer, reason, error, hint, "handshake failed");
        None
    }

    async fn forward(&self, mut stream: H::Stream, upstream: &Upstream) {
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

    async fn answer(&self, stream: H::Stream) {
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
