//! The encrypted stream.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

use crate::error::HandshakeError;

/// A connection to a peer that has shown who it is: `P` is the proof.
///
/// Reading ends (`Ok` with nothing read) only where the peer said so with `close_notify`; a connection that just breaks
/// off is an `UnexpectedEof`, since anyone on the path can break it. A server that refuses our certificate is a
/// `PermissionDenied`: in TLS 1.3 it does so after our side of the handshake. Each direction ends on its own.
pub struct MtlsStream<S, P> {
    tls: Box<TlsStream<S>>,
    peer: P,
}

impl<S, P> MtlsStream<S, P> {
    /// Of a handshake that is done.
    pub fn new(tls: TlsStream<S>, peer: P) -> Self {
        Self {
            // A kilobyte of state, which would else stand in every future around it.
            tls: Box::new(tls),
            peer,
        }
    }

    pub fn peer(&self) -> &P {
        &self.peer
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, P: Unpin> MtlsStream<S, P> {
    /// A refusal, where that is why nothing can be written any more: it may have come before the peer closed.
    fn why(&mut self, cx: &mut Context<'_>, met: io::Error) -> io::Error {
        match met.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
                self.last_words(cx).unwrap_or(met)
            }
            _ => HandshakeError::late(met),
        }
    }

    /// What rustls says of the records that still wait to be read. Data in them stays readable.
    fn last_words(&mut self, cx: &mut Context<'_>) -> Option<io::Error> {
        let TlsStream::Client(client) = &mut *self.tls else {
            return None;
        };
        let (stream, connection) = client.get_mut();
        let mut bytes = [0; 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            let Poll::Ready(Ok(())) = Pin::new(&mut *stream).poll_read(cx, &mut buffer) else {
                return None;
            };
            let mut records = buffer.filled();
            if records.is_empty() {
                return None;
            }
            while !records.is_empty() {
                connection.read_tls(&mut records).ok()?;
                if let Err(error) = connection.process_new_packets() {
                    let error = io::Error::new(io::ErrorKind::InvalidData, error);
                    return Some(HandshakeError::late(error));
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, P: Unpin> AsyncRead for MtlsStream<S, P> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.tls).poll_read(cx, out);
        read.map_err(HandshakeError::late)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, P: Unpin> AsyncWrite for MtlsStream<S, P> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tls).poll_write(cx, data);
        written.map_err(|error| self.why(cx, error))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.tls).poll_flush(cx);
        flushed.map_err(|error| self.why(cx, error))
    }

    /// Says `close_notify` and ends the writing direction below. Reading goes on.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.tls).poll_shutdown(cx);
        ended.map_err(|error| self.why(cx, error))
    }
}

impl<S, P> fmt::Debug for MtlsStream<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MtlsStream").finish_non_exhaustive()
    }
}
