//! What the tests share that start real programs: processes with deadlines, temporary files, ports, a relay that records.
//!
//! Nothing here waits for time to pass: it waits for a line, a byte or an end, and gives up at [`DEADLINE`]. Whatever is
//! not there (a peer, a program, an expected line) fails the test and says so; nothing is skipped.

#![forbid(unsafe_code)]

pub mod apart;
pub mod confidential_space;
pub mod folder;
pub mod google_cloud;
pub mod lossy;
pub mod peer;
pub mod plain;
pub mod port;
pub mod process;
pub mod record;
pub mod relay;
mod service;
pub mod session_keys;
pub mod shares;
pub mod swtpm;
pub mod workload;

use std::time::Duration;

/// The longest that anything may take: far more than a busy machine needs, and less than a test runner allows.
pub const DEADLINE: Duration = Duration::from_secs(60);
