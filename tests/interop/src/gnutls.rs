//! `gnutls-cli` and `gnutls-serv`.

use std::net::SocketAddr;

use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::peer::peer;
use mcbn_tests_support::port::on_free_port;
use mcbn_tests_support::process::{Process, contains};

use crate::stream::Stream;
use crate::{Credentials, Peer, Served, Version};

pub struct GnuTls;

impl Peer for GnuTls {
    const PAGE: &str = "This is <a href=\"https://www.gnu.org/software/gnutls\">GnuTLS</a>";

    fn connect(to: SocketAddr, version: Version, credentials: Credentials) -> Stream {
        let mut command = peer("gnutls-cli");
        command
            // What it has to tell people would stand among the data.
            .args(["--logfile", "/dev/stderr", "--no-ca-verification"])
            .args(["--pskusername", credentials.identity])
            .args(["--pskkey", credentials.key])
            .args(["--priority", priority(version)])
            .args(["--port", &to.port().to_string(), &to.ip().to_string()]);
        Stream::Stdio(Process::start(command))
    }

    fn serve_http(version: Version, credentials: Credentials) -> Served {
        serve("--http", version, credentials)
    }

    fn serve(version: Version, credentials: Credentials) -> Served {
        serve("--echo", version, credentials)
    }

    fn answer(sent: &[u8]) -> Vec<u8> {
        sent.to_vec()
    }
}

/// It listens on every address; nothing but the port can be said.
fn serve(service: &str, version: Version, credentials: Credentials) -> Served {
    let folder = Folder::new();
    let Credentials { identity, key } = credentials;
    let passwords = folder.file("passwords", format!("{identity}:{key}\n"));
    let (process, address) = on_free_port(
        |address| {
            let mut command = peer("gnutls-serv");
            command
                .arg(service)
                .args(["--port", &address.port().to_string()])
                .args(["--priority", priority(version)])
                .arg("--pskpasswd")
                .arg(&passwords);
            Process::start(command)
        },
        |seen| contains(&seen.stdout, b"done") || contains(&seen.stderr, b"done"),
    );
    Served {
        process,
        address,
        folder: Some(folder),
    }
}

pub fn priority(version: Version) -> &'static str {
    match version {
        Version::Tls12 => "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-PSK",
        Version::Tls13 => "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK:+DHE-PSK",
    }
}
