use std::error::Error;
use std::fmt;

use mcbn_threshold::Index;

use crate::approval::NotApproved;

/// The participant is at fault, or too slow. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// There is no such request, or it has expired.
    NotOpen,
    NotApproved(NotApproved),
    /// Its partial signature does not verify with its share of the key, or is missing; or there is one where it has
    /// revealed its share.
    BadPartial(Index),
    /// It has submitted another partial signature before.
    Changed(Index),
    /// It has announced as many as it may that are still open.
    TooMany {
        index: Index,
        part: usize,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpen => f.write_str("no such request is open"),
            Self::NotApproved(_) => f.write_str("the signature is refused"),
            Self::BadPartial(index) => {
                write!(
                    f,
                    "the partial signature of participant {index} does not verify, or is not what is taken here"
                )
            }
            Self::Changed(index) => write!(
                f,
                "participant {index} has submitted another partial signature before"
            ),
            Self::TooMany { index, part } => write!(
                f,
                "participant {index} has {part} requests open, which is its part"
            ),
        }
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NotApproved(reason) => Some(reason),
            _ => None,
        }
    }
}
