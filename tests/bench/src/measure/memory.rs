//! What a connection costs in memory while it idles.

use std::io;

use crate::failure::Failure;
use crate::machine::resident;
use crate::plan::Plan;
use crate::server::Running;

pub const NAME: &str = "memory of idle connections";

/// Connections before the first look: what a server allocates once is not counted.
const BEFORE: usize = 16;

/// Bytes of the server's resident memory for each connection that has answered once and is left open.
pub fn measure(server: &Running<'_>, plan: &Plan) -> Result<f64, Failure> {
    let pid = server
        .pid()
        .ok_or_else(|| server.failed(io::Error::other("it is no process")))?;
    let mut open = Vec::new();
    let mut one_more = || -> Result<(), Failure> {
        let mut tunnel = server.connect()?;
        tunnel
            .ask(b"x\n", &mut [0; 2])
            .map_err(|error| server.failed(error))?;
        open.push(tunnel);
        Ok(())
    };
    for _ in 0..BEFORE {
        one_more()?;
    }
    let before = resident(pid)?;
    for _ in 0..plan.idle {
        one_more()?;
    }
    Ok((resident(pid)? - before) / plan.idle as f64)
}
