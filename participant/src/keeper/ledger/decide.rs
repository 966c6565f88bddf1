//! The rules of consent, over what the ledger says at this moment.

use super::entry::{By, Event, Finding, Time};
use super::instance::{Beginning, Instance, InstanceId, LeaseId};
use super::state::{self, Standing};
use super::{Fault, Page};
use mcbn_consent::message::Code;
use std::error::Error;
use std::fmt::{self, Display};
use std::time::Duration;

/// What an instance with an accepted token asks for.
#[derive(Clone, Debug)]
pub enum Wish {
    Release {
        instance: Instance,
        findings: Vec<Finding>,
        /// The name of the lease, if it is granted.
        lease: LeaseId,
    },
    Renew {
        instance: Instance,
        lease: LeaseId,
    },
}

impl Wish {
    pub fn instance(&self) -> &Instance {
        let (Wish::Release { instance, .. } | Wish::Renew { instance, .. }) = self;
        instance
    }
}

/// The answer. It may leave once the transaction is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The lease runs until then.
    Granted(Time),
    Refused(Code),
}

/// What does not depend on who asks.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub lease: Duration,
    /// A person must approve an instance before its first release.
    pub ask: bool,
}

/// An instance that goes on asking is written down again after so many milliseconds.
const REMINDER: u64 = 10 * 60 * 1000;

/// Decides, and appends what was granted, or that a person must decide. Other refusals are left to the caller.
pub fn decide(page: &mut Page<'_>, wish: Wish, terms: &Terms) -> Result<Decision, Fault> {
    let id = wish.instance().id();
    if state::is_withdrawn(page.read())? {
        return Ok(Decision::Refused(Code::Withdrawn));
    }
    let standing = state::standing(page.read(), id)?;
    match standing {
        Standing::Denied => return Ok(Decision::Refused(Code::Denied)),
        Standing::Revoked => return Ok(Decision::Refused(Code::Withdrawn)),
        Standing::Unknown | Standing::Approved => {}
    }
    let length = u64::try_from(terms.lease.as_millis()).unwrap_or(u64::MAX);
    let until = Time(page.now().0.saturating_add(length));
    match wish {
        Wish::Release {
            instance, findings, ..
        } if terms.ask && standing != Standing::Approved => {
            let since = state::waiting_since(page.read(), id)?;
            if since.is_none_or(|since| page.now().0.abs_diff(since.0) >= REMINDER) {
                page.write(Event::Pending { instance, findings })?;
            }
            Ok(Decision::Refused(Code::Pending))
        }
        Wish::Release {
            instance,
            findings,
            lease,
        } => {
            page.write(Event::Released {
                instance,
                lease,
                until,
                findings,
            })?;
            Ok(Decision::Granted(until))
        }
        Wish::Renew { lease, .. } => {
            if !state::is_live(page.read(), lease, id, page.now())? {
                return Ok(Decision::Refused(Code::Lease));
            }
            page.write(Event::Renewed {
                instance: id,
                lease,
                until,
            })?;
            Ok(Decision::Granted(until))
        }
    }
}

/// What a person says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    Approve(Beginning),
    Deny(Beginning),
    /// From whoever holds this lease.
    RevokeLease(Beginning),
    RevokeInstance(Beginning),
    /// From all, until it is restored.
    Withdraw,
    Restore,
}

/// Appends what a person says. Gives the instance that it is about, if it is about one.
pub fn say(
    page: &mut Page<'_>,
    word: &Word,
    by: By,
) -> Result<Result<Option<InstanceId>, Unsaid>, Fault> {
    let ledger = page.read();
    let (found, event): (_, fn(InstanceId, By) -> Event) = match word {
        Word::Approve(beginning) => (
            state::instances(ledger, beginning.as_str())?,
            |instance, by| Event::Approved { instance, by },
        ),
        Word::Deny(beginning) => (
            state::instances(ledger, beginning.as_str())?,
            |instance, by| Event::Denied { instance, by },
        ),
        Word::RevokeInstance(beginning) => (
            state::instances(ledger, beginning.as_str())?,
            |instance, by| Event::Revoked { instance, by },
        ),
        Word::RevokeLease(beginning) => (
            state::holders(ledger, beginning.as_str())?,
            |instance, by| Event::Revoked { instance, by },
        ),
        Word::Withdraw if state::is_withdrawn(ledger)? => return Ok(Err(Unsaid::AlreadyWithdrawn)),
        Word::Withdraw => {
            page.write(Event::Withdrawn { by })?;
            return Ok(Ok(None));
        }
        Word::Restore if !state::is_withdrawn(ledger)? => return Ok(Err(Unsaid::NotWithdrawn)),
        Word::Restore => {
            page.write(Event::Restored { by })?;
            return Ok(Ok(None));
        }
    };
    match found[..] {
        [] => Ok(Err(Unsaid::Nobody)),
        [instance] => {
            page.write(event(instance, by))?;
            Ok(Ok(Some(instance)))
        }
        _ => Ok(Err(Unsaid::Several)),
    }
}

/// What a person said has no meaning here. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaid {
    Nobody,
    Several,
    AlreadyWithdrawn,
    NotWithdrawn,
}

impl Display for Unsaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unsaid::Nobody => "nothing in the ledger has a name that begins so",
            Unsaid::Several => "several names in the ledger begin so",
            Unsaid::AlreadyWithdrawn => "consent is withdrawn already",
            Unsaid::NotWithdrawn => "consent is not withdrawn",
        })
    }
}

impl Error for Unsaid {}
