//! From a peer's first good cookie to its end.

mod error;
pub mod settings;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use mcbn_consent::lease::{Consent, Lost};
use mcbn_dtls::relay::{Moved, relay};
use mcbn_dtls::{Acceptor, Arrival, Endpoint, NotSent, Seat, Session};
use mcbn_psk::Witness;
use mcbn_runtime::process::Process;
use mcbn_runtime::shutdown::Shutdown;
use mcbn_tunnel::accept::Place;
use mcbn_tunnel::datagram::{self, Losses};
use mcbn_tunnel::dial::Upstream;
use mcbn_tunnel::join::Direction;
use mcbn_tunnel::limits::{Full, Slots};
use mcbn_tunnel::metrics::Metrics;
use mcbn_tunnel::names::Names;
use mcbn_tunnel::settings::{ServerConfig, Timeouts};
use mcbn_tunnel::target::Target;
use mcbn_tunnel::udp;
use tokio::net::UdpSocket;
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub use error::Error;

/// A server whose port is open.
pub struct Server {
    pub address: SocketAddr,
    socket: Arc<UdpSocket>,
    endpoint: Endpoint,
    slots: Slots,
    witness: Witness,
    pub service: Arc<Service>,
}

impl Server {
    /// Opens the port. The key is made before: a server that has none is not there.
    pub fn open(
        config: ServerConfig,
        acceptor: Acceptor,
        process: &Process,
    ) -> Result<Self, Error> {
        let forward: Vec<Target> = config.forward.into_iter().map(Target::over_udp).collect();
        let names = Names::needed_by(&forward, config.dns_server).map_err(Error::Names)?;
        let upstream =
            (!forward.is_empty()).then(|| Upstream::new(forward, names, config.timeouts.connect));

        let failed = |error| Error::Listen(config.listen, error);
        let socket = Arc::new(udp::bind(config.listen).map_err(failed)?);
        let address = socket.local_addr().map_err(failed)?;
        let (metrics, losses) = (Metrics::default(), Losses::default());
        process.admin.register(|registry| {
            metrics.register(registry);
            losses.register(registry);
        });
        let witness = acceptor.witness();
        let endpoint = Endpoint::new(Arc::clone(&socket), acceptor, losses.clone());
        Ok(Self {
            address,
            socket,
            endpoint: endpoint.map_err(Error::Dtls)?,
            slots: Slots::new(config.max_connections, config.max_connections_per_peer),
            witness,
            service: Arc::new(Service {
                upstream,
                metrics,
                losses,
                handshakes: Semaphore::new(config.max_handshakes.get().min(Semaphore::MAX_PERMITS)),
                timeouts: config.timeouts,
            }),
        })
    }

    /// Sees the end of the key.
    pub fn witness(&self) -> Witness {
        self.witness.clone()
    }

    /// Serves for as long as there is consent, or until the program drains and all sessions are done. Either way the
    /// sessions, and whatever key the acceptor has, are gone when this is done.
    pub async fn serve(self, consent: Consent, process: Process) -> Result<(), Lost> {
        tracing::info!(address = %self.address, "listening");
        let admin = process.admin.clone();
        let lost = consent.lost(|standing| admin.set_ready(!standing.in_danger));
        match self.run(process.shutdown, lost).await {
            None => Ok(()),
            Some(lost) => Err(lost),
        }
    }

    /// Serves until the program drains and all sessions are done, or until `cut` resolves: then every session is ended
    /// before this gives what it gave.
    pub async fn run<C>(self, shutdown: Shutdown, cut: impl Future<Output = C>) -> Option<C> {
        let service = self.service;
        let metrics = service.metrics.clone();
        let serve = |arrival, place| Arc::clone(&service).serve(arrival, place);
        datagram::serve(
            &self.socket,
            self.endpoint,
            self.slots,
            metrics,
            shutdown,
            cut,
            serve,
        )
        .await
    }
}

/// What all sessions share.
pub struct Service {
    upstream: Option<Upstream<UdpSocket>>,
    pub metrics: Metrics,
    pub losses: Losses,
    /// Strangers hold these places only: they cannot take those of peers that know the key.
    handshakes: Semaphore,
    timeouts: Timeouts,
}

impl Service {
    async fn serve(self: Arc<Self>, arrival: Arrival, _place: Place) {
        let Some((session, _seat)) = self.handshake(arrival).await else {
            return;
        };
        let reason = match &self.upstream {
            Some(upstream) => self.forward(session, upstream).await,
            None => self.echo(session).await,
        };
        self.metrics.ended(reason);
    }

    async fn handshake(&self, arrival: Arrival) -> Option<(Session, Seat)> {
        // IPv4 peers of a socket that takes both families, as people write them.
        let peer = arrival.address();
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let Ok(_place) = self.handshakes.try_acquire() else {
            self.metrics.refused(Full::Handshakes);
            return None;
        };
        let start = Instant::now();
        // On the heap: its space would stay in each session.
        match Box::pin(arrival.handshake(self.timeouts.handshake)).await {
            Ok(done) => {
                self.metrics.handshake_done(start.elapsed());
                Some(done)
            }
            Err(error) => {
                let reason = error.reason();
                self.metrics.handshake_failed(reason);
                tracing::debug!(%peer, reason, %error, "handshake failed");
                None
            }
        }
    }

    async fn forward(&self, mut session: Session, upstream: &Upstream<UdpSocket>) -> &'static str {
        let mut plain = match Box::pin(upstream.dial()).await {
            Ok(plain) => plain,
            Err(error) => {
                tracing::warn!(%error, "cannot forward");
                return "forward_unreachable";
            }
        };
        let idle = self.timeouts.idle;
        let moved = |moved| match moved {
            Moved::Received(n) => self.metrics.moved(Direction::Up, n),
            Moved::Sent(n) => self.metrics.moved(Direction::Down, n),
        };
        let end = relay(&mut session, &mut plain, idle, &self.losses, moved).await;
        end.reason("forward_broke")
    }

    async fn echo(&self, mut session: Session) -> &'static str {
        loop {
            let datagram = match timeout(self.timeouts.idle, session.receive(<[u8]>::to_vec)).await
            {
                Ok(Ok(datagram)) => datagram,
                Ok(Err(ended)) => return ended.reason(),
                Err(_) => return "idle",
            };
            self.metrics.moved(Direction::Up, datagram.len());
            match session.send(&datagram) {
                Ok(()) => self.metrics.moved(Direction::Down, datagram.len()),
                Err(NotSent::Ended(ended)) => return ended.reason(),
                Err(NotSent::Dropped(dropped)) => self.losses.count(dropped),
            }
        }
    }
}
