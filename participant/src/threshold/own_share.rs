//! A participant's own share of a group's key.

use crate::secret_file::{self, Unreadable};
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_secret::SigningShare;
use mcbn_share::text;
use mcbn_threshold::{Group, Index, KeyShare};
use std::error::Error;
use std::fmt::{self, Display};
use std::io;
use std::path::Path;

/// Bytes of the longest file of a share. A keeper reads no more.
const LONGEST: usize = 1024;

/// The share in this file, as mcbn threshold generate and mcbn share split leave it.
///
/// # Errors
///
/// The file cannot be read, others can open it, or it holds something else than this participant's share in this group.
pub fn own_share(path: &Path, group: &Group, index: Index) -> Result<KeyShare, NotOwnShare> {
    let text = secret_file::read(path, LONGEST).map_err(|error| match error {
        Unreadable::OpenToOthers => NotOwnShare::OpenToOthers,
        Unreadable::TooLong => NotOwnShare::Other,
        Unreadable::Io(error) => NotOwnShare::Io(error),
    })?;
    let share = text::signing_share(text::below_comments(&text)).map_err(|_| NotOwnShare::Other)?;
    check(&share, group, index)
}

/// Holds a share against what the commitments promise to this participant.
pub fn check(share: &SigningShare, group: &Group, index: Index) -> Result<KeyShare, NotOwnShare> {
    let share = KeyShare::new(index, share).map_err(|_| NotOwnShare::Other)?;
    match group.check(&share) {
        Ok(()) => Ok(share),
        Err(_) => Err(NotOwnShare::Other),
    }
}

#[derive(Debug)]
pub enum NotOwnShare {
    OpenToOthers,
    /// It is another's, of another group, or none.
    Other,
    Io(io::Error),
}

impl Display for NotOwnShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenToOthers => "other users of this machine can open the file of the share",
            Self::Other => "the share is not this participant's in that group",
            Self::Io(_) => "cannot read the file of the share",
        })
    }
}

impl Error for NotOwnShare {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::OpenToOthers | Self::Other => None,
        }
    }
}

impl Failure for NotOwnShare {
    fn exit(&self) -> Exit {
        match self {
            Self::OpenToOthers | Self::Other => Exit::Refused,
            Self::Io(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::OpenToOthers => Some("chmod 0400".into()),
            Self::Other | Self::Io(_) => None,
        }
    }
}
