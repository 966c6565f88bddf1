//! Standard input and output as one end of the connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use mcbn_tunnel::handshake::Handshake;
use mcbn_tunnel::join::{End, join};
use tokio::io::{AsyncRead, AsyncWrite, Stdout};

use super::{Client, Error};

/// The program's own standard input and output.
pub fn local() -> impl AsyncRead + AsyncWrite + Unpin {
    tokio::io::join(tokio::io::stdin(), Output(tokio::io::stdout()))
}

/// Sends what `local` gives until it ends, and writes what the server sends until it ends. Each may end first.
pub async fn stdio<H: Handshake>(
    server: &Client<H>,
    local: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<(), Error<H::Error>> {
    let mut stream = server.connect().await.map_err(Error::Unreachable)?;
    let metrics = &server.metrics;
    match join(local, &mut stream, server.timeouts.idle, |direction, n| {
        metrics.moved(direction, n);
    })
    .await
    {
        End::Closed => Ok(()),
        End::Idle => Err(Error::Idle),
        End::AcceptedBroke(source) => Err(Error::Stdio(source)),
        End::DialledBroke(source) => Err(Error::Broken(source)),
    }
}

/// Standard output that can end before the program does: whoever reads it sees that the server is done.
struct Output(Stdout);

impl AsyncWrite for Output {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.0).poll_flush(cx))?;
        // The descriptor stays taken, so that no file which is opened later becomes standard output.
        let (_, nowhere) = io::pipe()?;
        rustix::stdio::dup2_stdout(nowhere)?;
        Poll::Ready(Ok(()))
    }
}
