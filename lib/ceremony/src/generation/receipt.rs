//! What makes the shares count.

use std::error::Error;
use std::fmt;

use mcbn_threshold::Index;

use super::{Announced, confirmation_payload};
use crate::approval::{Approval, NotApproved};
use crate::group::ProvenGroup;

/// That every participant has its share of this group's key. It proves that by itself, whoever hands it over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    announced: Announced,
    group: ProvenGroup,
    /// That of participant 1 first.
    confirmations: Vec<Approval>,
}

impl Receipt {
    /// Verifies the confirmations of all: that of participant 1 first.
    pub fn new(
        announced: Announced,
        group: ProvenGroup,
        confirmations: Vec<Approval>,
    ) -> Result<Self, NotAReceipt> {
        let terms = &announced.terms;
        let count = terms.participants().count();
        if group.group().threshold() != terms.threshold() || group.group().count() != count {
            return Err(NotAReceipt::OtherGroup);
        }
        if confirmations.len() != usize::from(count) {
            return Err(NotAReceipt::NotAll);
        }
        let payload = confirmation_payload(&group);
        let request = announced.request(&payload);
        for (index, confirmation) in Index::all(count).zip(&confirmations) {
            let verified = request.verify(index, confirmation);
            verified.map_err(NotAReceipt::Confirmation)?;
        }
        Ok(Self::of(announced, group, confirmations))
    }

    /// Each was verified when it came.
    pub(super) fn of(
        announced: Announced,
        group: ProvenGroup,
        confirmations: Vec<Approval>,
    ) -> Self {
        Self {
            announced,
            group,
            confirmations,
        }
    }

    pub fn announced(&self) -> &Announced {
        &self.announced
    }

    pub fn group(&self) -> &ProvenGroup {
        &self.group
    }

    pub fn confirmations(&self) -> &[Approval] {
        &self.confirmations
    }
}

/// Whoever handed it over is at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotAReceipt {
    /// The group has another threshold or another number of participants than was announced.
    OtherGroup,
    /// Not one confirmation for each participant.
    NotAll,
    Confirmation(NotApproved),
}

impl fmt::Display for NotAReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherGroup => "the group of the receipt is not the one that was announced",
            Self::NotAll => "the receipt is not confirmed by every participant",
            Self::Confirmation(_) => "a confirmation in the receipt is refused",
        })
    }
}

impl Error for NotAReceipt {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Confirmation(reason) => Some(reason),
            Self::OtherGroup | Self::NotAll => None,
        }
    }
}
