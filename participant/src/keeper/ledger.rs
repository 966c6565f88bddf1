//! The keeper's one truth: every request with its verdict and reasons, and everything that a person said, in an
//! append-only chain of hashes.
//!
//! What is allowed now is not kept anywhere: it is asked of the entries, in the same transaction that appends the
//! decision. A share leaves only after its entry is on the disk. Several processes can use one ledger at the same time:
//! a keeper that answers, and a person who approves or revokes.
//!
//! It is for its owner, against accidents and against whoever changes it without owning the machine's clock and disk:
//! who can write the file can write another chain. A head that was noted elsewhere shows that ([`verify`]).

pub mod body;
pub mod chain;
pub mod decide;
pub mod entry;
pub mod file;
pub mod instance;
pub mod state;
pub mod verify;
pub mod writer;

use chain::{Hash, Head};
use entry::{Entry, Event, Time};
use file::{Identity, NoLedger, Open, Opened};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use state::Columns;
use std::error::Error;
use std::fmt::{self, Display};
use std::path::Path;

/// An open ledger.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
    identity: Identity,
    /// The last entry that this process saw: it must still be there.
    seen: Head,
}

impl Ledger {
    /// # Errors
    ///
    /// [`NoLedger`]
    pub fn open(path: &Path, how: Open) -> Result<Ledger, NoLedger> {
        let Opened {
            connection,
            identity,
        } = file::open(path, how)?;
        let seen = head(&connection)?;
        Ok(Ledger {
            connection,
            identity,
            seen,
        })
    }

    /// To read from it. What a later transaction decides can be otherwise.
    pub fn read(&self) -> &Connection {
        &self.connection
    }

    /// Asks and appends in one transaction, on the disk when this returns. Other processes wait meanwhile.
    ///
    /// # Errors
    ///
    /// Nothing was appended.
    pub fn append<T>(
        &mut self,
        now: Time,
        decide: impl FnOnce(&mut Page<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if !self.identity.holds() {
            return Err(Fault::Replaced);
        }
        let begun = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        if hash_at(&begun, self.seen.seq)? != Some(self.seen.hash) {
            return Err(Fault::Rewritten);
        }
        let mut page = Page {
            head: head(&begun)?,
            ledger: begun,
            now,
        };
        let decided = decide(&mut page)?;
        let Page { ledger, head, .. } = page;
        ledger.commit()?;
        self.seen = head;
        Ok(decided)
    }
}

/// A transaction on the ledger.
pub struct Page<'l> {
    ledger: Transaction<'l>,
    head: Head,
    now: Time,
}

impl Page<'_> {
    pub fn now(&self) -> Time {
        self.now
    }

    pub fn read(&self) -> &Connection {
        &self.ledger
    }

    /// Gives the entry's place.
    ///
    /// # Errors
    ///
    /// The transaction is lost.
    pub fn write(&mut self, event: Event) -> Result<Head, Fault> {
        let entry = Entry {
            time: self.now,
            event,
        };
        let body = entry.to_bytes();
        let head = self.head.then(&body);
        let columns = Columns::of(&entry);
        self.ledger
            .prepare_cached(
                "INSERT INTO entries (seq, body, hash, time, kind, instance, lease, until)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                head.seq as i64,
                body,
                head.hash.0,
                columns.time,
                columns.kind,
                columns.instance,
                columns.lease,
                columns.until,
            ))?;
        self.head = head;
        Ok(head)
    }
}

fn head(ledger: &Connection) -> rusqlite::Result<Head> {
    let last = ledger
        .prepare_cached("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1")?
        .query_row((), |row| {
            Ok(Head {
                seq: row.get(0)?,
                hash: Hash(row.get(1)?),
            })
        })
        .optional()?;
    Ok(last.unwrap_or(Head::START))
}

fn hash_at(ledger: &Connection, seq: u64) -> rusqlite::Result<Option<Hash>> {
    if seq == Head::START.seq {
        return Ok(Some(Head::START.hash));
    }
    ledger
        .prepare_cached("SELECT hash FROM entries WHERE seq = ?1")?
        .query_row([seq as i64], |row| row.get(0).map(Hash))
        .optional()
}

/// Nothing was decided, and nothing must be released.
#[derive(Debug)]
pub enum Fault {
    /// Another file, or none, stands where the ledger was.
    Replaced,
    /// An entry that was there is gone or another one.
    Rewritten,
    Sqlite(rusqlite::Error),
    /// The thread that writes has ended.
    Stopped,
}

impl Fault {
    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        use rusqlite::ErrorCode;
        match self {
            Fault::Replaced => Some("start the keeper again once the right file is back"),
            Fault::Rewritten => Some("mcbn keeper log verify tells more"),
            Fault::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => Some("make room on the ledger's disk"),
                Some(ErrorCode::DatabaseBusy) => {
                    Some("another program holds the ledger; end it or wait")
                }
                _ => None,
            },
            Fault::Stopped => None,
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Fault {
        Fault::Sqlite(error)
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Replaced => "the ledger was moved, or another file was put in its place",
            Fault::Rewritten => "the ledger does not hold any more what was written to it",
            Fault::Sqlite(_) => "the ledger cannot be read or written",
            Fault::Stopped => "the ledger is closed",
        })
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Fault::Sqlite(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
