//! What a person sees of the ledger, and says: for the commands and for the page.

use super::ledger::chain::{Hash, Head};
use super::ledger::decide::{Unsaid, Word, say};
use super::ledger::entry::{By, Time, Via};
use super::ledger::file::{NoLedger, Open};
use super::ledger::instance::InstanceId;
use super::ledger::state::{self, Placed, Running};
use super::ledger::verify::{Unsound, verify};
use super::ledger::writer::Clock;
use super::ledger::{Fault, Ledger};
use std::path::Path;

/// A ledger, and who stands before it. It works whether or not a keeper runs.
pub struct Desk {
    ledger: Ledger,
    by: By,
    clock: Clock,
}

/// More than anybody reads at once.
const MOST: usize = 1000;

impl Desk {
    /// # Errors
    ///
    /// [`NoLedger`]
    pub fn open(path: &Path, via: Via, clock: Clock) -> Result<Desk, NoLedger> {
        let by = By {
            via,
            uid: rustix::process::getuid().as_raw(),
        };
        let ledger = Ledger::open(path, Open::Existing)?;
        Ok(Desk { ledger, by, clock })
    }

    /// The requests that wait, the one that asked last first.
    pub fn pending(&self) -> Result<Vec<Placed>, Fault> {
        Ok(state::pending(self.ledger.read(), MOST)?)
    }

    /// The leases that run, the one that was given last first.
    pub fn leases(&self) -> Result<Vec<Running>, Fault> {
        Ok(state::leases(self.ledger.read(), (self.clock)(), MOST)?)
    }

    /// Whether consent as a whole is taken back.
    pub fn is_withdrawn(&self) -> Result<bool, Fault> {
        Ok(state::is_withdrawn(self.ledger.read())?)
    }

    /// The first entries after a place, in their order.
    pub fn after(&self, seq: u64, most: usize) -> Result<Vec<Placed>, Fault> {
        Ok(state::after(self.ledger.read(), seq, most)?)
    }

    /// The last entries before a place, the last first.
    pub fn before(&self, seq: u64, most: usize) -> Result<Vec<Placed>, Fault> {
        Ok(state::before(self.ledger.read(), seq, most)?)
    }

    /// Computes everything again. Takes a while where there are many entries.
    pub fn verify(&self, noted: Option<Hash>) -> Result<Head, Unsound> {
        verify(&self.ledger, noted)
    }

    /// Says yes or no, on the disk when this returns. Gives the instance that it is about, if it is about one.
    ///
    /// # Errors
    ///
    /// Nothing was changed.
    pub fn say(&mut self, word: &Word) -> Result<Result<Option<InstanceId>, Unsaid>, Fault> {
        let now: Time = (self.clock)();
        self.ledger.append(now, |page| say(page, word, self.by))
    }
}
