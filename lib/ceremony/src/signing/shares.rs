//! Where the shares are that sign.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;

use mcbn_threshold::{Group, Index, KeyShare, PartialSignature};

#[derive(Debug)]
pub enum Shares {
    /// With their owners, who submit partial signatures. No share leaves its owner.
    Kept,
    /// Here: participants have revealed them to this server. It holds enough to sign alone, and signs what t of them
    /// have approved.
    Revealed(Revealed),
}

/// As many shares as the threshold, of distinct participants, each of this group.
#[derive(Debug)]
pub struct Revealed(Vec<KeyShare>);

impl Shares {
    /// More than the threshold are not kept.
    pub fn revealed(group: &Group, mut shares: Vec<KeyShare>) -> Result<Self, NotRevealed> {
        let mut owners = BTreeSet::new();
        for share in &shares {
            let index = share.index();
            if !owners.insert(index) {
                return Err(NotRevealed::Repeated(index));
            }
            group
                .check(share)
                .map_err(|_| NotRevealed::NotGenuine(index))?;
        }
        if shares.len() < group.threshold().get() {
            return Err(NotRevealed::TooFew);
        }
        shares.truncate(group.threshold().get());
        Ok(Self::Revealed(Revealed(shares)))
    }
}

impl Revealed {
    pub(super) fn sign(&self, message: &[u8]) -> Vec<PartialSignature> {
        self.0.iter().map(|share| share.sign(message)).collect()
    }
}

/// The shares cannot sign for the group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotRevealed {
    TooFew,
    /// Two of one participant.
    Repeated(Index),
    /// Not this participant's share of the group's key.
    NotGenuine(Index),
}

impl fmt::Display for NotRevealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew => f.write_str("there are fewer shares than the threshold"),
            Self::Repeated(index) => write!(f, "there are two shares of participant {index}"),
            Self::NotGenuine(index) => write!(
                f,
                "the share of participant {index} is not its share of the group's key"
            ),
        }
    }
}

impl Error for NotRevealed {}
