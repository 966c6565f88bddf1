//! The machine's end: from a TCP connection to an answer with a token.
//!
//! A stranger can reach the port. Before the handshake is done a connection costs a bounded time and one of few places;
//! strangers do not get past it. Who gets past it is a participant, and is bounded too: in connections, in time and in
//! bytes.

mod acceptor;
mod admission;
mod caller;
mod challenge;
mod limits;
mod refusal;
mod vouch;

pub use acceptor::Acceptor;
pub use caller::Caller;
pub use limits::Limits;
pub use vouch::Vouching;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use mcbn_launcher::Tokens;
use mcbn_runtime::shutdown::Shutdown;
use mcbn_tunnel::accept::{Place, accept};
use mcbn_tunnel::limits::{Full, Slots};
use mcbn_tunnel::metrics::Metrics;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;

/// hyper takes no smaller buffer.
const HEAD_BYTES: usize = 8192;
const HEADERS: usize = 32;

/// A server whose port is open.
pub struct Server<T> {
    pub listener: TcpListener,
    pub acceptor: Acceptor,
    pub vouching: Vouching<T>,
    pub limits: Limits,
    pub metrics: Metrics,
}

impl<T: Tokens> Server<T> {
    /// Answers until the program drains; requests that are being answered then are answered yet, until the drain ends.
    ///
    /// When `cut` resolves, every connection is closed at once; what it gave is given.
    pub async fn run<C>(self, shutdown: Shutdown, cut: impl Future<Output = C>) -> Option<C> {
        let slots = Slots::new(self.limits.connections, self.limits.connections_of_a_peer);
        let handshakes = self.limits.handshakes.get().min(Semaphore::MAX_PERMITS);
        let door = Arc::new(Door {
            acceptor: self.acceptor,
            handshakes: Semaphore::new(handshakes),
            vouching: self.vouching,
            limits: self.limits,
            metrics: self.metrics.clone(),
            shutdown: shutdown.clone(),
        });
        let serve = |stream, peer, place| Arc::clone(&door).serve(stream, peer, place);
        accept(self.listener, slots, self.metrics, shutdown, cut, serve).await
    }
}

/// What all connections share.
struct Door<T> {
    acceptor: Acceptor,
    /// Who has not finished a handshake holds these places only.
    handshakes: Semaphore,
    vouching: Vouching<T>,
    limits: Limits,
    metrics: Metrics,
    shutdown: Shutdown,
}

impl<T: Tokens> Door<T> {
    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, _place: Place) {
        // Small writes leave at once; without it they are only slower.
        let _ = stream.set_nodelay(true);
        if let Some((stream, caller)) = self.handshake(stream, peer).await {
            self.metrics.ended(self.answer(stream, caller).await);
        }
    }

    async fn handshake(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> Option<(TlsStream<TcpStream>, Caller)> {
        let Ok(_place) = self.handshakes.try_acquire() else {
            self.metrics.refused(Full::Handshakes);
            return None;
        };
        let start = Instant::now();
        match timeout(self.limits.handshake, self.acceptor.accept(stream)).await {
            Ok(Ok(connection)) => {
                self.metrics.handshake_done(start.elapsed());
                Some(connection)
            }
            Ok(Err(error)) => {
                self.metrics.handshake_failed("refused");
                tracing::debug!(peer = %peer.ip().to_canonical(), %error, "handshake failed");
                None
            }
            Err(_) => {
                self.metrics.handshake_failed("deadline");
                None
            }
        }
    }

    /// Answers what comes on one connection. Says how it ended.
    async fn answer(&self, stream: TlsStream<TcpStream>, caller: Caller) -> &'static str {
        let service = service_fn(async |request| {
            Ok::<_, Infallible>(self.vouching.answer(&caller, request, &self.limits).await)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head)
            .max_buf_size(HEAD_BYTES)
            .max_headers(HEADERS)
            .serve_connection(TokioIo::new(self.metrics.counted(stream)), service);
        let mut connection = pin!(connection);
        let to_its_end = async {
            tokio::select! {
                result = connection.as_mut() => return result,
                () = self.shutdown.draining() => {}
                () = sleep(self.limits.connection) => {}
            }
            connection.as_mut().graceful_shutdown();
            connection.await
        };
        // After its time a connection has that of one answer left, in which a client may also not read.
        let longest = self.limits.connection + 2 * self.limits.request;
        match timeout(longest, to_its_end).await {
            Ok(Ok(())) => "closed",
            Ok(Err(_)) => "peer_broke",
            Err(_) => "deadline",
        }
    }
}
