//! Many peers on one socket.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mcbn_psk::Source;
use mcbn_tls::Setup;
use mcbn_tunnel::accept::Place;
use mcbn_tunnel::datagram::{Dropped, Gate, Losses};
use openssl::ssl::SslStream;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::error::TrySendError;

use crate::hello::{ClientHello, is_in_clear};
use crate::link::{Link, Queue};
use crate::server::{Acceptor, Greeter};
use crate::session::{NoSession, Session};

/// Sorts the datagrams of one socket by peer, and lets new peers in that have shown that they are where they say.
pub struct Endpoint {
    socket: Arc<UdpSocket>,
    greeter: Greeter,
    peers: Arc<Peers>,
    losses: Losses,
}

impl Endpoint {
    pub fn new(socket: Arc<UdpSocket>, acceptor: Acceptor, losses: Losses) -> Result<Self, Setup> {
        Ok(Self {
            socket,
            greeter: Greeter::new(acceptor)?,
            peers: Arc::default(),
            losses,
        })
    }
}

impl Gate for Endpoint {
    type Arrival = Arrival;

    fn take(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        admit: impl FnOnce() -> Option<Place>,
    ) -> Option<(Arrival, Place)> {
        let hello = ClientHello::of(datagram);
        match self
            .peers
            .route(from, datagram, hello.map(|hello| *hello.random))
        {
            Routed::Taken => return None,
            Routed::Full => {
                self.losses.count(Dropped::QueueFull);
                return None;
            }
            Routed::Unknown => {}
        }
        let Some(hello) = hello else {
            self.losses.count(Dropped::Stranger);
            return None;
        };
        let greeted = self.greeter.greet(&hello, from, &self.socket);
        let greeted = greeted.inspect_err(|error| tracing::warn!(%error, "cannot greet a peer"));
        let (stream, queue) = greeted.ok()??;
        let place = admit()?;
        let seat = Peers::seat(&self.peers, from, *hello.random, queue);
        let source = self.greeter.source().clone();
        let arrival = Arrival {
            stream,
            seat,
            source,
        };
        Some((arrival, place))
    }
}

/// A peer that has proved its address and nothing else.
pub struct Arrival {
    stream: SslStream<Link>,
    seat: Seat,
    source: Source,
}

impl Arrival {
    pub fn address(&self) -> SocketAddr {
        self.seat.address
    }

    /// Does the handshake, within `limit`. What the peer had before goes on until then, and ends with its success. The
    /// seat is to be held until the session ends.
    pub async fn handshake(self, limit: Duration) -> Result<(Session, Seat), NoSession> {
        let session = Session::handshake(self.stream, &self.source, limit).await?;
        self.seat.settle();
        Ok((session, self.seat))
    }
}

/// Where the datagrams of each address go.
#[derive(Default)]
struct Peers(Mutex<Table>);

#[derive(Default)]
struct Table {
    by_address: HashMap<SocketAddr, Routes>,
    next_id: u64,
}

/// An address has one session, and may be at making another that will take its place ([RFC 6347 §4.2.8]).
///
/// [RFC 6347 §4.2.8]: https://www.rfc-editor.org/rfc/rfc6347#section-4.2.8
#[derive(Default)]
struct Routes {
    settled: Option<Route>,
    pending: Option<Route>,
}

struct Route {
    id: u64,
    random: [u8; 32],
    queue: Queue,
}

enum Routed {
    Taken,
    /// For somebody whose queue has no place.
    Full,
    /// For nobody who is here.
    Unknown,
}

impl Peers {
    /// Hands a datagram to whom it may be for. Only who has the keys knows: what is under a key goes to both sessions of
    /// an address, and the other one drops it unread.
    fn route(&self, from: SocketAddr, datagram: &[u8], hello: Option<[u8; 32]>) -> Routed {
        let table = self.table();
        let Some(routes) = table.by_address.get(&from) else {
            return Routed::Unknown;
        };
        let Routes { settled, pending } = routes;
        let whom = match hello {
            // The same attempt once more. Another one is a new peer, until it has shown otherwise.
            Some(random) => {
                let is_its = |route: &&Route| route.random == random;
                [
                    pending.as_ref().filter(is_its),
                    settled.as_ref().filter(is_its),
                ]
            }
            None if is_in_clear(datagram) && pending.is_some() => [pending.as_ref(), None],
            None => [pending.as_ref(), settled.as_ref()],
        };
        let mut routed = Routed::Unknown;
        for route in whom.into_iter().flatten() {
            routed = match route.queue.try_send(datagram.to_vec()) {
                Ok(()) => Routed::Taken,
                Err(TrySendError::Full(_)) => Routed::Full,
                // Its task is just ending.
                Err(TrySendError::Closed(_)) => Routed::Unknown,
            };
        }
        routed
    }

    /// Whoever was pending at this address is no longer.
    fn seat(peers: &Arc<Self>, address: SocketAddr, random: [u8; 32], queue: Queue) -> Seat {
        let mut table = peers.table();
        let id = table.next_id;
        table.next_id += 1;
        let routes = table.by_address.entry(address).or_default();
        routes.pending = Some(Route { id, random, queue });
        drop(table);
        Seat {
            peers: Arc::clone(peers),
            address,
            id,
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing can panic while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A peer's entry in the table, until it is dropped.
pub struct Seat {
    peers: Arc<Peers>,
    address: SocketAddr,
    id: u64,
}

impl Seat {
    /// The handshake is done: whatever session this address had before ends.
    fn settle(&self) {
        let mut table = self.peers.table();
        if let Some(routes) = table.by_address.get_mut(&self.address)
            && let Some(route) = routes.pending.take_if(|route| route.id == self.id)
        {
            routes.settled = Some(route);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut table = self.peers.table();
        if let Some(routes) = table.by_address.get_mut(&self.address) {
            routes.pending.take_if(|route| route.id == self.id);
            routes.settled.take_if(|route| route.id == self.id);
            if routes.pending.is_none() && routes.settled.is_none() {
                table.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests;
