//! What a person orders, held against what the ledger says at that moment, in the transaction that appends it.
//!
//! Consent is given only for what was seen: whatever was said of an instance after the page was drawn makes an approval
//! stale. Consent is taken back however old the page is.

use super::books::{self, Line};
use crate::keeper::ledger::decide::{Unsaid, Word, say};
use crate::keeper::ledger::entry::By;
use crate::keeper::ledger::instance::{Beginning, InstanceId};
use crate::keeper::ledger::state::{self, Standing};
use crate::keeper::ledger::{Fault, Page};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `seen` is the last entry that was there when the page was drawn.
    Approve {
        instance: InstanceId,
        seen: u64,
    },
    Deny {
        instance: InstanceId,
        seen: u64,
    },
    Revoke {
        instance: InstanceId,
    },
    Withdraw,
    Restore {
        seen: u64,
    },
}

/// Nothing was done: the page was drawn before something else happened.
#[derive(Debug)]
pub enum Stale {
    /// This was said of the instance since.
    Said(Box<Line>),
    /// The instance never asked.
    Unknown,
    /// It has nothing, and gets nothing.
    HasNothing(Box<Line>),
    AlreadyWithdrawn,
    NotWithdrawn,
    /// Consent was withdrawn another time since, by this entry.
    WithdrawnAgain(u64),
}

/// Appends what was ordered, unless it is stale. Gives the place of the entry.
pub fn give(page: &mut Page<'_>, order: Order, by: By) -> Result<Result<u64, Stale>, Fault> {
    let word = match order {
        Order::Approve { instance, seen } | Order::Deny { instance, seen } => {
            match books::last_said(page.read(), instance)? {
                Some(said) if said.seq > seen => return Ok(Err(Stale::Said(Box::new(said)))),
                _ => {}
            }
            match order {
                Order::Approve { .. } => Word::Approve(name(instance)),
                _ => Word::Deny(name(instance)),
            }
        }
        Order::Revoke { instance } => {
            let standing = state::standing(page.read(), instance)?;
            if matches!(standing, Standing::Denied | Standing::Revoked)
                && let Some(said) = books::last_said(page.read(), instance)?
            {
                return Ok(Err(Stale::HasNothing(Box::new(said))));
            }
            Word::RevokeInstance(name(instance))
        }
        Order::Withdraw => Word::Withdraw,
        Order::Restore { seen } => match books::withdrawal(page.read())? {
            Some(seq) if seq > seen => return Ok(Err(Stale::WithdrawnAgain(seq))),
            _ => Word::Restore,
        },
    };
    Ok(match say(page, &word, by)? {
        Ok(_) => Ok(books::head(page.read())?),
        Err(Unsaid::AlreadyWithdrawn) => Err(Stale::AlreadyWithdrawn),
        Err(Unsaid::NotWithdrawn) => Err(Stale::NotWithdrawn),
        // Names are whole here, so no two of them begin so.
        Err(Unsaid::Nobody | Unsaid::Several) => Err(Stale::Unknown),
    })
}

fn name(instance: InstanceId) -> Beginning {
    let name = instance.to_string().parse();
    name.expect("a name begins with all of itself")
}
