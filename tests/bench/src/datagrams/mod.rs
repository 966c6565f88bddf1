//! dtls-server beside two other servers of DTLS: handshakes, an echo, memory.
//!
//! The others serve one peer at a time; where they are measured, so is dtls-server.

mod client;
mod server;
mod service;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

pub use client::{ECHO, LENGTH, SUITE};
pub use server::{Bench, Kind, Role, Running};

use crate::failure::Failure;
use crate::machine::resident;
use crate::measure::throughput::Direction;
use crate::measure::{Rate, watch};
use crate::plan::Plan;

/// Datagrams that a peer has on their way.
pub const WINDOW: usize = 16;

/// After so long, what is on its way is lost. A socket's queue may overflow on loopback, too.
const LOST: Duration = Duration::from_millis(20);

/// Full handshakes by so many clients. In DTLS 1.2 the server has the last word.
pub fn handshakes(server: &Running<'_>, clients: usize, plan: &Plan) -> Result<Rate, Failure> {
    drive(server, clients, plan, |over, done| {
        let socket = server.socket()?;
        while !over.load(Ordering::Relaxed) {
            server.connect(&socket)?.close();
            done.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    })
}

/// Datagrams there and back, of so many peers.
pub fn echoes(server: &Running<'_>, peers: usize, plan: &Plan) -> Result<Rate, Failure> {
    drive(server, peers, plan, |over, done| {
        let mut peer = server.connect(&server.socket()?)?;
        let mut step = || {
            peer.wait_at_most(LOST)?;
            let mut away = 0;
            while !over.load(Ordering::Relaxed) {
                for _ in away..WINDOW {
                    peer.send::<ECHO>()?;
                }
                match peer.receive_echo()? {
                    true => {
                        away = WINDOW - 1;
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                    false => away = 0,
                }
            }
            Ok(())
        };
        step().map_err(|error| server.failed(error))
    })
}

/// Datagrams of one peer, one way, as many as arrive. Going up, those are the ones that reach what is behind the server.
pub fn one_way(server: &Running<'_>, direction: Direction, plan: &Plan) -> Result<Rate, Failure> {
    let rate = drive(server, 1, plan, |over, done| {
        let mut peer = server.connect(&server.socket()?)?;
        let mut step = || {
            peer.wait_at_most(LOST)?;
            // The first one shows where to send to.
            peer.send::<LENGTH>()?;
            let service = server.service.as_ref().expect("it passes them on");
            while !over.load(Ordering::Relaxed) {
                match direction {
                    Direction::Up => {
                        peer.send::<LENGTH>()?;
                        done.store(service.taken(), Ordering::Relaxed);
                    }
                    Direction::Down => match peer.discard() {
                        Ok(()) => {
                            service.arrived();
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => service.lost(),
                        Err(error) => return Err(error),
                    },
                }
            }
            Ok(())
        };
        step().map_err(|error| server.failed(error))
    })?;
    match rate.per_second {
        0.0 => Err(server.failed(io::Error::other("no datagram arrives"))),
        _ => Ok(rate),
    }
}

/// Threads that all do the same until the window is over.
fn drive(
    server: &Running<'_>,
    threads: usize,
    plan: &Plan,
    work: impl Fn(&AtomicBool, &AtomicU64) -> Result<(), Failure> + Sync,
) -> Result<Rate, Failure> {
    let over = AtomicBool::new(false);
    let done = AtomicU64::new(0);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| work(&over, &done)))
            .collect();
        let rate = watch(Some(server.pid()), plan, || done.load(Ordering::Relaxed));
        over.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().expect("a client does not panic")?;
        }
        rate
    })
}

/// Bytes of the server's resident memory for each peer that has been answered once and is left open.
pub fn memory(server: &Running<'_>, plan: &Plan) -> Result<f64, Failure> {
    // What a server allocates once is not counted.
    const BEFORE: usize = 16;
    let mut open = Vec::new();
    let mut one_more = || -> Result<(), Failure> {
        let mut peer = server.connect(&server.socket()?)?;
        let answered = peer.send::<ECHO>().and_then(|()| peer.receive_echo());
        match answered.map_err(|error| server.failed(error))? {
            true => open.push(peer),
            false => return Err(server.failed(io::ErrorKind::TimedOut.into())),
        }
        Ok(())
    };
    for _ in 0..BEFORE {
        one_more()?;
    }
    let before = resident(server.pid())?;
    for _ in 0..plan.idle {
        one_more()?;
    }
    Ok((resident(server.pid())? - before) / plan.idle as f64)
}
