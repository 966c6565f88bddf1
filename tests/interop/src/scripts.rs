//! What the scripts in `testdata` have in common: arguments, and the line that says where they listen.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use mcbn_tests_support::process::Process;

use crate::mtls::Stack;
use crate::stream::Stream;
use crate::{Credentials, Peer, Served, Version, reversed};

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

/// A peer that is one script: `ROLE WHAT VERSION IDENTITY KEY` are its arguments, or `ROLE WHAT VERSION FOLDER`.
pub trait Script {
    /// What it answers over HTTP.
    const PAGE: &'static str;

    /// The interpreter with the script, ready for the arguments.
    fn command() -> Command;
}

impl<S: Script> Peer for S {
    const PAGE: &str = S::PAGE;

    fn connect(to: SocketAddr, version: Version, credentials: Credentials) -> Stream {
        let port = to.port().to_string();
        Stream::Stdio(run::<S>("client", &port, version, credentials))
    }

    fn serve_http(version: Version, credentials: Credentials) -> Served {
        serve::<S>("http", version, credentials)
    }

    fn serve(version: Version, credentials: Credentials) -> Served {
        serve::<S>("reverse", version, credentials)
    }

    fn answer(sent: &[u8]) -> Vec<u8> {
        reversed(sent)
    }
}

impl<S: Script> Stack for S {
    const PAGE: &str = S::PAGE;

    fn connect(to: SocketAddr, version: Version, folder: &Path) -> Stream {
        let port = to.port().to_string();
        Stream::Stdio(run_with::<S>("client", &port, version, folder))
    }

    fn serve_http(version: Version, folder: &Path) -> Served {
        served(run_with::<S>("server", "http", version, folder))
    }

    fn serve(version: Version, folder: &Path) -> Served {
        served(run_with::<S>("server", "reverse", version, folder))
    }
}

fn serve<S: Script>(service: &str, version: Version, credentials: Credentials) -> Served {
    served(run::<S>("server", service, version, credentials))
}

fn served(process: Process) -> Served {
    let address = listening(&process);
    Served {
        process,
        address,
        folder: None,
    }
}

fn run<S: Script>(role: &str, what: &str, to: Version, credentials: Credentials) -> Process {
    let mut command = S::command();
    command
        .args([role, what, version(to)])
        .args([credentials.identity, credentials.key]);
    Process::start(command)
}

fn run_with<S: Script>(role: &str, what: &str, to: Version, folder: &Path) -> Process {
    let mut command = S::command();
    command.args([role, what, version(to)]).arg(folder);
    Process::start(command)
}
