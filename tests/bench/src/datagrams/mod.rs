//! dtls-server beside two other servers of DTLS: handshakes, an echo, memory.
//!
//! The others serve one peer at a time; where they are measured, so is dtls-server.

mod client;
mod server;
mod service;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use client::{Client, ECHO, LENGTH, Peer, SUITE, socket};
pub use server::{Bench, Kind, Role, Running};

use crate::failure::Failure;
use crate::machine::resident;
use crate::measure::throughput::Direction;
use crate::measure::{self, Rate};
use crate::plan::Plan;

/// Datagrams that a peer has on their way.
pub const WINDOW: usize = 16;

/// After so long, what is on its way is lost. A socket's queue may overflow on loopback, too.
const LOST: Duration = Duration::from_millis(20);

/// Full handshakes by so many clients. In DTLS 1.2 the server has the last word.
pub fn handshakes(server: &Running<'_>, clients: usize, plan: &Plan) -> Result<Rate, Failure> {
    let sockets = (0..clients).map(|_| server.socket());
    drive(
        server,
        plan,
        sockets.collect::<Result<_, _>>()?,
        |socket, done| {
            server.connect(socket)?.close();
            done.fetch_add(1, Ordering::Relaxed);
            Ok(())
        },
    )
}

/// Datagrams there and back, of so many peers.
pub fn echoes(server: &Running<'_>, peers: usize, plan: &Plan) -> Result<Rate, Failure> {
    let peers = (0..peers).map(|_| Ok((connected(server)?, 0)));
    let peers = peers.collect::<Result<_, _>>()?;
    drive(
        server,
        plan,
        peers,
        |(peer, away): &mut (Peer, usize), done| {
            let mut step = || {
                for _ in *away..WINDOW {
                    peer.send::<ECHO>()?;
                }
                *away = 0;
                if peer.receive_echo()? {
                    *away = WINDOW - 1;
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            };
            step().map_err(|error| server.failed(error))
        },
    )
}

/// Datagrams of one peer, one way, as many as arrive. Going up, those are the ones that reach what is behind the server.
pub fn one_way(server: &Running<'_>, direction: Direction, plan: &Plan) -> Result<Rate, Failure> {
    let service = server.service.as_ref().expect("it passes them on");
    let mut peer = connected(server)?;
    // It shows where to send to.
    peer.send::<LENGTH>()
        .map_err(|error| server.failed(error))?;
    drive(server, plan, vec![peer], |peer, done| {
        let mut step = || match direction {
            Direction::Up => {
                peer.send::<LENGTH>()?;
                done.store(service.taken(), Ordering::Relaxed);
                Ok(())
            }
            Direction::Down => match peer.discard() {
                Ok(()) => {
                    service.arrived();
                    done.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    service.lost();
                    peer.send::<LENGTH>()
                }
                Err(error) => Err(error),
            },
        };
        step().map_err(|error| server.failed(error))
    })
}

/// A peer that waits for a datagram only until it must be lost.
fn connected(server: &Running<'_>) -> Result<Peer, Failure> {
    let peer = server.connect(&server.socket()?)?;
    let waiting = peer.wait_at_most(LOST);
    waiting.map_err(|error| server.failed(error))?;
    Ok(peer)
}

/// Threads that each take this step over and over.
fn drive<W: Send>(
    server: &Running<'_>,
    plan: &Plan,
    workers: Vec<W>,
    step: impl Fn(&mut W, &AtomicU64) -> Result<(), Failure> + Sync,
) -> Result<Rate, Failure> {
    let watched = measure::drive(Some(server.pid()), plan, workers, step, || Ok(()))?;
    let nothing = || server.failed(io::Error::other("nothing arrives"));
    watched.map(|watched| watched.rate).ok_or_else(nothing)
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
