//! What ends the program, by who is at fault.

use std::fmt;
use std::io;

use mcbn_attested::NoIdentity;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_share::Participant;

#[derive(Debug)]
pub enum Error {
    /// There is no port.
    Bind(io::Error),
    /// There are no random bytes.
    Random,
    /// There is no TLS key.
    Identity(NoIdentity),
    /// These did not approve, or did not confirm, in time.
    Abandoned(Vec<Participant>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind(_) => f.write_str("cannot listen"),
            Self::Random => f.write_str("the system gives no random bytes"),
            Self::Identity(_) => f.write_str("cannot make a TLS key"),
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
            Self::Bind(source) => Some(source),
            Self::Identity(source) => Some(source),
            Self::Random | Self::Abandoned(_) => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Bind(_) | Self::Random | Self::Identity(_) => Exit::Platform,
            Self::Abandoned(_) => Exit::Unavailable,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Bind(_) => Some("give another address with --listen".into()),
            Self::Random | Self::Identity(_) => None,
            Self::Abandoned(_) => Some(
                "what participants have of it counts for nothing: start again, with their approval"
                    .into(),
            ),
        }
    }
}
