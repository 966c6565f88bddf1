//! Full handshakes per second, each with a first answer through the tunnel, since a TLS 1.3 client is done before its
//! server is.

use std::io;
use std::sync::atomic::Ordering;

use super::{Rate, drive};
use crate::failure::Failure;
use crate::plan::Plan;
use crate::server::Running;

pub const NAME: &str = "full handshakes";

/// Clients at a time.
pub const CLIENTS: usize = 8;

pub fn measure(server: &Running<'_>, plan: &Plan) -> Result<Rate, Failure> {
    let clients = vec![(); CLIENTS];
    let watched = drive(
        server.pid(),
        plan,
        clients,
        |(), done| {
            let mut tunnel = server.connect()?;
            // s_server answers with the line in reverse.
            tunnel
                .ask(b"x\n", &mut [0; 2])
                .map_err(|error| server.failed(error))?;
            tunnel.close();
            done.fetch_add(1, Ordering::Relaxed);
            Ok(())
        },
        || Ok(()),
    )?;
    let nothing = || server.failed(io::ErrorKind::TimedOut.into());
    watched.map(|watched| watched.rate).ok_or_else(nothing)
}
