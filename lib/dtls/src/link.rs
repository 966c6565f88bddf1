//! What OpenSSL reads from and writes to: one datagram a call.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use mcbn_tunnel::udp;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// Where the datagrams of one peer go in. What does not fit is dropped, as on any link.
pub(crate) type Queue = mpsc::Sender<Vec<u8>>;

/// Datagrams that wait for one peer's task.
const QUEUE: usize = 64;

/// One peer's datagrams. Nothing here waits, but for [`Link::readable`].
pub(crate) struct Link {
    path: Path,
    fault: Option<io::Error>,
}

enum Path {
    /// A socket that is connected to the peer.
    Own(UdpSocket),
    /// A socket of many peers, that one task reads.
    Shared {
        socket: Arc<UdpSocket>,
        peer: SocketAddr,
        queue: mpsc::Receiver<Vec<u8>>,
        next: Option<Vec<u8>>,
    },
}

impl Link {
    pub(crate) fn own(socket: UdpSocket) -> Self {
        Self::over(Path::Own(socket))
    }

    pub(crate) fn shared(socket: Arc<UdpSocket>, peer: SocketAddr) -> (Self, Queue) {
        let (sender, queue) = mpsc::channel(QUEUE);
        let link = Self::over(Path::Shared {
            socket,
            peer,
            queue,
            next: None,
        });
        (link, sender)
    }

    fn over(path: Path) -> Self {
        Self { path, fault: None }
    }

    /// From now on the link is that of `from`, and this datagram is the next to be read.
    pub(crate) fn hear(&mut self, from: SocketAddr, datagram: &[u8]) {
        if let Path::Shared { peer, next, .. } = &mut self.path {
            *peer = from;
            *next = Some(datagram.to_vec());
        }
    }

    /// Waits until there may be something to read. Nothing is lost when it is dropped.
    pub(crate) async fn readable(&mut self) -> Result<(), Unreadable> {
        match &mut self.path {
            Path::Own(socket) => udp::readable(socket).await.map_err(Unreadable::Io),
            Path::Shared { queue, next, .. } => {
                if next.is_none() {
                    let datagram = queue.recv().await;
                    *next = Some(datagram.ok_or(Unreadable::Replaced)?);
                }
                Ok(())
            }
        }
    }

    /// Why the last datagram that was written did not leave. The network's losses it does not know.
    pub(crate) fn take_fault(&mut self) -> Option<io::Error> {
        self.fault.take()
    }
}

/// Nothing will come any more.
pub(crate) enum Unreadable {
    /// The peer's machine refuses datagrams.
    Io(io::Error),
    /// Another session has taken this one's place.
    Replaced,
}

impl Read for Link {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match &mut self.path {
            Path::Own(socket) => socket.try_recv(out),
            Path::Shared { queue, next, .. } => {
                let datagram = next.take().or_else(|| queue.try_recv().ok());
                let datagram = datagram.ok_or(io::ErrorKind::WouldBlock)?;
                // A record has room in what OpenSSL gives: what is cut off is none.
                let length = datagram.len().min(out.len());
                out[..length].copy_from_slice(&datagram[..length]);
                Ok(length)
            }
        }
    }
}

impl Write for Link {
    /// To OpenSSL every datagram leaves: the protocol is made for links that lose some.
    fn write(&mut self, datagram: &[u8]) -> io::Result<usize> {
        let sent = match &self.path {
            Path::Own(socket) => socket.try_send(datagram),
            Path::Shared { socket, peer, .. } => socket.try_send_to(datagram, *peer),
        };
        if let Err(error) = sent {
            self.fault = Some(error);
        }
        Ok(datagram.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
