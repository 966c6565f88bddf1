use std::error::Error;
use std::fmt;

use mcbn_threshold::Index;

use crate::approval::NotApproved;

/// The participant is at fault, or was too slow. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The deadline has passed: what was made counts for nothing.
    Abandoned,
    /// Others have not done yet what must come before.
    TooEarly,
    NotApproved(NotApproved),
    /// This participant said something else before.
    Changed(Index),
    /// The first gave the encryption key that the second has given already.
    SameEncryptionKey(Index, Index),
    /// It confirms a share that it did not fetch.
    NotFetched(Index),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Abandoned => f.write_str("the key generation was abandoned at its deadline"),
            Self::TooEarly => f.write_str("it is not the time for this yet"),
            Self::NotApproved(_) => f.write_str("the signature is refused"),
            Self::Changed(index) => {
                write!(f, "participant {index} has given another answer before")
            }
            Self::SameEncryptionKey(index, other) => write!(
                f,
                "participant {index} gave the encryption key of participant {other}"
            ),
            Self::NotFetched(index) => {
                write!(f, "participant {index} has not fetched its share")
            }
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
