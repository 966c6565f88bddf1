//! A local port whose connections come out at the server.

use std::sync::Arc;

use mcbn_runtime::process::Process;
use mcbn_tunnel::accept::accept;
use mcbn_tunnel::join::{End, join};
use mcbn_tunnel::limits::Slots;
use tokio::net::TcpStream;

use crate::config::ListenConfig;
use crate::connect::Server;
use crate::error::Error;

pub async fn listen(server: Server, config: ListenConfig, process: Process) -> Result<(), Error> {
    let failed = |error| Error::Listen(config.address, error);
    let listener = mcbn_tunnel::listen::listen(config.address).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    process.admin.set_ready(true);
    tracing::info!(%address, "listening");

    // All connections come from this machine: a limit for each peer would say nothing.
    let slots = Slots::new(config.max_connections, config.max_connections);
    let metrics = server.metrics.clone();
    let server = Arc::new(server);
    accept(listener, slots, metrics, process.shutdown, |stream, _| {
        tunnel(Arc::clone(&server), stream)
    })
    .await;
    Ok(())
}

async fn tunnel(server: Arc<Server>, mut plain: TcpStream) {
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
