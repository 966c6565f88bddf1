//! A local port whose datagrams come out at the server.

use std::net::SocketAddr;
use std::sync::Arc;

use mcbn_consent::lease::Lost;
use mcbn_dtls::relay::{Moved, OfMany, relay};
use mcbn_runtime::process::Process;
use mcbn_runtime::shutdown::Shutdown;
use mcbn_tunnel::accept::Place;
use mcbn_tunnel::datagram::{self, ByAddress, Local};
use mcbn_tunnel::join::Direction;
use mcbn_tunnel::limits::Slots;
use mcbn_tunnel::settings::ListenConfig;
use mcbn_tunnel::udp;
use tokio::net::UdpSocket;

use super::{Client, Error};

pub async fn listen(
    server: Client,
    config: ListenConfig,
    process: Process,
    lost: impl Future<Output = Lost>,
) -> Result<(), Error> {
    let tunnel = Tunnel::open(server, config)?;
    tracing::info!(address = %tunnel.address, "listening");
    match tunnel.run(process.shutdown, lost).await {
        None => Ok(()),
        Some(lost) => Err(Error::ConsentLost(lost)),
    }
}

/// A local port that is open.
pub struct Tunnel {
    pub address: SocketAddr,
    socket: Arc<UdpSocket>,
    slots: Slots,
    server: Arc<Client>,
}

impl Tunnel {
    pub fn open(server: Client, config: ListenConfig) -> Result<Self, Error> {
        let failed = |error| Error::Listen(config.address, error);
        let socket = Arc::new(udp::bind(config.address).map_err(failed)?);
        Ok(Self {
            address: socket.local_addr().map_err(failed)?,
            socket,
            // All datagrams come from this machine: a limit for each peer would say nothing.
            slots: Slots::new(config.max_connections, config.max_connections),
            server: Arc::new(server),
        })
    }

    /// Tunnels until the program drains and all sessions are done, or until `cut` resolves: then every session is ended
    /// before this gives what it gave.
    pub async fn run<C>(self, shutdown: Shutdown, cut: impl Future<Output = C>) -> Option<C> {
        let (server, socket) = (self.server, self.socket);
        let metrics = server.metrics.clone();
        let gate = ByAddress::new(server.losses.clone());
        let serve = |local, place| tunnel(Arc::clone(&server), Arc::clone(&socket), local, place);
        datagram::serve(&socket, gate, self.slots, metrics, shutdown, cut, serve).await
    }
}

async fn tunnel(server: Arc<Client>, socket: Arc<UdpSocket>, local: Local, _place: Place) {
    let mut session = match server.connect().await {
        Ok(session) => session,
        Err(error) => {
            tracing::warn!(%error, "cannot tunnel");
            return;
        }
    };
    let socket = &*socket;
    let mut plain = OfMany { local, socket };
    let moved = |moved| match moved {
        Moved::Received(n) => server.metrics.moved(Direction::Down, n),
        Moved::Sent(n) => server.metrics.moved(Direction::Up, n),
    };
    let idle = server.timeouts.idle;
    let end = relay(&mut session, &mut plain, idle, &server.losses, moved).await;
    server.metrics.ended(end.reason("local_broke"));
}
