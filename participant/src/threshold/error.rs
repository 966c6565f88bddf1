//! What ends any command that takes part in something with the others.

use super::member::{NotAgreedOn, NotOwnKey};
use super::session::NotSaid;
use crate::trust::NoVerifier;
use mcbn_ceremony::message::Code;
use mcbn_runtime::exit::{Exit, Failure};
use std::error;
use std::fmt::{self, Display};
use std::io;

#[derive(Debug)]
pub enum Error {
    Agreed(NotAgreedOn),
    Key(NotOwnKey),
    Verifier(NoVerifier),
    Runtime(io::Error),
    Said(NotSaid),
    Slow,
    Print(io::Error),
}

/// One line a kind that stands in it.
macro_rules! made_of {
    ($($kind:ty => $variant:ident;)*) => {$(
        impl From<$kind> for Error {
            fn from(error: $kind) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

made_of! {
    NotAgreedOn => Agreed;
    NotOwnKey => Key;
    NoVerifier => Verifier;
    NotSaid => Said;
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agreed(error) => error.fmt(f),
            Self::Key(error) => error.fmt(f),
            Self::Verifier(error) => error.fmt(f),
            Self::Runtime(_) => f.write_str("cannot start"),
            Self::Said(error) => error.fmt(f),
            Self::Slow => f.write_str("the others, or the server, took too long"),
            Self::Print(_) => f.write_str("cannot write to standard output"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Agreed(error) => error.source(),
            Self::Key(error) => error.source(),
            Self::Verifier(error) => error.source(),
            Self::Said(NotSaid::Failed(error)) => error.source(),
            Self::Runtime(error) | Self::Print(error) => Some(error),
            Self::Said(_) | Self::Slow => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Agreed(error) => error.exit(),
            Self::Key(error) => error.exit(),
            Self::Verifier(error) => error.exit(),
            Self::Runtime(_) => Exit::Platform,
            Self::Said(NotSaid::Refused(refusal)) if refusal.refused == Code::Unavailable => {
                Exit::Unavailable
            }
            Self::Said(_) => Exit::Refused,
            Self::Slow => Exit::Unavailable,
            Self::Print(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Agreed(error) => error.hint(),
            Self::Key(error) => error.hint(),
            _ => None,
        }
    }
}
