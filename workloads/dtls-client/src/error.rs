//! What ends the program, by who is at fault.

use std::fmt;

use mcbn_dtls_endpoint::client;
use mcbn_psk::settings::KeyError;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_tunnel::names::NoResolver;

#[derive(Debug)]
pub enum Error {
    /// There is no key.
    Key(KeyError),
    /// OpenSSL cannot be set up.
    Dtls(mcbn_dtls::Setup),
    /// A name cannot be looked up.
    Names(NoResolver),
    /// The work ended before it was done.
    Client(client::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(_) => f.write_str("cannot make the key"),
            Self::Dtls(_) => f.write_str("cannot set up DTLS"),
            Self::Names(_) => f.write_str("cannot look up the names in --server"),
            Self::Client(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Key(source) => Some(source),
            Self::Dtls(source) => Some(source),
            Self::Names(source) => Some(source),
            Self::Client(error) => error.source(),
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Key(source) => source.exit(),
            Self::Names(_) | Self::Dtls(_) => Exit::Platform,
            Self::Client(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Key(source) => source.hint(),
            Self::Names(_) => Some(
                "give a DNS server with --dns-server, or addresses in place of the names".into(),
            ),
            Self::Dtls(_) => None,
            Self::Client(error) => error.hint(),
        }
    }
}
