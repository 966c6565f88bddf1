//! One turn of one server for one figure.

pub mod handshakes;
pub mod latency;
pub mod memory;
pub mod throughput;

use std::thread;
use std::time::Instant;

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

/// Watches a count that others drive, for the window after the warm-up.
pub fn watch(pid: Option<u32>, plan: &Plan, count: impl Fn() -> u64) -> Result<Rate, Failure> {
    let look = || -> Result<(Instant, u64, f64), Failure> {
        let used = pid.map_or(Ok(0.0), processor_time)?;
        Ok((Instant::now(), count(), used))
    };
    thread::sleep(plan.warm_up);
    let (start, counted, used) = look()?;
    thread::sleep(plan.window);
    let (end, counted_then, used_then) = look()?;
    let done = (counted_then - counted) as f64;
    Ok(Rate {
        per_second: done / (end - start).as_secs_f64(),
        // A window may be shorter than the clock's step, where figures mean nothing anyway.
        per_processor_second: done / (used_then - used).max(0.01),
    })
}
