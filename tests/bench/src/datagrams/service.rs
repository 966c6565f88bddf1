//! What is behind a server that does not answer itself: it takes datagrams, or sends them without an end.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::client::LENGTH;
use crate::measure::throughput::Direction;

/// A thread looks so often whether it is to end.
const LOOK: Duration = Duration::from_millis(50);

/// Datagrams that are sent ahead of those that have arrived at the client. More would be lost, and cost the client's
/// processor what it needs to take the others.
const AHEAD: u64 = 64;

#[derive(Clone, Default)]
struct Shared {
    taken: Arc<AtomicU64>,
    arrived: Arc<AtomicU64>,
    sent: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

/// Its threads end when it is dropped.
pub struct Service(Shared);

impl Service {
    /// A UDP socket. It sends to whoever has sent it something, when it is to send.
    pub fn udp(direction: Direction) -> io::Result<(Self, SocketAddr)> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(LOOK))?;
        let address = socket.local_addr()?;
        let shared = Shared::default();
        let of_thread = shared.clone();
        thread::spawn(move || {
            let mut room = [0; 2 * LENGTH];
            while of_thread.goes_on() {
                let Ok((length, peer)) = socket.recv_from(&mut room) else {
                    continue;
                };
                of_thread.took(length);
                while direction == Direction::Down && of_thread.goes_on() {
                    if of_thread.may_send() {
                        // One that is refused is one that its receiver no longer wants.
                        let _ = socket.send_to(&[b'.'; LENGTH], peer);
                    }
                }
            }
        });
        Ok((Self(shared), address))
    }

    /// The standard input and output of a program: of sockets that keep datagrams apart, as pipes would not.
    pub fn standard_streams(direction: Direction) -> io::Result<(Self, Stdio, Stdio)> {
        let (feed, stdin) = UnixDatagram::pair()?;
        let (drain, stdout) = UnixDatagram::pair()?;
        feed.set_write_timeout(Some(LOOK))?;
        drain.set_read_timeout(Some(LOOK))?;
        let shared = Shared::default();
        let (feeding, draining) = (shared.clone(), shared.clone());
        thread::spawn(move || {
            let mut room = [0; 2 * LENGTH];
            while draining.goes_on() {
                if let Ok(length) = drain.recv(&mut room) {
                    draining.took(length);
                }
            }
        });
        thread::spawn(move || {
            while feeding.goes_on() {
                match direction {
                    // Its input stays open, and silent.
                    Direction::Up => thread::sleep(LOOK),
                    Direction::Down if feeding.may_send() => drop(feed.send(&[b'.'; LENGTH])),
                    Direction::Down => {}
                }
            }
        });
        let [stdin, stdout] = [stdin, stdout].map(|end| Stdio::from(OwnedFd::from(end)));
        Ok((Self(shared), stdin, stdout))
    }

    /// Tells it that one more has arrived at the client.
    pub fn arrived(&self) {
        self.0.arrived.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells it that what is on its way will not arrive.
    pub fn lost(&self) {
        let arrived = self.0.arrived.load(Ordering::Relaxed);
        self.0.sent.store(arrived, Ordering::Relaxed);
    }

    /// Whole payloads so far.
    pub fn taken(&self) -> u64 {
        self.0.taken.load(Ordering::Relaxed)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    /// Counts one, where it may be sent now.
    fn may_send(&self) -> bool {
        let arrived = self.arrived.load(Ordering::Relaxed);
        let may = self.sent.load(Ordering::Relaxed) < arrived + AHEAD;
        match may {
            true => drop(self.sent.fetch_add(1, Ordering::Relaxed)),
            false => thread::yield_now(),
        }
        may
    }

    /// What the program says beside is no payload.
    fn took(&self, length: usize) {
        if length == LENGTH {
            self.taken.fetch_add(1, Ordering::Relaxed);
        }
    }
}
