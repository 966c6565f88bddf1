//! The settings of a client of streams.

use std::fmt;
use std::str::FromStr;

use hyper::Uri;
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_tunnel::settings::ListenConfig;

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

/// What the connection is for.
#[derive(Debug)]
pub enum Mode {
    Get(Path),
    Stdio,
    Listen(ListenConfig),
}

impl Mode {
    /// `listen` is the program's row for the local port. `of_standard_input` is the secret that is read from there, and
    /// the row that says so.
    pub fn read(
        given: &mut Given,
        listen: &Setting,
        of_standard_input: Option<(&Setting, String)>,
    ) -> Result<Self, Reported> {
        let get = given.optional(&GET);
        let stdio = given.on(&STDIO);
        let tunnel = ListenConfig::read(given, listen);
        let (get, tunnel) = (get?, tunnel?);
        match (get, stdio, tunnel) {
            (Some(path), false, None) => Ok(Self::Get(path)),
            (None, true, None) => match of_standard_input {
                Some((row, secret)) => Err(given.refuse(
                    &[&STDIO, row],
                    format_args!("standard input cannot hold {secret} as well"),
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
