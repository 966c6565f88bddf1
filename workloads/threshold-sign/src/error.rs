//! What ends the program, by who is at fault.

use std::fmt;

use mcbn_ceremony::signing::NotRevealed;
use mcbn_ceremony_endpoint::NotOpen;
use mcbn_consent::lease::Lost;
use mcbn_pinned::NoKey;
use mcbn_runtime::exit::{Exit, Failure};

#[derive(Debug)]
pub enum Error {
    /// There is no port.
    Endpoint(NotOpen),
    /// There are no random bytes.
    Random,
    /// Too few shares are revealed.
    Shares(NoKey),
    /// They are revealed, and cannot sign.
    NotRevealed(NotRevealed),
    /// There were shares, and too few participants agree to their use now.
    ConsentLost(Lost),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(error) => error.fmt(f),
            Self::Random => f.write_str("the system gives no random bytes"),
            Self::Shares(_) => f.write_str("there are no shares to sign with"),
            Self::NotRevealed(_) => f.write_str("the shares cannot sign"),
            Self::ConsentLost(lost) => lost.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Endpoint(error) => error.source(),
            Self::Random => None,
            Self::Shares(error) => Some(error),
            Self::NotRevealed(error) => Some(error),
            Self::ConsentLost(lost) => lost.source(),
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Endpoint(error) => error.exit(),
            Self::Random => Exit::Platform,
            Self::Shares(error) => error.exit(),
            Self::NotRevealed(_) => Exit::Refused,
            Self::ConsentLost(lost) => lost.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Endpoint(error) => error.hint(),
            Self::Shares(error) => error.hint(),
            Self::ConsentLost(lost) => lost.hint(),
            Self::Random | Self::NotRevealed(_) => None,
        }
    }
}
