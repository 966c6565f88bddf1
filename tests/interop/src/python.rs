//! Python's `ssl`, with `set_psk_client_callback` and `set_psk_server_callback`, in TLS 1.3 as well.

use std::net::SocketAddr;

use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::Process;

use crate::stream::Stream;
use crate::{Credentials, Peer, Served, Version, reversed, scripts};

pub struct Python;

impl Peer for Python {
    const PAGE: &str = "a page of python";

    fn connect(to: SocketAddr, version: Version, credentials: Credentials) -> Stream {
        Stream::Stdio(run("client", &to.port().to_string(), version, credentials))
    }

    fn serve_http(version: Version, credentials: Credentials) -> Served {
        serve("http", version, credentials)
    }

    fn serve(version: Version, credentials: Credentials) -> Served {
        serve("reverse", version, credentials)
    }

    fn answer(sent: &[u8]) -> Vec<u8> {
        reversed(sent)
    }
}

fn serve(service: &str, version: Version, credentials: Credentials) -> Served {
    let process = run("server", service, version, credentials);
    let address = scripts::listening(&process);
    Served {
        process,
        address,
        folder: None,
    }
}

fn run(role: &str, what: &str, version: Version, credentials: Credentials) -> Process {
    let mut command = peer("python3");
    command
        .arg("-c")
        .arg(include_str!("../testdata/peer.py"))
        .args([role, what, scripts::version(version)])
        .args([credentials.identity, credentials.key]);
    Process::start(command)
}
