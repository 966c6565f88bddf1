//! What ends the program, by who is at fault.

use std::fmt;

use mcbn_ceremony_endpoint::NotOpen;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_share::Participant;

#[derive(Debug)]
pub enum Error {
    /// There is no port.
    Endpoint(NotOpen),
    /// There are no random bytes.
    Random,
    /// These did not approve, or did not confirm, in time.
    Abandoned(Vec<Participant>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(error) => error.fmt(f),
            Self::Random => f.write_str("the system gives no random bytes"),
            Self::Abandoned(missing) => {
                f.write_str("no key was made in time; it waited for")?;
                for (place, name) in missing.iter().enumerate() {
                    write!(f, "{} {name}", if place == 0 { "" } else { "," })?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Endpoint(error) => error.source(),
            Self::Random | Self::Abandoned(_) => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Endpoint(error) => error.exit(),
            Self::Random => Exit::Platform,
            Self::Abandoned(_) => Exit::Unavailable,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Endpoint(error) => error.hint(),
            Self::Random => None,
            Self::Abandoned(_) => Some(
                "what participants have of it counts for nothing: start again, with their approval"
                    .into(),
            ),
        }
    }
}
