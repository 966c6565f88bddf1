//! From a peer's first good cookie to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use mcbn_consent::lease::Consent;
use mcbn_dtls::relay::{Moved, relay};
use mcbn_dtls::{Acceptor, Arrival, Endpoint, NotSent, Seat, Session};
use mcbn_psk::Witness;
use mcbn_runtime::process::Process;
use mcbn_tunnel::accept::Place;
use mcbn_tunnel::datagram::{self, Losses};
use mcbn_tunnel::dial::Upstream;
use mcbn_tunnel::join::Direction;
use mcbn_tunnel::limits::{Full, Slots};
use mcbn_tunnel::metrics::Metrics;
use mcbn_tunnel::names::Names;
use mcbn_tunnel::settings::Timeouts;
use mcbn_tunnel::target::Target;
use mcbn_tunnel::udp;
use tokio::net::UdpSocket;
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
    socket: Arc<UdpSocket>,
    endpoint: Endpoint,
    slots: Slots,
    witness: Witness,
    service: Arc<Service>,
}

impl Server {
    /// Makes the key, then opens the port.
    async fn open(config: Config, process: &Process) -> Result<(Self, Consent), Error> {
        let made = config.key.make(config.dns_server, &process.admin).await;
        let (key, consent) = made.map_err(Error::Key)?;
        let dtls = config.key.protocol();
        let acceptor = Acceptor::new(config.key.identity().clone(), key, dtls.suites, dtls.mtu)
            .map_err(Error::Dtls)?;
        let forward: Vec<Target> = config.forward.into_iter().collect();
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
        let server = Self {
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
        };
        Ok((server, consent))
    }

    /// Serves until the program drains and all sessions are done, or until `cut` resolves: then every session is ended
    /// and the key is wiped before this gives what it gave.
    async fn run<C>(self, process: Process, cut: impl Future<Output = C>) -> Option<C> {
        let (service, witness) = (self.service, self.witness);
        let metrics = service.metrics.clone();
        let serve = |arrival, place| Arc::clone(&service).serve(arrival, place);
        let cut = datagram::serve(
            &self.socket,
            self.endpoint,
            self.slots,
            metrics,
            process.shutdown,
            cut,
            serve,
        )
        .await;
        debug_assert!(witness.key_is_wiped(), "something outlives the service");
        cut
    }
}

/// What all sessions share.
struct Service {
    upstream: Option<Upstream<UdpSocket>>,
    metrics: Metrics,
    losses: Losses,
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
                tracing::debug!(%peer, reason, "handshake failed");
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

#[cfg(test)]
mod tests;
