//! The accept loop.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mcbn_runtime::shutdown::Shutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::limits::{Slot, Slots};
use crate::metrics::{Active, Metrics};

/// Where connections come from.
pub trait Listener {
    fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send;
}

impl Listener for TcpListener {
    fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send {
        TcpListener::accept(self)
    }
}

/// A connection's place among those that may be, and are counted as, open. To be held until it ends.
#[derive(Debug)]
pub struct Place {
    _slot: Slot,
    _active: Active,
}

impl Place {
    pub(crate) fn new(slot: Slot, metrics: &Metrics) -> Self {
        Self {
            _slot: slot,
            _active: metrics.accepted(),
        }
    }
}

/// Accepts connections and runs `serve` for each in a task of its own, until the program drains; then waits for the
/// open ones until the drain ends, and drops what is left.
///
/// When `cut` resolves, all of this ends at once, whatever is open; what it gave is given. Either way every connection is
/// gone when this is done.
///
/// A connection over a limit is closed at once. Nothing that a peer or a lack of descriptors does ends the loop.
pub async fn accept<L, S, F, C>(
    listener: L,
    slots: Slots,
    metrics: Metrics,
    shutdown: Shutdown,
    cut: impl Future<Output = C>,
    mut serve: S,
) -> Option<C>
where
    L: Listener,
    S: FnMut(TcpStream, SocketAddr, Place) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    let uncut = async {
        until_drained(
            listener,
            slots,
            metrics,
            &shutdown,
            &mut serve,
            &mut connections,
        )
        .await;
        let all_done = async { while connections.join_next().await.is_some() {} };
        tokio::select! {
            () = all_done => {}
            () = shutdown.ended() => {}
        }
    };
    let cut = tokio::select! {
        biased;
        cut = cut => Some(cut),
        () = uncut => None,
    };
    connections.shutdown().await;
    cut
}

/// Closes the port when the program drains.
async fn until_drained<L, S, F>(
    listener: L,
    slots: Slots,
    metrics: Metrics,
    shutdown: &Shutdown,
    serve: &mut S,
    connections: &mut JoinSet<()>,
) where
    L: Listener,
    S: FnMut(TcpStream, SocketAddr, Place) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let mut pause = Pause::default();
    let draining = shutdown.draining();
    let mut draining = std::pin::pin!(draining);
    loop {
        tokio::select! {
            biased;
            () = draining.as_mut() => return,
            // Tasks that are done are taken out, so that the set holds open connections only.
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    pause = Pause::default();
                    match slots.take(peer.ip()) {
                        Ok(slot) => {
                            let place = Place::new(slot, &metrics);
                            // As it is: a future around it would double its size.
                            connections.spawn(serve(stream, peer, place));
                        }
                        Err(full) => metrics.refused(full),
                    }
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => tokio::select! {
                    () = draining.as_mut() => return,
                    () = pause.after(error, "cannot accept connections") => {}
                },
            },
        }
    }
}

/// Errors that `accept` passes on from a connection that died while it waited; see its manual page.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::HostUnreachable
    )
}

/// Out of descriptors or memory, most likely: trying again at once would only burn the processor. Connections that end
/// give descriptors back.
#[derive(Default)]
pub(crate) struct Pause {
    failures: u32,
}

impl Pause {
    const FIRST: Duration = Duration::from_millis(10);
    const LONGEST: Duration = Duration::from_secs(1);

    pub(crate) async fn after(&mut self, error: io::Error, what: &'static str) {
        if self.failures == 0 {
            tracing::warn!(%error, "{what}");
        }
        let pause = Self::FIRST * 2u32.saturating_pow(self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        tokio::time::sleep(pause.min(Self::LONGEST)).await;
    }
}
