//! A local port whose connections come out at the server.

use std::net::SocketAddr;
use std::sync::Arc;

use mcbn_runtime::process::Process;
use mcbn_tunnel::accept::{Place, accept};
use mcbn_tunnel::join::{End, join};
use mcbn_tunnel::limits::Slots;
use tokio::net::{TcpListener, TcpStream};

use crate::config::ListenConfig;
use crate::connect::Server;
use crate::error::Error;

pub async fn listen(server: Server, config: ListenConfig, process: Process) -> Result<(), Error> {
    let tunnel = Tunnel::open(server, config)?;
    tracing::info!(address = %tunnel.address, "listening");
    tunnel.run(process).await;
    Ok(())
}

/// A local port that is open.
struct Tunnel {
    address: SocketAddr,
    listener: TcpListener,
    slots: Slots,
    server: Arc<Server>,
}

impl Tunnel {
    fn open(server: Server, config: ListenConfig) -> Result<Self, Error> {
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

    /// Tunnels until the program drains and all connections are done.
    async fn run(self, process: Process) {
        process.admin.set_ready(true);
        let metrics = self.server.metrics.clone();
        let serve = |stream, _, place| tunnel(Arc::clone(&self.server), stream, place);
        accept(self.listener, self.slots, metrics, process.shutdown, serve).await;
    }
}

async fn tunnel(server: Arc<Server>, mut plain: TcpStream, _place: Place) {
    let _ = plain.set_nodelay(true);
    let mut stream = match server.connect().await {
        Ok(stream) => stream,
        Err(error) => {
            tracing::warn!(%error, "cannot tunnel");
            // A plain end would look like an empty answer.
            let _ = plain.set_zero_linger();
            return;
        }
    };
    let end = join(
        &mut plain,
        &mut stream,
        server.timeouts.idle,
        |direction, n| {
            server.metrics.moved(direction, n);
        },
    )
    .await;
    let reason = match end {
        End::Closed => "closed",
        End::Idle => "idle",
        End::AcceptedBroke(_) => "local_broke",
        End::DialledBroke(_) => "server_broke",
    };
    if reason != "closed" {
        let _ = plain.set_zero_linger();
    }
    server.metrics.ended(reason);
}

#[cfg(test)]
mod tests;
