//! What a TLS stack is asked for.

use std::io;
use std::pin::Pin as Pinned;
use std::task::{Context, Poll};

use mcbn_manifest::Pin;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::error::{NoStream, Setup};
use crate::peer::PinnedPeer;

/// The one protocol that is spoken on a connection.
pub const HTTP_1_1: &str = "http/1.1";

/// What a connection can be made over.
pub trait Plain: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Plain for S {}

/// Connects to servers by their pins, with one TLS stack. What this crate promises is for each connector to keep:
/// `tests/pinned` holds every one to it.
pub trait Connector: Clone + Send + Sync + 'static {
    /// The stack's own stream. Reading ends (`Ok` with nothing read) only where the server said so with `close_notify`; a
    /// connection that just breaks off is an `UnexpectedEof`, since anyone on the path can break it. Each direction ends
    /// on its own.
    type Tls<S: Plain>: Plain;

    fn new() -> Result<Self, Setup>;

    /// Does the handshake. Ends when the server lets it end: the caller sets the deadline.
    fn connect<S: Plain>(
        &self,
        stream: S,
        pin: &Pin,
    ) -> impl Future<Output = Result<PinnedStream<Self::Tls<S>>, NoStream>> + Send;
}

/// A connection to the server with the pinned key. It reads and writes as its stack's own stream does.
#[derive(Debug)]
pub struct PinnedStream<T> {
    tls: T,
    peer: PinnedPeer,
}

impl<T> PinnedStream<T> {
    /// The proof is of this stream's own handshake.
    pub fn new(tls: T, peer: PinnedPeer) -> Self {
        Self { tls, peer }
    }

    pub fn peer(&self) -> &PinnedPeer {
        &self.peer
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for PinnedStream<T> {
    fn poll_read(
        mut self: Pinned<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pinned::new(&mut self.tls).poll_read(cx, out)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for PinnedStream<T> {
    fn poll_write(
        mut self: Pinned<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pinned::new(&mut self.tls).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pinned<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pinned::new(&mut self.tls).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pinned<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pinned::new(&mut self.tls).poll_shutdown(cx)
    }
}
