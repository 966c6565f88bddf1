//! One turn of one server for one figure.

pub mod handshakes;
pub mod latency;
pub mod memory;
pub mod throughput;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::PATIENCE;
use crate::failure::Failure;
use crate::machine::processor_time;
use crate::plan::Plan;

/// How much was done in the window.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    pub per_second: f64,
    /// The same for each second of the server's processor time: what is left of the rate when the client and other
    /// programs are taken away.
    pub per_processor_second: f64,
}

/// A rate, and what else was looked at when the window began and when it ended.
#[derive(Clone, Copy, Debug)]
pub struct Watched<L> {
    pub rate: Rate,
    pub time: Duration,
    pub before: L,
    pub after: L,
}

/// Watches a count that others drive, for the window after the warm-up.
pub fn watch(pid: Option<u32>, plan: &Plan, count: impl Fn() -> u64) -> Result<Rate, Failure> {
    watch_also(pid, plan, count, || Ok(())).map(|watched| watched.rate)
}

/// The same, with something else to look at.
fn watch_also<L>(
    pid: Option<u32>,
    plan: &Plan,
    count: impl Fn() -> u64,
    look: impl Fn() -> Result<L, Failure>,
) -> Result<Watched<L>, Failure> {
    let look = || -> Result<(Instant, u64, f64, L), Failure> {
        let used = pid.map_or(Ok(0.0), processor_time)?;
        let seen = look()?;
        Ok((Instant::now(), count(), used, seen))
    };
    thread::sleep(plan.warm_up);
    let (start, counted, used, before) = look()?;
    thread::sleep(plan.window);
    let (end, counted_then, used_then, after) = look()?;
    Ok(Watched {
        rate: Rate::of(counted_then - counted, end - start, used_then - used),
        time: end - start,
        before,
        after,
    })
}

impl Rate {
    /// So much was done in this time, and in this processor time, in seconds.
    pub fn of(done: u64, time: Duration, processor_time: f64) -> Self {
        Self {
            per_second: done as f64 / time.as_secs_f64(),
            // A window may be shorter than the clock's step, where figures mean nothing anyway.
            per_processor_second: done as f64 / processor_time.max(0.01),
        }
    }
}

/// Threads that each take this step over and over, until the window is over and something has been done. None where
/// nothing ever is.
pub fn drive<W: Send, L>(
    pid: Option<u32>,
    plan: &Plan,
    workers: Vec<W>,
    step: impl Fn(&mut W, &AtomicU64) -> Result<(), Failure> + Sync,
    look: impl Fn() -> Result<L, Failure>,
) -> Result<Option<Watched<L>>, Failure> {
    let over = AtomicBool::new(false);
    let done = AtomicU64::new(0);
    let start = Instant::now();
    thread::scope(|scope| {
        let (over, done, step) = (&over, &done, &step);
        let work = |mut worker: W| {
            scope.spawn(move || {
                let nothing_yet =
                    || done.load(Ordering::Relaxed) == 0 && start.elapsed() < PATIENCE;
                while !over.load(Ordering::Relaxed) || nothing_yet() {
                    step(&mut worker, done)?;
                }
                Ok(())
            })
        };
        let threads: Vec<_> = workers.into_iter().map(work).collect();
        let watched = watch_also(pid, plan, || done.load(Ordering::Relaxed), look);
        over.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().expect("a client does not panic")?;
        }
        match done.load(Ordering::Relaxed) {
            0 => Ok(None),
            _ => watched.map(Some),
        }
    })
}
