//! stunnel, which takes keys from `PSKsecrets`.

use std::net::SocketAddr;

use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::peer::peer;
use mcbn_tests_support::plain::{self, Plain};
use mcbn_tests_support::port::on_free_port;
use mcbn_tests_support::process::{Process, contains};

use crate::stream::Stream;
use crate::{Credentials, Peer, Served, Version, reversed, scripts};

pub struct Stunnel;

impl Peer for Stunnel {
    const PAGE: &str = plain::PAGE;

    fn connect(to: SocketAddr, version: Version, credentials: Credentials) -> Stream {
        let more = format!("client = yes\nPSKidentity = {}", credentials.identity);
        let served = start(to, &more, version, credentials);
        Stream::through(served.process, served.address, served.folder)
    }

    fn serve_http(version: Version, credentials: Credentials) -> Served {
        start(Plain::http().address(), "", version, credentials)
    }

    fn serve(version: Version, credentials: Credentials) -> Served {
        start(Plain::reversing().address(), "", version, credentials)
    }

    fn answer(sent: &[u8]) -> Vec<u8> {
        reversed(sent)
    }
}

/// stunnel from a free port to `to`.
fn start(to: SocketAddr, more: &str, version: Version, credentials: Credentials) -> Served {
    let folder = Folder::new();
    let Credentials { identity, key } = credentials;
    let secrets = folder.file("secrets", format!("{identity}:{key}\n"));
    let version = scripts::version(version);
    let (process, address) = on_free_port(
        |accept| {
            let config = format!(
                "foreground = yes\n\
                 debug = debug\n\
                 [tunnel]\n\
                 accept = {accept}\n\
                 connect = {to}\n\
                 sslVersion = {version}\n\
                 ciphers = PSK\n\
                 PSKsecrets = {}\n\
                 {more}\n",
                secrets.display()
            );
            let mut command = peer("stunnel");
            command.arg(folder.file(&format!("{}.conf", accept.port()), config));
            Process::start(command)
        },
        |seen| contains(&seen.stderr, b"bound to"),
    );
    Served {
        process,
        address,
        folder: Some(folder),
    }
}
