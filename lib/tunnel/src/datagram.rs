//! Many peers on one UDP socket, and an orderly end.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mcbn_runtime::shutdown::Shutdown;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use rustix::io::Errno;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::JoinSet;

use crate::accept::{Pause, Place};
use crate::limits::Slots;
use crate::metrics::Metrics;

/// Knows whom a datagram is for.
pub trait Gate {
    /// A peer that is to be served.
    type Arrival;

    /// Hands the datagram on, or gives the new peer that it makes. A new peer needs a place, and `admit` may have none.
    ///
    /// It must not wait: all peers do, meanwhile.
    fn take(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        admit: impl FnOnce() -> Option<Place>,
    ) -> Option<(Self::Arrival, Place)>;
}

/// The largest datagram that there is.
const LARGEST: usize = 1 << 16;

/// Datagrams that are read in one go, before whatever else waits has its turn.
const BATCH: usize = 64;

/// Reads datagrams and runs `serve` for each new peer in a task of its own. When the program drains, new peers are
/// refused, and the others are served until they end or the drain does; then what is left is dropped.
///
/// When `cut` resolves, all of this ends at once; what it gave is given. Either way every peer is gone when this is done.
pub async fn serve<G, S, F, C>(
    socket: &UdpSocket,
    mut gate: G,
    slots: Slots,
    metrics: Metrics,
    shutdown: Shutdown,
    cut: impl Future<Output = C>,
    mut serve: S,
) -> Option<C>
where
    G: Gate,
    S: FnMut(G::Arrival, Place) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let mut peers = JoinSet::new();
    let admit = |from: IpAddr| {
        if shutdown.is_draining() {
            return None;
        }
        match slots.take(from) {
            Ok(slot) => Some(Place::new(slot, &metrics)),
            Err(full) => {
                metrics.refused(full);
                None
            }
        }
    };
    let mut buffer = vec![0; LARGEST];
    let mut pause = Pause::default();
    let mut cut = std::pin::pin!(cut);
    let draining = shutdown.draining();
    let mut draining = std::pin::pin!(draining);
    let ended = shutdown.ended();
    let mut ended = std::pin::pin!(ended);
    let mut is_draining = false;
    let cut = loop {
        if is_draining && peers.is_empty() {
            break None;
        }
        tokio::select! {
            biased;
            cut = cut.as_mut() => break Some(cut),
            () = ended.as_mut() => break None,
            () = draining.as_mut(), if !is_draining => is_draining = true,
            // Tasks that are done are taken out, so that the set holds open peers only.
            Some(_) = peers.join_next() => {}
            readable = socket.readable() => {
                let taken = readable.and_then(|()| batch(socket, &mut buffer, |datagram, from| {
                    if let Some((arrival, place)) = gate.take(datagram, from, || admit(from.ip())) {
                        peers.spawn(serve(arrival, place));
                    }
                }));
                match taken {
                    Ok(()) => pause = Pause::default(),
                    Err(error) => tokio::select! {
                        cut = cut.as_mut() => break Some(cut),
                        () = ended.as_mut() => break None,
                        () = pause.after(error, "cannot receive datagrams") => {}
                    },
                }
            }
        }
    };
    peers.shutdown().await;
    cut
}

fn batch(
    socket: &UdpSocket,
    buffer: &mut [u8],
    mut take: impl FnMut(&[u8], SocketAddr),
) -> io::Result<()> {
    for _ in 0..BATCH {
        match socket.try_recv_from(buffer) {
            Ok((length, from)) => take(&buffer[..length], from),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            // An answer to something that was sent: a peer that is gone.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Why a datagram was dropped here, and not by the network.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dropped {
    /// Its peer's task has enough to do.
    QueueFull,
    /// It is of nobody who is known, and makes nobody known.
    Stranger,
    /// It does not fit into a packet of the path.
    TooLarge,
    /// The machine has too much to send as it is.
    Busy,
    /// It has no bytes.
    Empty,
    /// Nobody is where it should go.
    Unreachable,
}

impl Dropped {
    /// What such an error of a socket means for the one datagram, where it means no more.
    pub fn of(error: &io::Error) -> Option<Self> {
        if error.raw_os_error() == Some(Errno::MSGSIZE.raw_os_error()) {
            return Some(Self::TooLarge);
        }
        match error.kind() {
            io::ErrorKind::WouldBlock => Some(Self::Busy),
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable => Some(Self::Unreachable),
            _ => None,
        }
    }
}

/// Counts what is dropped. Clones count together.
#[derive(Clone, Default, Debug)]
pub struct Losses(Family<[(&'static str, &'static str); 1], Counter>);

impl Losses {
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "datagrams_dropped",
            "Datagrams dropped by this program, by reason",
            self.0.clone(),
        );
    }

    pub fn count(&self, dropped: Dropped) {
        let reason = match dropped {
            Dropped::QueueFull => "queue_full",
            Dropped::Stranger => "stranger",
            Dropped::TooLarge => "too_large",
            Dropped::Busy => "busy",
            Dropped::Empty => "empty",
            Dropped::Unreachable => "unreachable",
        };
        self.0.get_or_create(&[("reason", reason)]).inc();
    }
}

/// Every address that sends something is a peer.
pub struct ByAddress {
    queues: Arc<Mutex<HashMap<SocketAddr, mpsc::Sender<Vec<u8>>>>>,
    losses: Losses,
}

/// Datagrams that wait for one peer's task.
const QUEUE: usize = 64;

impl ByAddress {
    pub fn new(losses: Losses) -> Self {
        Self {
            queues: Arc::default(),
            losses,
        }
    }
}

impl Gate for ByAddress {
    type Arrival = Local;

    fn take(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        admit: impl FnOnce() -> Option<Place>,
    ) -> Option<(Local, Place)> {
        if let Some(queue) = lock(&self.queues).get(&from) {
            if let Err(TrySendError::Full(_)) = queue.try_send(datagram.to_vec()) {
                self.losses.count(Dropped::QueueFull);
            }
            return None;
        }
        let place = admit()?;
        let (sender, queue) = mpsc::channel(QUEUE);
        // It has room for the first.
        let _ = sender.try_send(datagram.to_vec());
        lock(&self.queues).insert(from, sender);
        let local = Local {
            address: from,
            queue,
            queues: Arc::clone(&self.queues),
        };
        Some((local, place))
    }
}

/// What one address sends, until it is dropped.
pub struct Local {
    address: SocketAddr,
    queue: mpsc::Receiver<Vec<u8>>,
    queues: Arc<Mutex<HashMap<SocketAddr, mpsc::Sender<Vec<u8>>>>>,
}

impl Local {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next datagram. Nothing is lost when it is dropped.
    pub async fn receive(&mut self) -> Vec<u8> {
        match self.queue.recv().await {
            Some(datagram) => datagram,
            // The sender is in the table for as long as this is here.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        lock(&self.queues).remove(&self.address);
    }
}

fn lock<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing can panic while the lock is held.
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
