//! A local port whose connections come out at the server.

use std::net::SocketAddr;
use std::sync::Arc;

use mcbn_consent::lease::Lost;
use mcbn_runtime::process::Process;
use mcbn_runtime::shutdown::Shutdown;
use mcbn_tunnel::accept::{Place, accept};
use mcbn_tunnel::handshake::Handshake;
use mcbn_tunnel::join::{End, join};
use mcbn_tunnel::limits::Slots;
use mcbn_tunnel::reset::ResetOnDrop;
use mcbn_tunnel::settings::ListenConfig;
use tokio::net::{TcpListener, TcpStream};

use super::{Client, Error};

pub async fn listen<H: Handshake>(
    server: Client<H>,
    config: ListenConfig,
    process: Process,
    lost: impl Future<Output = Lost>,
) -> Result<(), Error<H::Error>> {
    let tunnel = Tunnel::open(server, config)?;
    tracing::info!(address = %tunnel.address, "listening");
    match tunnel.run(process.shutdown, lost).await {
        None => Ok(()),
        Some(lost) => Err(Error::ConsentLost(lost)),
    }
}

/// A local port that is open.
pub struct Tunnel<H> {
    pub address: SocketAddr,
    listener: TcpListener,
    slots: Slots,
    server: Arc<Client<H>>,
}

impl<H: Handshake> Tunnel<H> {
    pub fn open(server: Client<H>, config: ListenConfig) -> Result<Self, Error<H::Error>> {
        let failed = |error| Error::Listen(config.address, error);
        let listener = mcbn_tunnel::listen::listen(config.address).map_err(failed)?;
        Ok(Self {
            address: listener.local_addr().map_err(failed)?,
            listener,
            // All connections come from this machine: a limit for each peer would say nothing.
            slots: Slots::new(config.max_connections, config.max_connections),
            server: Arc::new(server),
        })
    }

    /// Tunnels until the program drains and all connections are done, or until `cut` resolves: then every connection is
    /// closed before this gives what it gave.
    pub async fn run<C>(self, shutdown: Shutdown, cut: impl Future<Output = C>) -> Option<C> {
        let server = self.server;
        let metrics = server.metrics.clone();
        let serve = |stream, _, place| tunnel(Arc::clone(&server), stream, place);
        accept(self.listener, self.slots, metrics, shutdown, cut, serve).await
    }
}

async fn tunnel<H: Handshake>(server: Arc<Client<H>>, plain: TcpStream, _place: Place) {
    let _ = plain.set_nodelay(true);
    // Where there is no server, too: a plain end would look like an empty answer.
    let mut plain = ResetOnDrop::new(plain);
    let mut stream = match server.connect().await {
        Ok(stream) => stream,
        Err(error) => {
            tracing::warn!(%error, "cannot tunnel");
            return;
        }
    };
    let end = join(
        plain.stream(),
        &mut stream,
        server.timeouts.idle,
        |direction, n| {
            server.metrics.moved(direction, n);
        },
    )
    .await;
    let reason = match end {
        End::Closed => {
            plain.ended_in_order();
            "closed"
        }
        End::Idle => "idle",
        End::AcceptedBroke(_) => "local_broke",
        End::DialledBroke(_) => "server_broke",
    };
    server.metrics.ended(reason);
}
