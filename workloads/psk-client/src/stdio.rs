//! Standard input and output as one end of the connection.

use mcbn_tunnel::join::{End, join};
use tokio::io::{Stdin, Stdout};

use crate::connect::Server;
use crate::error::Error;

/// Sends standard input until it ends, and writes what the server sends until it ends. Each may end first.
pub async fn stdio(server: &Server) -> Result<(), Error> {
    let mut stream = server.connect().await.map_err(Error::Unreachable)?;
    let mut local: tokio::io::Join<Stdin, Stdout> =
        tokio::io::join(tokio::io::stdin(), tokio::io::stdout());
    let metrics = &server.metrics;
    match join(
        &mut local,
        &mut stream,
        server.timeouts.idle,
        |direction, n| {
            metrics.moved(direction, n);
        },
    )
    .await
    {
        End::Closed => Ok(()),
        End::Idle => Err(Error::Idle),
        End::AcceptedBroke(source) => Err(Error::Stdio(source)),
        End::DialledBroke(source) => Err(Error::Broken(source)),
    }
}
