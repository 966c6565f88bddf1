//! A link for datagrams that does what links do: it loses, doubles, delays and reorders them, and drops what is too
//! large.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::net::UdpSocket;

/// What a link does to datagrams.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Of 100.
    pub lost: u32,
    /// Of 100.
    pub doubled: u32,
    /// Each takes up to so long, so that later ones overtake it.
    pub delay: Duration,
    /// The largest packet, in bytes, with an IPv6 and a UDP header.
    pub mtu: usize,
}

/// A link to one server, for any number of clients.
pub struct Link {
    address: SocketAddr,
    passed: Arc<Passed>,
}

/// Datagrams of application data that the link has delivered, none of them twice.
#[derive(Default)]
pub struct Passed {
    pub up: AtomicUsize,
    pub down: AtomicUsize,
    /// Whatever they were.
    pub too_large: AtomicUsize,
}

const HEADERS: usize = 40 + 8;

const LARGEST: usize = 1 << 16;

/// The first byte of a record under the key that holds data.
const APPLICATION_DATA: u8 = 23;

impl Link {
    /// `seed` decides what happens to each datagram, in the order in which they come.
    pub fn to(server: SocketAddr, line: Line, seed: u64) -> Self {
        let near = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = near.local_addr().expect("it is bound");
        near.set_nonblocking(true).expect("Linux can");
        let passed = Arc::<Passed>::default();
        let carrier = Carrier {
            line,
            lots: Arc::new(Mutex::new(Lots(seed | 1))),
            passed: Arc::clone(&passed),
        };
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("there are descriptors left");
            runtime.block_on(async {
                let near = UdpSocket::from_std(near).expect("a runtime runs");
                carrier.carry(Arc::new(near), server).await;
            });
        });
        Self { address, passed }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn passed(&self) -> &Passed {
        &self.passed
    }
}

#[derive(Clone)]
struct Carrier {
    line: Line,
    lots: Arc<Mutex<Lots>>,
    passed: Arc<Passed>,
}

impl Carrier {
    /// Each client has a socket of its own towards the server, as behind a NAT.
    async fn carry(self, near: Arc<UdpSocket>, server: SocketAddr) {
        let mut clients: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
        let mut buffer = vec![0; LARGEST];
        loop {
            let Ok((length, client)) = near.recv_from(&mut buffer).await else {
                continue;
            };
            let far = match clients.entry(client) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let far = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await;
                    let far = Arc::new(far.expect("a free port"));
                    far.connect(server).await.expect("loopback is there");
                    let back = self
                        .clone()
                        .carry_back(Arc::clone(&far), Arc::clone(&near), client);
                    tokio::spawn(back);
                    new.insert(far)
                }
            };
            self.pass(&buffer[..length], &self.passed.up, far, server);
        }
    }

    async fn carry_back(self, far: Arc<UdpSocket>, near: Arc<UdpSocket>, client: SocketAddr) {
        let mut buffer = vec![0; LARGEST];
        loop {
            // A server that is gone is one more loss.
            if let Ok(length) = far.recv(&mut buffer).await {
                self.pass(&buffer[..length], &self.passed.down, &near, client);
            }
        }
    }

    fn pass(&self, datagram: &[u8], count: &AtomicUsize, by: &Arc<UdpSocket>, to: SocketAddr) {
        let mut lots = self.lots.lock().unwrap_or_else(PoisonError::into_inner);
        if datagram.len() + HEADERS > self.line.mtu {
            self.passed.too_large.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if lots.of_100() < self.line.lost {
            return;
        }
        if datagram.first() == Some(&APPLICATION_DATA) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let copies = if lots.of_100() < self.line.doubled {
            2
        } else {
            1
        };
        for _ in 0..copies {
            let delay = self.line.delay * lots.of_100() / 100;
            let (by, datagram) = (Arc::clone(by), datagram.to_vec());
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                // A connected socket takes no other address than its own.
                let _ = match by.peer_addr() {
                    Ok(_) => by.send(&datagram).await,
                    Err(_) => by.send_to(&datagram, to).await,
                };
            });
        }
    }
}

/// Marsaglia's xorshift: the same numbers for the same seed.
struct Lots(u64);

impl Lots {
    fn of_100(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32 % 100
    }
}
