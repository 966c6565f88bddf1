//! psk-server and psk-client, with the key of the published shares.

use std::net::SocketAddr;

use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::shares::Shares;
use mcbn_tests_support::workload::workload;
use rustix::process::Signal;
use serde_json::Value;

use crate::Version;
use crate::stream::Stream;

/// A running psk-server.
pub struct Server {
    process: Process,
    address: SocketAddr,
    _shares: Shares,
}

impl Server {
    /// Starts it on a port of its own. `version` is the oldest that it takes.
    pub fn start(version: Version, more: &[&str]) -> Self {
        let shares = Shares::published();
        let mut command = workload("psk-server");
        command
            .args(shares.flags())
            .args(["--listen=127.0.0.1:0", "--log-level=debug"])
            .args(version.flag())
            .args(more);
        let process = Process::start(command);
        let address = listening(&process);
        Self {
            process,
            address,
            _shares: shares,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it has refused a handshake, and gives the reason that it logs.
    pub fn refusal(&self) -> String {
        let event = self.process.wait_for_message("handshake failed");
        event["reason"].as_str().expect("a word").to_owned()
    }

    /// Ends it by SIGTERM, which must succeed, and gives what it wrote.
    pub fn drain(self) -> Ended {
        self.process.signal(Signal::TERM);
        let ended = self.process.end();
        ended.expect_code(0);
        ended
    }

    pub fn process(&self) -> &Process {
        &self.process
    }
}

/// Starts psk-client for `server`. `version` is the oldest that it takes.
pub fn client(version: Version, server: SocketAddr, mode: &[&str]) -> Process {
    client_with(version, server, mode, &[])
}

/// The same with variables in its environment.
pub fn client_with(
    version: Version,
    server: SocketAddr,
    mode: &[&str],
    variables: &[(&str, &str)],
) -> Process {
    let shares = Shares::published();
    let mut command = workload("psk-client");
    command
        .args(shares.flags())
        .arg(format!("--server={server}"))
        .args(version.flag())
        .args(mode)
        .envs(variables.iter().copied());
    let process = Process::start(command);
    KEPT.with(|kept| kept.borrow_mut().push(shares));
    process
}

/// A connection through psk-client's local port.
pub fn tunnel(version: Version, server: SocketAddr) -> Stream {
    let process = client(version, server, &["--listen=127.0.0.1:0"]);
    let address = listening(&process);
    Stream::through(process, address, None)
}

thread_local! {
    /// Each test has a thread of its own: its share files stay until its end.
    static KEPT: std::cell::RefCell<Vec<Shares>> = const { std::cell::RefCell::new(Vec::new()) };
}

pub(crate) fn listening(process: &Process) -> SocketAddr {
    let address = |event: Value| event["address"].as_str()?.parse().ok();
    address(process.wait_for_message("listening")).expect("the event names the address")
}

impl Version {
    fn flag(self) -> Option<&'static str> {
        match self {
            Self::Tls12 => Some("--tls12"),
            Self::Tls13 => None,
        }
    }
}
