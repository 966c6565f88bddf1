//! What ends the program, by who is at fault.

use std::fmt;

use mcbn_ceremony_endpoint::NotOpen;
use mcbn_runtime::exit::{Exit, Failure};

#[derive(Debug)]
pub enum Error {
    /// There is no port.
    Endpoint(NotOpen),
    /// There are no random bytes.
    Random,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(error) => error.fmt(f),
            Self::Random => f.write_str("the system gives no random bytes"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Endpoint(error) => error.source(),
            Self::Random => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Endpoint(error) => error.exit(),
            Self::Random => Exit::Platform,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Endpoint(error) => error.hint(),
            Self::Random => None,
        }
    }
}
