//! The keeper's port: from a TCP connection to an answer.
//!
//! A stranger can reach it. Until a token was verified, a connection costs little memory and a bounded time: there are
//! only so many, each from one address only so many, each step has a deadline, and tokens are verified at a bounded
//! rate for each address and a bounded number at a time.

pub mod answer;
pub mod exchange;
pub mod metrics;
pub mod patience;
pub mod rate;
pub mod refusals;
pub mod tls;

use super::ledger::entry::Time;
use super::ledger::writer::{Clock, Writer};
use super::verify::Verify;
use exchange::Exchange;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use mcbn_consent::message::{Code, Reason, audience};
use mcbn_manifest::{Manifest, Pin};
use mcbn_runtime::shutdown::Shutdown;
use mcbn_share::{Contribution, ManifestDigest};
use mcbn_tunnel::accept::{Place, accept};
use mcbn_tunnel::limits::{Full, Slots};
use metrics::Metrics;
use patience::Patience;
use rate::{Rate, Rates};
use refusals::{Refusals, Refusing};
use ring::rand::{SecureRandom, SystemRandom};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval_at, timeout};
use tokio_rustls::TlsAcceptor;

/// For the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// For the first request to come whole.
const FIRST: Duration = Duration::from_secs(10);

/// hyper takes no smaller buffer.
const HEAD_BYTES: usize = 8192;
const HEADERS: usize = 32;

/// Everything that answers a request.
pub struct Keeper {
    pub terms: Terms,
    pub share: Contribution,
    pub verify: Arc<dyn Verify>,
    pub writer: Writer,
    pub clock: Clock,
    pub verifications: Arc<Semaphore>,
    pub rates: Rates,
    pub refusals: Refusals,
    pub metrics: Metrics,
    pub random: SystemRandom,
}

/// What the manifest says of this keeper.
#[derive(Clone, Debug)]
pub struct Terms {
    pub manifest: ManifestDigest,
    pub audience: String,
    /// Of a lease.
    pub seconds: NonZeroU32,
}

impl Terms {
    pub fn of(manifest: &Manifest, pin: &Pin) -> Terms {
        let seconds = u32::try_from(manifest.lease().as_secs());
        let seconds = seconds.ok().and_then(NonZeroU32::new);
        Terms {
            manifest: manifest.digest(),
            audience: audience(pin),
            seconds: seconds.expect("a manifest's lease is 10 seconds to a day"),
        }
    }
}

/// What strangers may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connections: NonZeroUsize,
    pub connections_of_a_peer: NonZeroUsize,
    pub handshakes: NonZeroUsize,
    pub verifications: NonZeroUsize,
    /// Of one peer in a minute.
    pub tokens: NonZeroU32,
}

impl Limits {
    pub fn rates(&self) -> Rates {
        Rates::new(Rate::new(self.tokens, Duration::from_secs(60)))
    }
}

/// A number of permits that a semaphore takes.
pub fn semaphore(permits: NonZeroUsize) -> Semaphore {
    Semaphore::new(permits.get().min(Semaphore::MAX_PERMITS))
}

impl Keeper {
    fn random<const N: usize>(&self) -> Result<[u8; N], Refusing> {
        let mut bytes = [0; N];
        match self.random.fill(&mut bytes) {
            Ok(()) => Ok(bytes),
            Err(_) => Err(Refusing::because(Code::Unavailable, "random")),
        }
    }

    fn now(&self) -> Time {
        (self.clock)()
    }

    /// Sees to it that the ledger tells of a refusal.
    async fn refused(&self, refusing: &Refusing) {
        self.metrics.answered(refusing.code.as_str());
        let Some(event) = self.refusals.note(refusing, self.now()) else {
            return;
        };
        // As seldom as it has an entry of its own.
        if let Some(machine) = &refusing.machine {
            let (code, reasons) = (refusing.code, refusing.reasons.iter());
            let reasons: Vec<_> = reasons.map(Reason::as_str).collect();
            let subject = &machine.subject;
            tracing::info!(%code, reasons = reasons.join(","), subject, "refused");
        }
        if self.writer.note(event).await.is_err() {
            // Not lost: counted, until the ledger can be written.
            self.refusals.count(refusing, self.now());
        }
    }

    /// Writes down what was counted.
    async fn flush(&self) {
        for event in self.refusals.flush() {
            if self.writer.note(event.clone()).await.is_err() {
                self.refusals.keep(event);
            }
        }
    }
}

/// A keeper whose port is open.
pub struct Server {
    pub listener: TcpListener,
    pub acceptor: TlsAcceptor,
    pub limits: Limits,
    pub keeper: Arc<Keeper>,
}

impl Server {
    /// Answers until the program drains and all connections are done. Who waits for a token meanwhile may come back with
    /// it: there are two requests at most.
    pub async fn run(self, shutdown: Shutdown) {
        let slots = Slots::new(self.limits.connections, self.limits.connections_of_a_peer);
        let keeper = self.keeper;
        let door = Arc::new(Door {
            acceptor: self.acceptor,
            handshakes: semaphore(self.limits.handshakes),
            keeper: Arc::clone(&keeper),
        });
        let serve = |stream, peer, place| Arc::clone(&door).serve(stream, peer, place);
        let connections = keeper.metrics.connections.clone();
        let uncut = std::future::pending::<()>();
        let accepting = accept(self.listener, slots, connections, shutdown, uncut, serve);
        let flushing = async {
            let mut minute = interval_at(
                tokio::time::Instant::now() + refusals::FLUSH,
                refusals::FLUSH,
            );
            minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                minute.tick().await;
                keeper.flush().await;
            }
        };
        tokio::select! {
            _ = accepting => {}
            () = flushing => {}
        }
        keeper.flush().await;
    }
}

/// What all connections share until they are inside.
struct Door {
    acceptor: TlsAcceptor,
    /// Who has not finished a handshake holds these places only.
    handshakes: Semaphore,
    keeper: Arc<Keeper>,
}

impl Door {
    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, _place: Place) {
        // Small writes leave at once; without it they are only slower.
        let _ = stream.set_nodelay(true);
        let metrics = &self.keeper.metrics.connections;
        let stream = {
            let Ok(_place) = self.handshakes.try_acquire() else {
                metrics.refused(Full::Handshakes);
                return;
            };
            let start = Instant::now();
            match timeout(HANDSHAKE, self.acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    metrics.handshake_done(start.elapsed());
                    stream
                }
                Ok(Err(error)) => {
                    metrics.handshake_failed("refused");
                    tracing::debug!(peer = %peer.ip().to_canonical(), %error, "handshake failed");
                    return;
                }
                Err(_) => {
                    metrics.handshake_failed("deadline");
                    return;
                }
            }
        };
        let Some(exporter) = tls::exporter(stream.get_ref().1) else {
            metrics.handshake_failed("no_exporter");
            return;
        };
        let patience = Arc::new(Patience::new(FIRST));
        let keeper = Arc::clone(&self.keeper);
        let exchange = Exchange::new(keeper, peer.ip(), exporter, Arc::clone(&patience));
        let service =
            service_fn(async |request| Ok::<_, Infallible>(exchange.answer(request).await));
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            // The connection's patience covers it.
            .header_read_timeout(None)
            .max_buf_size(HEAD_BYTES)
            .max_headers(HEADERS)
            .serve_connection(TokioIo::new(metrics.counted(stream)), service);
        metrics.ended(tokio::select! {
            result = connection => match result {
                Ok(()) => "closed",
                Err(_) => "peer_broke",
            },
            () = patience.ended() => "deadline",
        });
    }
}

#[cfg(test)]
mod tests;
