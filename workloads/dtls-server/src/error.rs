//! What ends the program, by who is at fault.

use std::fmt;

use mcbn_consent::lease::Lost;
use mcbn_dtls_endpoint::server;
use mcbn_psk::settings::KeyError;
use mcbn_runtime::exit::{Exit, Failure};

#[derive(Debug)]
pub enum Error {
    /// There is no key.
    Key(KeyError),
    /// There is no port.
    Server(server::Error),
    /// OpenSSL cannot be set up.
    Dtls(mcbn_dtls::Setup),
    /// There was a key, and too few participants agree to its use now.
    ConsentLost(Lost),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(_) => f.write_str("cannot make the key"),
            Self::Server(error) => error.fmt(f),
            Self::Dtls(_) => f.write_str("cannot set up DTLS"),
            Self::ConsentLost(lost) => lost.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Key(source) => Some(source),
            Self::Server(error) => error.source(),
            Self::Dtls(source) => Some(source),
            Self::ConsentLost(lost) => lost.source(),
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Key(source) => source.exit(),
            Self::Server(error) => error.exit(),
            Self::Dtls(_) => Exit::Platform,
            Self::ConsentLost(lost) => lost.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Key(source) => source.hint(),
            Self::ConsentLost(lost) => lost.hint(),
            Self::Server(error) => error.hint(),
            Self::Dtls(_) => None,
        }
    }
}
