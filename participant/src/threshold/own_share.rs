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

/// Bytes of the longest file of a share: as much as keepers read.
const LONGEST: usize = 1024;

/// The share in this file, as mcbn threshold generate and mcbn share split leave it, and as a keeper takes it.
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

#[cfg(test)]
mod tests {
    use super::*;
    use mcbn_threshold::{Threshold, generate};
    use ring::rand::{SecureRandom, SystemRandom};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    /// What is said of participant 1, whose file has this before a share, which is that of the participant `of`.
    fn read(before: &str, of: usize) -> Result<KeyShare, NotOwnShare> {
        let random = SystemRandom::new();
        let dealt = generate(Threshold::new(2).unwrap(), 3, |bytes| random.fill(bytes));
        let dealt = dealt.unwrap();
        let share = text::signing_share_hex(&dealt.shares[of - 1].secret());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("share");
        fs::write(&path, format!("{before}{}\n", *share)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        own_share(&path, &dealt.group, Index::new(1).unwrap())
    }

    #[test]
    fn ones_own_share_is_taken_with_what_its_file_says_of_it() {
        assert!(read("", 1).is_ok());
        assert!(read("# alice's share of the key that signs releases\n", 1).is_ok());
    }

    #[test]
    fn anothers_share_or_none_is_refused() {
        for (before, of) in [
            ("", 2),
            ("# alice's\n", 3),
            ("0", 1),
            (&"#".repeat(2000), 1),
        ] {
            assert!(matches!(read(before, of), Err(NotOwnShare::Other)));
        }
    }
}
