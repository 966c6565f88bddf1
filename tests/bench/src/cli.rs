//! What was typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use lexopt::prelude::*;

use crate::network;
use crate::plan::Plan;

pub const HELP: &str = "\
Usage: bench --psk-server FILE --dtls-server FILE --digests FILE [--quick|--smoke]

Measures psk-server beside stunnel and openssl s_server, and dtls-server beside openssl s_server and gnutls-serv, which it
finds on the PATH, and prints two tables. `./bazelw run //tests/bench` gives the three files;
`./bazelw run //tests/bench -- --quick` adds a flag.

  --psk-server FILE   the program to measure
  --dtls-server FILE  the other one
  --digests FILE      digests.lock, which has the size of its image
  --quick             under a minute in place of six, with more noise
  --only TEXT         only figures whose name has this text, such as upload
  --smoke             seconds, with figures that mean nothing: shows that it works
";

pub enum Task {
    Bench(Asked),
    /// The plain TCP proxy, which this program starts as a process of its own.
    Proxy(SocketAddr),
    Help,
}

pub struct Asked {
    pub psk_server: PathBuf,
    pub dtls_server: PathBuf,
    pub digests: PathBuf,
    pub plan: Plan,
    /// What the names of the wanted figures have.
    pub only: String,
    /// Whether this process is already where the run belongs.
    pub in_own_network: bool,
}

pub fn read() -> Result<Task, lexopt::Error> {
    let mut parser = lexopt::Parser::from_env();
    let (mut psk_server, mut dtls_server, mut digests) = (None, None, None);
    let (mut plan, mut only) = (Plan::FULL, String::new());
    let mut in_own_network = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Long("psk-server") => psk_server = Some(parser.value()?.into()),
            Long("dtls-server") => dtls_server = Some(parser.value()?.into()),
            Long("digests") => digests = Some(parser.value()?.into()),
            Long("quick") => plan = Plan::QUICK,
            Long("only") => only = parser.value()?.string()?,
            Long("smoke") => plan = Plan::SMOKE,
            Long(network::INSIDE) => in_own_network = true,
            Long("plain-proxy") => return Ok(Task::Proxy(parser.value()?.parse()?)),
            Long("help") => return Ok(Task::Help),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Task::Bench(Asked {
        psk_server: psk_server.ok_or("--psk-server is missing")?,
        dtls_server: dtls_server.ok_or("--dtls-server is missing")?,
        digests: digests.ok_or("--digests is missing")?,
        plan,
        only,
        in_own_network,
    }))
}
