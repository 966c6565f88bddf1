//! tpm-psk with its key in a TPM, beside the TPM alone, and beside itself with the key in memory, which shows what the
//! handshakes cost without a TPM.
//!
//! The TPM is swtpm, as fast as this machine's processor makes it, or held back to be as slow as a chip. It runs on the
//! client's processors.

mod alone;
mod chip;
mod client;
mod server;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

pub use alone::alone;
pub use chip::TIME as CHIP_TIME;
pub use client::SUITE;
pub use server::{Bench, Kind, Running, Speed, Transport};

use crate::datagrams;
use crate::failure::Failure;
use crate::measure::{Rate, drive};
use crate::plan::Plan;

/// Clients at a time.
pub const CLIENTS: usize = 8;

/// What a turn shows.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    pub rate: Rate,
    /// Of the window, what the TPM was at work. None where none is asked.
    pub share: Option<f64>,
}

/// Full handshakes, or of the TPM alone keys.
pub fn measure(
    bench: &Bench,
    kind: Kind,
    speed: Speed,
    transport: Transport,
    plan: &Plan,
) -> Result<Turn, Failure> {
    match kind {
        Kind::TpmAlone => bench.tpm_alone(speed, plan),
        Kind::InTpm | Kind::InMemory => handshakes(&bench.start(kind, speed, transport)?, plan),
    }
}

/// In TLS 1.2 and DTLS 1.2 the server has the last word: it is done as well.
fn handshakes(server: &Running<'_>, plan: &Plan) -> Result<Turn, Failure> {
    let pid = Some(server.pid());
    let busy = || server.busy();
    let watched = match server.transport {
        Transport::Tcp => {
            let clients = vec![(); CLIENTS];
            let step = |(): &mut (), done: &AtomicU64| {
                server.connect_stream()?.close();
                done.fetch_add(1, Ordering::Relaxed);
                Ok(())
            };
            drive(pid, plan, clients, step, busy)
        }
        Transport::Udp => {
            let sockets = (0..CLIENTS).map(|_| datagrams::socket(server.address));
            let sockets = sockets.collect::<Result<_, _>>();
            let sockets: Vec<_> = sockets.map_err(|error| server.failed(error))?;
            let step = |socket: &mut _, done: &AtomicU64| {
                server.connect_datagrams(socket)?.close();
                done.fetch_add(1, Ordering::Relaxed);
                Ok(())
            };
            drive(pid, plan, sockets, step, busy)
        }
    }?;
    let watched = watched.ok_or_else(|| server.failed(io::ErrorKind::TimedOut.into()))?;
    let busy = watched.before.zip(watched.after);
    Ok(Turn {
        rate: watched.rate,
        share: busy.map(|(before, after)| (after - before) / watched.time.as_secs_f64()),
    })
}
