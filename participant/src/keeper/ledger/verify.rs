//! Computes everything again that the ledger says of itself.

use super::Ledger;
use super::chain::{Hash, Head};
use super::entry::{Entry, Kind, Time};
use super::state::Columns;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::error::Error;
use std::fmt::{self, Display};

/// Checks every entry's form, columns, place and hash, and that what SQLite looks them up by agrees with them. With
/// `noted`, a head that was written down before must be one of the hashes: else the end was cut off, or it is another
/// ledger.
///
/// # Errors
///
/// The first entry that is not as it was written.
pub fn verify(ledger: &Ledger, noted: Option<Hash>) -> Result<Head, Unsound> {
    // One state of the ledger, however long it takes.
    let reading = ledger.read().unchecked_transaction()?;
    let mut head = Head::START;
    let mut passed = noted.is_none_or(|noted| noted == Head::START.hash);
    let mut query = reading.prepare(
        "SELECT seq, body, hash, time, kind, instance, lease, until FROM entries ORDER BY seq",
    )?;
    let mut rows = query.query(())?;
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        let expected = head.seq + 1;
        if u64::try_from(seq) != Ok(expected) {
            return Err(Unsound::Gone { seq: expected });
        }
        let wrong = |what| Unsound::Wrong {
            seq: expected,
            what,
        };
        let (ValueRef::Blob(body), ValueRef::Blob(hash)) = (row.get_ref(1)?, row.get_ref(2)?)
        else {
            return Err(wrong(What::Form));
        };
        let next = head.then(body);
        if hash != next.hash.0 {
            return Err(wrong(What::Hash));
        }
        let entry = Entry::from_bytes(body).ok_or(wrong(What::Form))?;
        let columns = (|| {
            Ok::<_, rusqlite::Error>(Columns {
                time: row.get::<_, Time>(3)?,
                kind: row.get::<_, Kind>(4)?,
                instance: row.get(5)?,
                lease: row.get(6)?,
                until: row.get(7)?,
            })
        })();
        if columns != Ok(Columns::of(&entry)) {
            return Err(wrong(What::Columns));
        }
        head = next;
        passed |= noted == Some(head.hash);
    }
    indexes(&reading)?;
    match passed {
        true => Ok(head),
        false => Err(Unsound::NotPassed { head }),
    }
}

fn indexes(ledger: &Connection) -> Result<(), Unsound> {
    let mut query = ledger.prepare("PRAGMA integrity_check(1)")?;
    let said: String = query.query_row((), |row| row.get(0))?;
    match said == "ok" {
        true => Ok(()),
        false => Err(Unsound::Indexes),
    }
}

/// The ledger is not what was written to it.
#[derive(Debug, PartialEq)]
pub enum Unsound {
    /// An entry is missing, and later ones are there.
    Gone {
        seq: u64,
    },
    Wrong {
        seq: u64,
        what: What,
    },
    Indexes,
    /// It is sound in itself, and the noted head is not in it.
    NotPassed {
        head: Head,
    },
    Sqlite(rusqlite::Error),
}

/// What of an entry is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Its bytes are not those of an entry.
    Form,
    /// Its bytes, its place or what stands before it are not those that were hashed.
    Hash,
    /// It is looked up as something else than it says.
    Columns,
}

impl Unsound {
    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Unsound::Gone { .. } | Unsound::Wrong { .. } | Unsound::Indexes => Some(
                "keep the file as it is, and find out who changed it, or whether its disk fails",
            ),
            Unsound::NotPassed { .. } => Some(
                "entries were cut off, or this is another ledger than the one whose head was noted",
            ),
            Unsound::Sqlite(_) => None,
        }
    }
}

impl From<rusqlite::Error> for Unsound {
    fn from(error: rusqlite::Error) -> Unsound {
        Unsound::Sqlite(error)
    }
}

impl Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unsound::Gone { seq } => write!(f, "entry {seq} is gone"),
            Unsound::Wrong { seq, what } => match what {
                What::Form => write!(f, "entry {seq} is not an entry"),
                What::Hash => write!(
                    f,
                    "entry {seq} is not the one that was written: its hash is another"
                ),
                What::Columns => {
                    write!(f, "entry {seq} is looked up as something else than it says")
                }
            },
            Unsound::Indexes => f.write_str("the ledger's indexes do not fit its entries"),
            Unsound::NotPassed { head } => write!(
                f,
                "none of the {} entries has the noted head as its hash",
                head.seq
            ),
            Unsound::Sqlite(_) => f.write_str("the ledger cannot be read"),
        }
    }
}

impl Error for Unsound {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Unsound::Sqlite(error) => Some(error),
            _ => None,
        }
    }
}
