//! What the scripts in `testdata` have in common: arguments, and the line that says where they listen.

use std::net::{Ipv4Addr, SocketAddr};

use mcbn_tests_support::process::Process;

use crate::Version;

pub(crate) fn version(version: Version) -> &'static str {
    match version {
        Version::Tls12 => "TLSv1.2",
        Version::Tls13 => "TLSv1.3",
    }
}

/// Waits for `listening PORT`.
pub(crate) fn listening(process: &Process) -> SocketAddr {
    let port = process.wait(|seen| {
        let text = String::from_utf8_lossy(&seen.stdout);
        text.strip_prefix("listening ")?
            .split_once('\n')?
            .0
            .parse()
            .ok()
    });
    (Ipv4Addr::LOCALHOST, port).into()
}
