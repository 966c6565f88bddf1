//! Datagrams between a session and a plain UDP peer.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::time::Duration;

use mcbn_tunnel::datagram::{Dropped, Local, Losses};
use mcbn_tunnel::udp;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep_until};

use crate::session::{Ended, NotSent, Session};

/// The other side of a session: datagrams in clear.
pub trait Plain {
    /// The next datagram. Nothing is lost when this is dropped.
    fn receive(&mut self) -> impl Future<Output = io::Result<Vec<u8>>> + Send;

    /// Does not wait: what cannot leave is lost.
    fn send(&self, datagram: &[u8]) -> io::Result<()>;
}

/// What passed through the session, in bytes of payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moved {
    Received(usize),
    Sent(usize),
}

/// How a relay ended.
#[derive(Debug)]
pub enum End {
    /// Nothing came from either side for too long.
    Idle,
    Session(Ended),
    /// The plain side's socket is of no more use.
    Plain(io::Error),
}

impl End {
    /// A short fixed word for logs and metrics; `plain` is the one for the plain side.
    pub fn reason(&self, plain: &'static str) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Session(ended) => ended.reason(),
            Self::Plain(_) => plain,
        }
    }
}

/// Moves datagrams, each whole or not at all, until the session ends or neither side has sent one for `idle`.
pub async fn relay(
    session: &mut Session,
    plain: &mut impl Plain,
    idle: Duration,
    losses: &Losses,
    mut moved: impl FnMut(Moved),
) -> End {
    let mut last_move = Instant::now();
    let mut timer = std::pin::pin!(sleep_until(last_move + idle));
    loop {
        tokio::select! {
            received = session.receive(<[u8]>::to_vec) => {
                let datagram = match received {
                    Ok(datagram) => datagram,
                    Err(ended) => return End::Session(ended),
                };
                moved(Moved::Received(datagram.len()));
                if let Err(error) = plain.send(&datagram) {
                    match Dropped::of(&error) {
                        Some(dropped) => losses.count(dropped),
                        None => return End::Plain(error),
                    }
                }
            }
            received = plain.receive() => match received {
                Ok(datagram) => match session.send(&datagram) {
                    Ok(()) => moved(Moved::Sent(datagram.len())),
                    Err(NotSent::Dropped(dropped)) => losses.count(dropped),
                    Err(NotSent::Ended(ended)) => return End::Session(ended),
                },
                // What was sent before did not arrive; the service may come back.
                Err(error) => match Dropped::of(&error) {
                    Some(dropped) => losses.count(dropped),
                    None => return End::Plain(error),
                },
            },
            () = timer.as_mut() => {
                let end = last_move + idle;
                if end <= Instant::now() {
                    return End::Idle;
                }
                timer.as_mut().reset(end);
                continue;
            }
        }
        last_move = Instant::now();
    }
}

thread_local! {
    /// Where datagrams are received: a buffer for each session would be most of what a session needs.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 1 << 16]);
}

/// A socket that is connected to the plain peer.
impl Plain for UdpSocket {
    async fn receive(&mut self) -> io::Result<Vec<u8>> {
        loop {
            udp::readable(self).await?;
            let received = BUFFER.with_borrow_mut(|buffer| {
                let length = self.try_recv(buffer)?;
                Ok(buffer[..length].to_vec())
            });
            match received {
                Err(error) if io::Error::kind(&error) == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
    }

    fn send(&self, datagram: &[u8]) -> io::Result<()> {
        match self.try_send(datagram) {
            // Of what was sent before; this one did not leave. The service may have come back.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                self.try_send(datagram)
            }
            sent => sent,
        }
        .map(drop)
    }
}

/// One peer of a socket that many share.
pub struct OfMany<'a> {
    pub local: Local,
    pub socket: &'a UdpSocket,
}

impl Plain for OfMany<'_> {
    async fn receive(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.local.receive().await)
    }

    fn send(&self, datagram: &[u8]) -> io::Result<()> {
        let to = self.local.address();
        self.socket.try_send_to(datagram, to).map(drop)
    }
}
