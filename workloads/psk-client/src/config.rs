//! The table of settings, and what is made of it.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::str::FromStr;

use hyper::Uri;
use mcbn_consent::settings as shares;
use mcbn_psk::settings::{self as key, KeyConfig};
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_tunnel::settings::{self as connection, Timeouts};
use mcbn_tunnel::target::Target;

use crate::error::Error;

pub const PROGRAM: Program = Program::new(
    "psk-client",
    env!("CARGO_PKG_VERSION"),
    "Reaches a TLS server that asks for a key made of every participant's share: for one HTTP request, for standard \
     input and output, or for programs that connect to a local port.",
    &[
        SERVER,
        GET,
        STDIO,
        LISTEN,
        INSECURE_PLAINTEXT_LISTEN,
        shares::SHARE,
        shares::MANIFEST,
        shares::DERIVATION,
        shares::THRESHOLD,
        shares::MANIFEST_DIGEST,
        shares::CONSENT_TIMEOUT,
        shares::TOKEN_SOCKET,
        key::IDENTITY,
        key::TLS12,
        connection::MAX_CONNECTIONS,
        connection::HANDSHAKE_TIMEOUT,
        connection::IDLE_TIMEOUT,
        connection::CONNECT_TIMEOUT,
        connection::DNS_SERVER,
    ],
    &[],
);

const SERVER: Setting = Setting::value(
    "server",
    "HOST:PORT|srv:NAME",
    "where the server is; with several, the next one is tried when one cannot be reached",
)
.repeat()
.required()
.operator();

const GET: Setting = Setting::value(
    "get",
    "PATH",
    "send one HTTP GET request and write the body of the answer to standard output",
)
.operator();

const STDIO: Setting = Setting::switch(
    "stdio",
    "send standard input to the server and write what it answers to standard output",
)
.operator();

const LISTEN: Setting = Setting::value(
    "listen",
    "ADDR:PORT",
    "accept plain connections here, on a loopback address, and tunnel each to the server",
)
.operator();

const INSECURE_PLAINTEXT_LISTEN: Setting = Setting::switch(
    "insecure-plaintext-listen",
    "let other machines use the tunnel, in clear and without the key, at a --listen that is not loopback",
);

#[derive(Debug)]
pub struct Config {
    pub server: ServerConfig,
    pub mode: Mode,
}

#[derive(Debug)]
pub struct ServerConfig {
    pub targets: Vec<Target>,
    pub key: KeyConfig,
    pub timeouts: Timeouts,
    pub dns_server: Option<SocketAddr>,
}

#[derive(Debug)]
pub enum Mode {
    Get(Path),
    Stdio,
    Listen(ListenConfig),
}

impl Mode {
    /// What it means that a signal comes before any work is done.
    pub fn cut(&self) -> Result<(), Error> {
        match self {
            Self::Get(_) | Self::Stdio => Err(Error::Cut),
            Self::Listen(_) => Ok(()),
        }
    }
}

#[derive(Debug)]
pub struct ListenConfig {
    pub address: SocketAddr,
    pub max_connections: NonZeroUsize,
}

impl Config {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let targets = given.all(&SERVER);
        let key = KeyConfig::read(given);
        let timeouts = Timeouts::read(given);
        let dns_server = connection::dns_server(given);
        let mode = read_mode(given, key.as_ref().ok());
        Ok(Self {
            server: ServerConfig {
                targets: targets?,
                key: key?,
                timeouts: timeouts?,
                dns_server: dns_server?,
            },
            mode: mode?,
        })
    }
}

fn read_mode(given: &mut Given, key: Option<&KeyConfig>) -> Result<Mode, Reported> {
    let get = given.optional(&GET);
    let stdio = given.on(&STDIO);
    let listen = read_listen(given);
    let (get, listen) = (get?, listen?);
    match (get, stdio, listen) {
        (Some(path), false, None) => Ok(Mode::Get(path)),
        (None, true, None) => match key.and_then(KeyConfig::of_standard_input) {
            Some(participant) => Err(given.refuse(
                &[&STDIO, &shares::SHARE],
                format_args!("standard input cannot hold the share of {participant} as well"),
            )),
            None => Ok(Mode::Stdio),
        },
        (None, false, Some(listen)) => Ok(Mode::Listen(listen)),
        (None, false, None) => {
            given.hint("give one of --get, --stdio and --listen");
            Err(given.refuse(&[&GET, &STDIO, &LISTEN], "one of them is needed"))
        }
        _ => Err(given.refuse(
            &[&GET, &STDIO, &LISTEN],
            "only one of them can be given at a time",
        )),
    }
}

fn read_listen(given: &mut Given) -> Result<Option<ListenConfig>, Reported> {
    let max_connections = connection::max_connections(given);
    let insecure = given.on(&INSECURE_PLAINTEXT_LISTEN);
    let address = given.optional::<SocketAddr>(&LISTEN)?;
    match address {
        Some(address) if !address.ip().to_canonical().is_loopback() && !insecure => Err(given
            .refuse(
                &[&LISTEN],
                "not a loopback address, and other machines could use the tunnel without the key",
            )),
        None if insecure => Err(given.refuse(
            &[&INSECURE_PLAINTEXT_LISTEN],
            "there is no --listen that it could apply to",
        )),
        Some(address) => Ok(Some(ListenConfig {
            address,
            max_connections: max_connections?,
        })),
        None => max_connections.map(|_| None),
    }
}

/// The path, and perhaps the query, of an HTTP request: `/`, `/a?b=c`.
#[derive(Clone, Debug)]
pub struct Path(Uri);

impl Path {
    pub fn uri(&self) -> Uri {
        self.0.clone()
    }
}

impl FromStr for Path {
    type Err = NotAPath;

    fn from_str(text: &str) -> Result<Self, NotAPath> {
        match text.parse::<Uri>() {
            Ok(uri) if text.starts_with('/') && uri.authority().is_none() => Ok(Self(uri)),
            _ => Err(NotAPath),
        }
    }
}

/// The text is not the path of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAPath;

impl fmt::Display for NotAPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a path that begins with / and has only characters that a request may have")
    }
}
