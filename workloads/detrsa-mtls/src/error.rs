//! What ends the program, by who is at fault.

use std::fmt;
use std::io;
use std::path::PathBuf;

use mcbn_consent::lease::Lost;
use mcbn_detrsa::export::NotExported;
use mcbn_endpoint::{client, server};
use mcbn_mtls::{HandshakeError, Setup};
use mcbn_pinned::NoKey;
use mcbn_place::NotWritten;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_tunnel::names::NoResolver;

#[derive(Debug)]
pub enum Error {
    /// There are no shares to make a key of.
    Shares(NoKey),
    /// There are, and no key is made of them.
    Key(mcbn_detrsa::Error),
    /// A certificate, or TLS itself, cannot be set up.
    Setup(Setup),
    /// There is no port.
    Server(server::Error),
    /// A name cannot be looked up.
    Names(NoResolver),
    /// The client's work ended before it was done.
    Client(client::Error<HandshakeError>),
    /// There was a key, and too few participants agree to its use now.
    ConsentLost(Lost),
    /// The key cannot be brought into the form that was asked for.
    Export(NotExported),
    /// Its file cannot be written.
    NotWritten(NotWritten),
    /// The request cannot be written.
    Write(PathBuf, io::Error),
    /// A signal came before anything was written.
    Cut,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shares(_) | Self::Key(_) => f.write_str("cannot make the key"),
            Self::Setup(_) => f.write_str("cannot set up TLS"),
            Self::Server(error) => error.fmt(f),
            Self::Names(_) => f.write_str("cannot look up the names in --server"),
            Self::Client(error) => error.fmt(f),
            Self::ConsentLost(lost) => lost.fmt(f),
            Self::Export(_) => f.write_str("cannot export the key"),
            Self::NotWritten(error) => error.fmt(f),
            Self::Write(path, _) => write!(f, "cannot write {}", path.display()),
            Self::Cut => f.write_str("ended by a signal before the work was done"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Shares(source) => Some(source),
            Self::Key(source) => Some(source),
            Self::Setup(source) => Some(source),
            Self::Server(error) => error.source(),
            Self::Names(source) => Some(source),
            Self::Client(error) => error.source(),
            Self::ConsentLost(lost) => lost.source(),
            Self::Export(source) => Some(source),
            Self::Write(_, source) => Some(source),
            // It says all that its source says.
            Self::NotWritten(_) | Self::Cut => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Shares(source) => source.exit(),
            Self::Key(mcbn_detrsa::Error::Seed(_) | mcbn_detrsa::Error::NoPrimes) => Exit::Refused,
            Self::Key(mcbn_detrsa::Error::Bug) => Exit::Bug,
            Self::Setup(_) | Self::Names(_) | Self::Export(_) => Exit::Platform,
            Self::Server(error) => error.exit(),
            Self::Client(error) => error.exit(),
            Self::ConsentLost(lost) => lost.exit(),
            Self::NotWritten(_) | Self::Write(..) => self.written().map_or(Exit::Io, Failure::exit),
            Self::Cut => Exit::Io,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Shares(source) => source.hint(),
            Self::Server(error) => error.hint(),
            Self::Names(_) => Some(
                "give a DNS server with --dns-server, or addresses in place of the names".into(),
            ),
            Self::Client(error) => error.hint(),
            Self::ConsentLost(lost) => lost.hint(),
            Self::NotWritten(_) | Self::Write(..) => self
                .written()
                .filter(|source| source.kind() == io::ErrorKind::AlreadyExists)
                .map(|_| "nothing is written over: name a file that is not there".into()),
            Self::Key(_) | Self::Setup(_) | Self::Export(_) | Self::Cut => None,
        }
    }
}

impl Error {
    /// What the system said of a file.
    fn written(&self) -> Option<&io::Error> {
        match self {
            Self::NotWritten(error) => std::error::Error::source(error)?.downcast_ref(),
            Self::Write(_, error) => Some(error),
            _ => None,
        }
    }
}
