//! The settings of a client.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::str::FromStr;

use hyper::Uri;
use mcbn_consent::settings::SHARE;
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_tunnel::settings::{self as connection, Timeouts};
use mcbn_tunnel::target::Target;

use super::Error;

pub const GET: Setting = Setting::value(
    "get",
    "PATH",
    "send one HTTP GET request and write the body of the answer to standard output",
)
.operator();

pub const STDIO: Setting = Setting::switch(
    "stdio",
    "send standard input to the server and write what it answers to standard output",
)
.operator();

pub const INSECURE_PLAINTEXT_LISTEN: Setting = Setting::switch(
    "insecure-plaintext-listen",
    "let other machines use the tunnel, in clear and without the key, at a --listen that is not loopback",
);

/// Where the server is, and how long reaching it may take.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    pub targets: Vec<Target>,
    pub timeouts: Timeouts,
    pub dns_server: Option<SocketAddr>,
}

impl ClientConfig {
    /// Whether there has to be a server is the program's to say.
    pub fn read(
        given: &mut Given,
        targets: Result<Vec<Target>, Reported>,
    ) -> Result<Self, Reported> {
        let timeouts = Timeouts::read(given);
        let dns_server = connection::dns_server(given);
        Ok(Self {
            targets: targets?,
            timeouts: timeouts?,
            dns_server: dns_server?,
        })
    }
}

/// What the connection is for.
#[derive(Debug)]
pub enum Mode {
    Get(Path),
    Stdio,
    Listen(ListenConfig),
}

impl Mode {
    /// `listen` is the program's row for the local port. `of_standard_input` is whose share is read from there.
    pub fn read(
        given: &mut Given,
        listen: &Setting,
        of_standard_input: Option<impl fmt::Display>,
    ) -> Result<Self, Reported> {
        let get = given.optional(&GET);
        let stdio = given.on(&STDIO);
        let tunnel = ListenConfig::read(given, listen);
        let (get, tunnel) = (get?, tunnel?);
        match (get, stdio, tunnel) {
            (Some(path), false, None) => Ok(Self::Get(path)),
            (None, true, None) => match of_standard_input {
                Some(participant) => Err(given.refuse(
                    &[&STDIO, &SHARE],
                    format_args!("standard input cannot hold the share of {participant} as well"),
                )),
                None => Ok(Self::Stdio),
            },
            (None, false, Some(tunnel)) => Ok(Self::Listen(tunnel)),
            (None, false, None) => {
                given.hint("give one of --get, --stdio and --listen");
                Err(given.refuse(&[&GET, &STDIO, listen], "one of them is needed"))
            }
            _ => Err(given.refuse(
                &[&GET, &STDIO, listen],
                "only one of them can be given at a time",
            )),
        }
    }

    /// What it means that a signal comes before any work is done.
    pub fn cut<E>(&self) -> Result<(), Error<E>> {
        match self {
            Self::Get(_) | Self::Stdio => Err(Error::Cut),
            Self::Listen(_) => Ok(()),
        }
    }
}

/// A local port.
#[derive(Debug)]
pub struct ListenConfig {
    pub address: SocketAddr,
    pub max_connections: NonZeroUsize,
}

impl ListenConfig {
    fn read(given: &mut Given, listen: &Setting) -> Result<Option<Self>, Reported> {
        let max_connections = connection::max_connections(given);
        let insecure = given.on(&INSECURE_PLAINTEXT_LISTEN);
        let address = given.optional::<SocketAddr>(listen)?;
        match address {
            Some(address) if !address.ip().to_canonical().is_loopback() && !insecure => {
                Err(given.refuse(
                    &[listen],
                    "not a loopback address, and other machines could use the tunnel without the key",
                ))
            }
            None if insecure => Err(given.refuse(
                &[&INSECURE_PLAINTEXT_LISTEN],
                "there is no --listen that it could apply to",
            )),
            Some(address) => Ok(Some(Self {
                address,
                max_connections: max_connections?,
            })),
            None => max_connections.map(|_| None),
        }
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
