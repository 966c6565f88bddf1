//! Full handshakes per second, each with a first answer through the tunnel, since a TLS 1.3 client is done before its
//! server is.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::{Rate, watch};
use crate::failure::Failure;
use crate::plan::Plan;
use crate::server::Running;

pub const NAME: &str = "full handshakes";

/// Clients at a time.
pub const CLIENTS: usize = 8;

pub fn measure(server: &Running<'_>, plan: &Plan) -> Result<Rate, Failure> {
    let over = AtomicBool::new(false);
    let done = AtomicU64::new(0);
    thread::scope(|scope| {
        let one_after_another = || {
            while !over.load(Ordering::Relaxed) {
                let mut tunnel = server.connect()?;
                // s_server answers with the line in reverse.
                tunnel
                    .ask(b"x\n", &mut [0; 2])
                    .map_err(|error| server.failed(error))?;
                tunnel.close();
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        };
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(one_after_another))
            .collect();
        let rate = watch(server.pid(), plan, || done.load(Ordering::Relaxed));
        over.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().expect("a client does not panic")?;
        }
        rate
    })
}
