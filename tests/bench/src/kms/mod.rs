//! kms-mtls with its key in a double of Cloud KMS, beside the same calls to that double alone, which shows what the
//! handshakes cost beyond the signatures, and beside a server whose key is in memory; and through a tunnel of its own
//! client, which resumes, or does not.
//!
//! Clients of the key in memory pause before each handshake for as long as a signature would take: what wakes up from a
//! pause is slower than what never sleeps, whoever has the key.
//!
//! The double runs on the client's processors. It makes [`SIGNERS`] signatures at a time, and each takes as long as it is
//! told.

mod alone;
mod client;
mod server;

use std::thread;
use std::time::{Duration, Instant};

pub use alone::alone;
pub use server::{Bench, Kind};

use crate::failure::Failure;
use crate::figures::percentile;
use crate::plan::Plan;

/// Signatures that the double makes at a time.
pub const SIGNERS: usize = 16;

/// What a turn shows.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    pub per_second: f64,
    /// Of one, in microseconds.
    pub p50: f64,
    /// Of both ends, for each that was done. None where that is not asked.
    pub signatures: Option<f64>,
}

/// Full handshakes up to the first answer, or of the calls alone signatures, by so many at a time.
pub fn measure(
    bench: &Bench,
    kind: Kind,
    (each, clients): (Duration, usize),
    plan: &Plan,
) -> Result<Turn, Failure> {
    bench.sign_in(each);
    if kind == Kind::CallsAlone {
        return bench.calls_alone(clients, plan);
    }
    let server = bench.start(kind)?;
    let pause = match kind {
        Kind::KeyInMemory => each,
        _ => Duration::ZERO,
    };
    repeat(clients, plan, pause, || server.handshake()).map(|(turn, _)| turn)
}

/// Connections through a tunnel up to the first answer.
pub fn measure_tunnel(
    bench: &Bench,
    kind: Kind,
    (each, clients): (Duration, usize),
    plan: &Plan,
) -> Result<Turn, Failure> {
    bench.sign_in(each);
    let tunnel = bench.tunnel(kind)?;
    // The first has nothing to resume.
    tunnel.connect()?;
    let before = bench.signatures();
    let (turn, all) = repeat(clients, plan, Duration::ZERO, || tunnel.connect())?;
    Ok(Turn {
        signatures: Some((bench.signatures() - before) as f64 / all as f64),
        ..turn
    })
}

/// Takes this step over and over after a pause, by so many at a time, until the window is over and each has done it once
/// in the window. Counts those outside of the window too.
fn repeat(
    workers: usize,
    plan: &Plan,
    pause: Duration,
    step: impl Fn() -> Result<(), Failure> + Sync,
) -> Result<(Turn, u64), Failure> {
    let start = Instant::now();
    let work = || -> Result<(Vec<f64>, u64), Failure> {
        let (mut taken, mut steps) = (Vec::new(), 0);
        while start.elapsed() < plan.warm_up + plan.window || taken.is_empty() {
            thread::sleep(pause);
            let begun = Instant::now();
            step()?;
            steps += 1;
            if begun - start >= plan.warm_up {
                taken.push(begun.elapsed().as_secs_f64() * 1e6);
            }
        }
        Ok((taken, steps))
    };
    let (mut taken, mut all) = (Vec::new(), 0);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            let (of_one, steps) = thread.join().expect("a client does not panic")?;
            taken.extend(of_one);
            all += steps;
        }
        Ok(())
    })?;
    let time = start.elapsed() - plan.warm_up;
    Ok((Turn::of(taken, time), all))
}

impl Turn {
    /// Of the times of each, in microseconds: at least one.
    fn of(mut taken: Vec<f64>, time: Duration) -> Self {
        taken.sort_by(f64::total_cmp);
        Self {
            per_second: taken.len() as f64 / time.as_secs_f64(),
            p50: percentile(&taken, 0.5).expect("there is at least one"),
            signatures: None,
        }
    }
}
