//! The network below OpenSSL, in few system calls: what it writes is gathered, and small reads are met from one
//! larger one.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that may wait here. Records come in only after all earlier ones have left, so that this is met only by a
/// peer that makes OpenSSL answer it and reads none of the answers.
const MAX_WAITING: usize = 256 * 1024;

/// A stream as OpenSSL wants it: synchronous, and saying `WouldBlock`.
pub(crate) struct Wire<S> {
    stream: S,
    /// Of the task that polls right now.
    waker: Waker,
    /// What came with a small read and is not asked for yet.
    incoming: Vec<u8>,
    taken: usize,
    outgoing: Vec<u8>,
    sent: usize,
}

/// Until the handshake is over, OpenSSL asks for each record's header and body apart. Such small reads are met from one
/// larger one; the large ones that come later go straight to OpenSSL's buffer.
const SMALL: usize = 4 * 1024;

impl<S> Wire<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            waker: Waker::noop().clone(),
            incoming: Vec::new(),
            taken: 0,
            outgoing: Vec::new(),
            sent: 0,
        }
    }

    /// To be called before OpenSSL is, so that whoever polls is the one who is woken.
    pub(crate) fn attach(&mut self, cx: &Context<'_>) {
        if !self.waker.will_wake(cx.waker()) {
            self.waker.clone_from(cx.waker());
        }
    }

    pub(crate) fn stream(&self) -> &S {
        &self.stream
    }

    pub(crate) fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// Sends what has been gathered.
    pub(crate) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self
            .outgoing
            .get(self.sent..)
            .filter(|rest| !rest.is_empty())
        {
            let n = ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += n;
        }
        if self.sent > 0 {
            self.sent = 0;
            lend(std::mem::take(&mut self.outgoing));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> Read for Wire<S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.len() >= SMALL && self.incoming.is_empty() {
            return self.read_through(out);
        }
        if self.incoming.is_empty() {
            let mut more = [0; SMALL];
            let n = self.read_through(&mut more)?;
            self.incoming
                .extend_from_slice(more.get(..n).unwrap_or_default());
        }
        let mut rest = self.incoming.get(self.taken..).unwrap_or_default();
        let n = rest.read(out)?;
        self.taken += n;
        if self.taken == self.incoming.len() {
            self.incoming = Vec::new();
            self.taken = 0;
        }
        Ok(n)
    }
}

impl<S: AsyncRead + Unpin> Wire<S> {
    fn read_through(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut cx = Context::from_waker(&self.waker);
        let mut out = ReadBuf::new(out);
        match Pin::new(&mut self.stream).poll_read(&mut cx, &mut out) {
            Poll::Ready(done) => done.map(|()| out.filled().len()),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl<S: AsyncWrite + Unpin> Write for Wire<S> {
    fn write(&mut self, records: &[u8]) -> io::Result<usize> {
        if self.outgoing.len() + records.len() > MAX_WAITING {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if self.outgoing.capacity() == 0 {
            self.outgoing = borrow();
        }
        self.outgoing.extend_from_slice(records);
        Ok(records.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // OpenSSL flushes after each flight; the stream above sends when the whole step is done.
        Ok(())
    }
}

thread_local! {
    /// One buffer a thread, passed from connection to connection: only one that waits for its peer keeps its own.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

fn borrow() -> Vec<u8> {
    SPARE.with(Cell::take)
}

fn lend(mut buffer: Vec<u8>) {
    buffer.clear();
    SPARE.with(|spare| {
        let other = spare.take();
        spare.set(if other.capacity() > buffer.capacity() {
            other
        } else {
            buffer
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[test]
    fn a_peer_that_only_asks_is_not_answered_for_ever() {
        let (near, _far) = duplex(16);
        let mut wire = Wire::new(near);
        let answer = [0; 1000];
        let mut waiting = 0;
        let error = loop {
            match wire.write(&answer) {
                Ok(n) => waiting += n,
                Err(error) => break error,
            }
            assert!(waiting <= MAX_WAITING, "nothing stops it");
        };
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn small_reads_are_met_from_one_larger_one() {
        let (near, mut far) = duplex(1 << 16);
        let mut wire = Wire::new(near);
        far.write_all(b"headerbody").await.unwrap();
        far.write_all(&[7; 2 * SMALL]).await.unwrap();
        let (mut header, mut body) = ([0; 6], [0; 4]);
        assert_eq!(wire.read(&mut header).unwrap(), 6);
        assert_eq!(wire.read(&mut body).unwrap(), 4);
        assert_eq!((&header, &body), (b"header", b"body"));
        let mut rest = [0; 3 * SMALL];
        let first = wire.read(&mut rest).unwrap();
        assert_eq!(first, SMALL - 10, "what had come with the small read");
        let second = wire.read(&mut rest[first..]).unwrap();
        assert_eq!(first + second, 2 * SMALL);
        assert!(rest[..2 * SMALL].iter().all(|byte| *byte == 7));
        let error = wire.read(&mut rest).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        drop(far);
        assert_eq!(wire.read(&mut header).unwrap(), 0);
    }

    #[tokio::test]
    async fn all_that_was_written_leaves_in_order() {
        let (near, mut far) = duplex(7);
        let mut wire = Wire::new(near);
        wire.write_all(b"first, ").unwrap();
        wire.write_all(b"second, third").unwrap();
        let drain = std::future::poll_fn(|cx| wire.poll_drain(cx));
        let mut got = [0; 20];
        let (drained, read) = tokio::join!(drain, far.read_exact(&mut got));
        drained.unwrap();
        read.unwrap();
        assert_eq!(&got, b"first, second, third");
        assert_eq!(
            wire.outgoing.capacity(),
            0,
            "an idle connection keeps a buffer"
        );
    }
}
