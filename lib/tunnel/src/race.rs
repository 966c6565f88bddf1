//! Several connection attempts at once, each starting a little after the one before ([RFC 8305 §5]).
//!
//! [RFC 8305 §5]: https://www.rfc-editor.org/rfc/rfc8305#section-5

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Sleep, sleep, timeout};

use crate::udp;

/// The recommended delay between two attempts.
const STAGGER: Duration = Duration::from_millis(250);

/// What an attempt gives.
pub trait Dialled: Sized + Send + 'static {
    fn dial(address: SocketAddr) -> impl Future<Output = io::Result<Self>> + Send;
}

impl Dialled for TcpStream {
    async fn dial(address: SocketAddr) -> io::Result<Self> {
        let stream = Self::connect(address).await?;
        // Small writes leave at once; without it they are only slower.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }
}

/// There is nothing to wait for: whether anyone is there, the first answer tells.
impl Dialled for UdpSocket {
    async fn dial(address: SocketAddr) -> io::Result<Self> {
        udp::connect(address).await
    }
}

type Attempt<D> = Pin<Box<dyn Future<Output = io::Result<D>> + Send>>;

pub(crate) struct Race<D> {
    waiting: VecDeque<SocketAddr>,
    running: Vec<(SocketAddr, Attempt<D>)>,
    next_start: Pin<Box<Sleep>>,
    each: Duration,
}

impl<D: Dialled> Race<D> {
    /// `each` attempt may take so long.
    pub(crate) fn new(addresses: Vec<SocketAddr>, each: Duration) -> Self {
        Self {
            waiting: addresses.into(),
            running: Vec::new(),
            next_start: Box::pin(sleep(Duration::ZERO)),
            each,
        }
    }

    /// What the next attempt that ends gives. None when all have ended.
    pub(crate) async fn next(&mut self) -> Option<(SocketAddr, io::Result<D>)> {
        poll_fn(|cx| {
            loop {
                let is_due =
                    self.running.is_empty() || self.next_start.as_mut().poll(cx).is_ready();
                if is_due && let Some(address) = self.waiting.pop_front() {
                    self.running.push((address, attempt(address, self.each)));
                    self.next_start = Box::pin(sleep(STAGGER));
                }
                let ended = self
                    .running
                    .iter_mut()
                    .enumerate()
                    .find_map(|(i, (_, attempt))| match attempt.as_mut().poll(cx) {
                        Poll::Ready(outcome) => Some((i, outcome)),
                        Poll::Pending => None,
                    });
                if let Some((i, outcome)) = ended {
                    let (address, _) = self.running.swap_remove(i);
                    return Poll::Ready(Some((address, outcome)));
                }
                if self.running.is_empty() && self.waiting.is_empty() {
                    return Poll::Ready(None);
                }
                // Once more if the timer has already fired, so that it is waited for.
                if self.waiting.is_empty() || self.next_start.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await
    }
}

fn attempt<D: Dialled>(address: SocketAddr, limit: Duration) -> Attempt<D> {
    Box::pin(async move {
        match timeout(limit, D::dial(address)).await {
            Ok(done) => done,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn closed_port() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    }

    #[tokio::test]
    async fn a_refused_attempt_starts_the_next_at_once() {
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let [closed, open_at] = [closed_port().await, open.local_addr().unwrap()];
        let mut race = Race::<TcpStream>::new(vec![closed, open_at], Duration::from_secs(5));

        let (address, outcome) = race.next().await.unwrap();
        assert_eq!(address, closed);
        assert_eq!(
            outcome.unwrap_err().kind(),
            io::ErrorKind::ConnectionRefused
        );
        let (address, outcome) = race.next().await.unwrap();
        assert_eq!(address, open_at);
        outcome.unwrap();
        assert!(race.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_does_not_hold_up_the_next() {
        let mut race = Race::<TcpStream>::new(Vec::new(), Duration::from_secs(5));
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent: SocketAddr = "192.0.2.1:9".parse().unwrap();
        race.running
            .push((silent, Box::pin(std::future::pending())));
        race.next_start = Box::pin(sleep(STAGGER));
        race.waiting.push_back(open.local_addr().unwrap());

        let start = tokio::time::Instant::now();
        let (address, outcome) = race.next().await.unwrap();
        outcome.unwrap();
        assert_eq!(address, open.local_addr().unwrap());
        assert!(start.elapsed() >= STAGGER);
    }

    #[tokio::test]
    async fn no_address_is_no_attempt() {
        assert!(
            Race::<TcpStream>::new(Vec::new(), Duration::from_secs(1))
                .next()
                .await
                .is_none()
        );
    }
}
