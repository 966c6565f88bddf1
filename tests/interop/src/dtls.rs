//! dtls-server and dtls-client, and the DTLS programs of others, with the key of the published shares.

use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::time::Duration;

use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::peer::peer;
use mcbn_tests_support::port::on_free_port;
use mcbn_tests_support::process::{Process, contains};
use mcbn_tests_support::shares::{DTLS_KEY, IDENTITY, Shares, WRONG_KEY};
use mcbn_tests_support::workload::workload;

use crate::certificate::Certificate;
use crate::scripts;
use crate::{Credentials, Served};

pub const RIGHT: Credentials = Credentials {
    identity: IDENTITY,
    key: DTLS_KEY,
};

pub const WRONG: Credentials = Credentials {
    identity: IDENTITY,
    key: WRONG_KEY,
};

pub const UNKNOWN: Credentials = Credentials {
    identity: "Client2",
    key: DTLS_KEY,
};

/// One of ours that runs, with the files that it reads.
pub struct Ours {
    pub process: Process,
    pub address: SocketAddr,
    _shares: Shares,
}

/// dtls-server on a port of its own.
pub fn server(more: &[&str]) -> Ours {
    listening(
        "dtls-server",
        &[&["--listen=127.0.0.1:0", "--log-level=debug"], more].concat(),
    )
}

/// dtls-client with a local port.
pub fn tunnel(server: SocketAddr, more: &[&str]) -> Ours {
    let server = format!("--server={server}");
    listening(
        "dtls-client",
        &[&[server.as_str(), "--listen=127.0.0.1:0"], more].concat(),
    )
}

fn listening(program: &str, arguments: &[&str]) -> Ours {
    let shares = Shares::published();
    let mut command = workload(program);
    command.args(shares.flags()).args(arguments);
    let process = Process::start(command);
    let event = process.wait_for_message("listening");
    let address = event["address"].as_str().and_then(|text| text.parse().ok());
    Ours {
        process,
        address: address.expect("the event names the address"),
        _shares: shares,
    }
}

/// `dtls-client --send`.
pub fn send(server: SocketAddr, text: &str, more: &[&str]) -> (Process, Shares) {
    let shares = Shares::published();
    let mut command = workload("dtls-client");
    command
        .args(shares.flags())
        .arg(format!("--server={server}"))
        .arg(format!("--send={text}"))
        .args(more);
    (Process::start(command), shares)
}

/// `openssl s_client`, held to one cipher suite.
pub fn s_client(to: SocketAddr, credentials: Credentials, suite: &str) -> Process {
    let mut command = peer("openssl");
    command
        .args(["s_client", "-dtls1_2", "-quiet", "-noservername"])
        .args(["-connect", &to.to_string(), "-cipher", suite])
        .args(["-psk", credentials.key])
        .args(["-psk_identity", credentials.identity]);
    Process::start(command)
}

/// `openssl s_server` on a free port, held to one cipher suite. What is written to it goes to its client.
pub fn s_server(credentials: Credentials, suite: &str, more: &[&str]) -> Served {
    s_server_by(|command| {
        command
            .args(["-nocert", "-cipher", suite])
            .args(["-psk", credentials.key])
            .args(["-psk_identity", credentials.identity])
            .args(more);
    })
}

/// The same with a certificate and no key.
pub fn s_server_with(certificate: &Certificate) -> Served {
    s_server_by(|command| {
        command.args(certificate.flags());
    })
}

fn s_server_by(authenticated: impl Fn(&mut Command)) -> Served {
    let (process, address) = on_free_port(
        |address| {
            let mut command = peer("openssl");
            command.args(["s_server", "-dtls1_2", "-accept", &address.to_string()]);
            authenticated(&mut command);
            Process::start(command)
        },
        |seen| contains(&seen.stdout, b"ACCEPT"),
    );
    Served {
        process,
        address,
        folder: None,
    }
}

/// `gnutls-cli`, held to one key exchange and cipher.
pub fn gnutls_cli(to: SocketAddr, credentials: Credentials, suite: &str) -> Process {
    let mut command = peer("gnutls-cli");
    command
        .args(["--udp", "--logfile", "/dev/stderr", "--no-ca-verification"])
        .args(["--pskusername", credentials.identity])
        .args(["--pskkey", credentials.key])
        .args(["--priority", &priority(suite)])
        .args(["--port", &to.port().to_string(), &to.ip().to_string()]);
    Process::start(command)
}

/// `gnutls-serv`, which answers with what it gets. It listens on every address.
pub fn gnutls_serv(credentials: Credentials, suite: &str) -> Served {
    let folder = Folder::new();
    let Credentials { identity, key } = credentials;
    let passwords = folder.file("passwords", format!("{identity}:{key}\n"));
    let (process, address) = on_free_port(
        |address| {
            let mut command = peer("gnutls-serv");
            command
                .args(["--udp", "--echo", "--port", &address.port().to_string()])
                .args(["--priority", &priority(suite)])
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

/// mbedTLS, held to one cipher suite by its number, as a client that sends lines.
pub fn mbedtls_client(to: SocketAddr, credentials: Credentials, suite: &str) -> Process {
    mbedtls(&["client", &to.port().to_string()], credentials, suite)
}

/// mbedTLS, held to one cipher suite by its number, as a server that answers with what it gets.
pub fn mbedtls_server(credentials: Credentials, suite: &str) -> Served {
    let process = mbedtls(&["server"], credentials, suite);
    Served {
        address: scripts::listening(&process),
        process,
        folder: None,
    }
}

fn mbedtls(role: &[&str], credentials: Credentials, suite: &str) -> Process {
    let mut command = peer("python3");
    command
        .arg("-c")
        .arg(include_str!("../testdata/mbedtls.py"))
        .args(role)
        .args([suite, credentials.identity, credentials.key]);
    Process::start(command)
}

fn priority(suite: &str) -> String {
    format!("NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:-CIPHER-ALL:{suite}")
}

/// A plain UDP program that sends to `to`.
pub fn plain(to: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.connect(to).expect("loopback is there");
    socket.set_read_timeout(Some(DEADLINE)).expect("not zero");
    socket
}

/// The next datagram, if one comes within `wait`.
pub fn next(socket: &UdpSocket, wait: Duration) -> Option<Vec<u8>> {
    socket.set_read_timeout(Some(wait)).expect("not zero");
    let mut buffer = [0; 2048];
    let length = socket.recv(&mut buffer).ok()?;
    Some(buffer[..length].to_vec())
}
