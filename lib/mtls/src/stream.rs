//! The encrypted stream.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

use crate::peer::AuthenticatedPeer;

/// A connection to a peer that has shown our key.
///
/// Reading ends (`Ok` with nothing read) only where the peer said so with `close_notify`; a connection that just breaks
/// off is an `UnexpectedEof`, since anyone on the path can break it. Each direction ends on its own.
pub struct MtlsStream<S> {
    tls: Box<TlsStream<S>>,
    peer: AuthenticatedPeer,
}

impl<S> MtlsStream<S> {
    pub(crate) fn new(tls: TlsStream<S>, peer: AuthenticatedPeer) -> Self {
        Self {
            // A kilobyte of state, which would else stand in every future around it.
            tls: Box::new(tls),
            peer,
        }
    }

    pub fn peer(&self) -> &AuthenticatedPeer {
        &self.peer
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for MtlsStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_read(cx, out)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for MtlsStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(cx)
    }

    /// Says `close_notify` and ends the writing direction below. Reading goes on.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(cx)
    }
}

impl<S> fmt::Debug for MtlsStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MtlsStream").finish_non_exhaustive()
    }
}
