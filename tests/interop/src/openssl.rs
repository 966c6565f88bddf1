//! `openssl s_client` and `openssl s_server`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::Process;

use crate::mtls::Stack;
use crate::stream::Stream;
use crate::{Credentials, Peer, Served, Version};

pub struct OpenSsl;

impl Peer for OpenSsl {
    // With standard input at its end, s_client either leaves or says nothing.
    const HALF_CLOSE: bool = false;
    const PAGE: &str = "Ciphers supported in s_server binary";

    fn connect(to: SocketAddr, version: Version, credentials: Credentials) -> Stream {
        let mut command = s_client(to, version);
        command.arg("-quiet").args(psk(credentials));
        Stream::Stdio(Process::start(command))
    }

    fn serve_http(version: Version, credentials: Credentials) -> Served {
        let psk = psk(credentials);
        s_server(
            version,
            &["-www", "-nocert", psk[0], psk[1], psk[2], psk[3]],
        )
    }

    fn serve(version: Version, credentials: Credentials) -> Served {
        let psk = psk(credentials);
        s_server(
            version,
            &["-rev", "-nocert", psk[0], psk[1], psk[2], psk[3]],
        )
    }

    fn answer(sent: &[u8]) -> Vec<u8> {
        each_line_reversed(sent)
    }
}

fn each_line_reversed(sent: &[u8]) -> Vec<u8> {
    sent.split_inclusive(|byte| *byte == b'\n')
        .flat_map(|line| {
            let (end, text) = line.split_last().expect("a line has its end");
            text.iter().rev().chain([end]).copied().collect::<Vec<u8>>()
        })
        .collect()
}

impl Stack for OpenSsl {
    const HALF_CLOSE: bool = false;
    const PAGE: &str = "Ciphers supported in s_server binary";

    fn connect(to: SocketAddr, version: Version, folder: &Path) -> Stream {
        let mut command = s_client_certified(to, version, folder);
        command.arg("-quiet");
        Stream::Stdio(Process::start(command))
    }

    fn serve_http(version: Version, folder: &Path) -> Served {
        serve_certified(version, folder, "-www")
    }

    fn serve(version: Version, folder: &Path) -> Served {
        serve_certified(version, folder, "-rev")
    }

    fn answer(sent: &[u8]) -> Vec<u8> {
        each_line_reversed(sent)
    }
}

/// `openssl s_client`, held to one version, with what is in the folder of a [`Stack`].
pub fn s_client_certified(to: SocketAddr, version: Version, folder: &Path) -> Command {
    let mut command = s_client(to, version);
    command
        .current_dir(folder)
        .args(["-cert", "certificate.pem", "-key", "key.pem"])
        .args(["-CAfile", "ca.pem", "-verify_return_error"])
        .args(["-verify_ip", "127.0.0.1"]);
    command
}

fn serve_certified(version: Version, folder: &Path, mode: &str) -> Served {
    let path = |name| folder.join(name).display().to_string();
    let [certificate, key, ca] = ["certificate.pem", "key.pem", "ca.pem"].map(path);
    s_server(
        version,
        &[
            mode,
            "-cert",
            &certificate,
            "-key",
            &key,
            "-CAfile",
            &ca,
            "-Verify",
            "1",
            "-verify_return_error",
        ],
    )
}

/// `openssl s_client`, held to one version, without a key.
pub fn s_client(to: SocketAddr, version: Version) -> Command {
    let mut command = s_client_of_any_version(to);
    command.arg(flag(version));
    command
}

pub fn s_client_of_any_version(to: SocketAddr) -> Command {
    let mut command = peer("openssl");
    command.args(["s_client", "-noservername", "-connect", &to.to_string()]);
    command
}

pub fn psk(credentials: Credentials) -> [&'static str; 4] {
    [
        "-psk",
        credentials.key,
        "-psk_identity",
        credentials.identity,
    ]
}

/// `openssl s_server` on a free port, held to one version.
pub fn s_server(version: Version, arguments: &[&str]) -> Served {
    let mut command = peer("openssl");
    command
        .args(["s_server", "-accept", "127.0.0.1:0", flag(version)])
        .args(arguments);
    let process = Process::start(command);
    let address = process.wait(|seen| {
        let text = String::from_utf8_lossy(&seen.stdout);
        let (_, rest) = text.split_once("ACCEPT ")?;
        rest.split_once('\n')?.0.parse().ok()
    });
    Served {
        process,
        address,
        folder: None,
    }
}

fn flag(version: Version) -> &'static str {
    match version {
        Version::Tls12 => "-tls1_2",
        Version::Tls13 => "-tls1_3",
    }
}
