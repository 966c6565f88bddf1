//! Ports for peers that cannot be given port 0.

use std::fs::File;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::process::{Captured, Process};

/// How often another program may take the port first.
const TRIES: u32 = 10;

/// Starts a peer that must be told its port. Where someone else has taken the port meanwhile, starts it on another.
///
/// `is_ready` sees all that the peer has written so far. A peer that ends before it is ready, and does not say that
/// its port was in use, fails the test.
pub fn on_free_port(
    mut start: impl FnMut(SocketAddr) -> Process,
    is_ready: impl Fn(&Captured) -> bool,
) -> (Process, SocketAddr) {
    for _ in 0..TRIES {
        let address = free_on(Ipv4Addr::LOCALHOST);
        let process = start(address);
        let ready = process.wait(|seen| match is_ready(seen) {
            true => Some(true),
            false if seen.is_over() => Some(false),
            false => None,
        });
        if ready {
            return (process, address);
        }
        let ended = process.end();
        assert!(
            ended.all().to_lowercase().contains("in use"),
            "a peer ended before it was ready: {ended}"
        );
    }
    panic!("{TRIES} ports in a row were taken by others");
}

/// An address that nobody else takes before a program of this test does: loopback has sixteen million of them.
pub fn reserved() -> SocketAddr {
    let mut bytes = [0; 3];
    File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut bytes))
        .expect("Linux has it");
    let [a, b, c] = bytes;
    // Not 127.0.0.0/16, where everyone else is, and no broadcast address.
    let address = Ipv4Addr::new(127, a | 1, b, c.clamp(1, 254));
    free_on(address)
}

/// A port of this address that was free just now.
pub fn free_on(address: Ipv4Addr) -> SocketAddr {
    TcpListener::bind((address, 0))
        .and_then(|listener| listener.local_addr())
        .expect("the address is this machine's, and has a free port")
}
