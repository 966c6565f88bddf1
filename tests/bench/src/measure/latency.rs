//! How long a small request and its answer take, one at a time on an open connection.

use std::time::Instant;

use crate::failure::Failure;
use crate::figures::percentile;
use crate::plan::Plan;
use crate::server::Running;

pub const NAME: &str = "latency";

/// Bytes of a request, and of its answer.
pub const LENGTH: usize = 64;

/// Of one turn, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    pub p50: f64,
    pub p99: f64,
}

pub fn measure(server: &Running<'_>, plan: &Plan) -> Result<Latency, Failure> {
    let mut line = [b'x'; LENGTH];
    line[LENGTH - 1] = b'\n';
    let mut room = [0; LENGTH];
    let mut tunnel = server.connect()?;
    let start = Instant::now();
    let mut taken = Vec::new();
    loop {
        let asked = Instant::now();
        tunnel
            .ask(&line, &mut room)
            .map_err(|error| server.failed(error))?;
        if start.elapsed() > plan.warm_up {
            taken.push(asked.elapsed().as_secs_f64() * 1e6);
        }
        // At least one, on however slow a machine.
        if start.elapsed() > plan.warm_up + plan.window && !taken.is_empty() {
            break;
        }
    }
    tunnel.close();
    taken.sort_by(f64::total_cmp);
    let at = |share| percentile(&taken, share).expect("there is at least one");
    Ok(Latency {
        p50: at(0.5),
        p99: at(0.99),
    })
}
