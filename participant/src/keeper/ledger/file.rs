//! The ledger's file: how it is made, and what it must be before it is trusted.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::error::Error;
use std::fmt::{self, Display};
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// "MCBN": tells `file` and this program what the file is.
const APPLICATION_ID: i32 = 0x4d43_424e;

/// Of the schema and of what the entries mean. Another one is another program's.
const VERSION: i32 = 1;

/// How long one process waits for another that writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// `body` and `hash` are the ledger. The other columns repeat what the body says, so that it can be asked for; they are
/// checked against it. Where an index is partial, its condition stands word for word in the queries.
const SCHEMA: &str = "
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY CHECK (seq > 0),
    body BLOB NOT NULL,
    hash BLOB NOT NULL,
    time INTEGER NOT NULL,
    kind TEXT NOT NULL,
    instance TEXT,
    lease TEXT,
    until INTEGER
) STRICT;
CREATE INDEX asked ON entries (instance, seq) WHERE kind IN ('pending', 'released');
CREATE INDEX leases ON entries (lease, seq) WHERE lease IS NOT NULL;
CREATE INDEX live ON entries (until) WHERE until IS NOT NULL;
CREATE INDEX standing ON entries (instance, seq) WHERE kind IN ('approved', 'denied', 'revoked');
CREATE INDEX withdrawal ON entries (seq) WHERE kind IN ('withdrawn', 'restored');
CREATE TRIGGER no_entry_is_changed BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER no_entry_is_removed BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'append only'); END;
";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// It must be there.
    Existing,
    /// It is made unless it is there.
    OrCreate,
}

/// An open ledger, and which file it was.
#[derive(Debug)]
pub struct Opened {
    pub connection: Connection,
    pub identity: Identity,
}

/// Tells a file from one that was put in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(path: &Path, metadata: &Metadata) -> Identity {
        Identity {
            path: path.to_owned(),
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }

    /// Whether its path still leads to the file.
    pub fn holds(&self) -> bool {
        std::fs::metadata(&self.path)
            .is_ok_and(|metadata| Identity::of(&self.path, &metadata) == *self)
    }
}

/// # Errors
///
/// Nothing is read from a file that is not a ledger of this version, or that others may read or write.
pub fn open(path: &Path, how: Open) -> Result<Opened, NoLedger> {
    // Relative to a folder that this process may leave, it would be another file.
    let path = std::path::absolute(path).map_err(NoLedger::Io)?;
    if how == Open::OrCreate {
        create(&path).map_err(NoLedger::Io)?;
    }
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(NoLedger::NotThere),
        Err(error) => return Err(NoLedger::Io(error)),
    };
    if !metadata.is_file() {
        return Err(NoLedger::NotALedger);
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(NoLedger::OpenToOthers);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    harden(&connection)?;
    if is_empty(&connection)? {
        if how == Open::Existing {
            return Err(NoLedger::NotALedger);
        }
        make(&mut connection)?;
    }
    check(&connection)?;
    // Only now: whatever else the file is, it was not touched.
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(Opened {
        connection,
        identity: Identity::of(&path, &metadata),
    })
}

/// An empty file that only its owner opens, and whose name survives a crash.
fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file.sync_all()?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error),
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    File::open(folder)?.sync_all()
}

/// What a file that was made by somebody else could use against whoever opens it.
fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "mmap_size", 0)
}

fn is_empty(connection: &Connection) -> Result<bool, NoLedger> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let things: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    Ok(id == 0 && things == 0)
}

fn make(connection: &mut Connection) -> Result<(), NoLedger> {
    let make = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    if is_empty(&make)? {
        make.execute_batch(SCHEMA)?;
        make.pragma_update(None, "application_id", APPLICATION_ID)?;
        make.pragma_update(None, "user_version", VERSION)?;
    }
    Ok(make.commit()?)
}

fn check(connection: &Connection) -> Result<(), NoLedger> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    if number("application_id")? != APPLICATION_ID {
        return Err(NoLedger::NotALedger);
    }
    if number("user_version")? != VERSION {
        return Err(NoLedger::OtherVersion);
    }
    // An index or a trigger more could make it say something else.
    let mut query = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY rowid")?;
    let found: Vec<String> = query
        .query_map((), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let expected = SCHEMA.trim().split(";\nCREATE");
    let expected = expected.map(|sql| sql.trim_end_matches(';').trim_start_matches("CREATE"));
    match found
        .iter()
        .map(|sql| sql.trim_start_matches("CREATE"))
        .eq(expected)
    {
        true => Ok(()),
        false => Err(NoLedger::OtherSchema),
    }
}

/// The ledger cannot be opened.
#[derive(Debug)]
pub enum NoLedger {
    NotThere,
    NotALedger,
    OtherVersion,
    OtherSchema,
    OpenToOthers,
    Io(io::Error),
    Sqlite(rusqlite::Error),
}

impl NoLedger {
    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            NoLedger::NotThere => Some("mcbn keeper run makes it"),
            NoLedger::OpenToOthers => Some("chmod 0600, and ask why it was otherwise"),
            NoLedger::NotALedger
            | NoLedger::OtherVersion
            | NoLedger::OtherSchema
            | NoLedger::Io(_)
            | NoLedger::Sqlite(_) => None,
        }
    }
}

impl From<rusqlite::Error> for NoLedger {
    fn from(error: rusqlite::Error) -> NoLedger {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => NoLedger::NotALedger,
            _ => NoLedger::Sqlite(error),
        }
    }
}

impl Display for NoLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoLedger::NotThere => "there is no ledger",
            NoLedger::NotALedger => "the file is not a keeper's ledger",
            NoLedger::OtherVersion => "the ledger was made by another version of this program",
            NoLedger::OtherSchema => "the ledger has other tables than it should",
            NoLedger::OpenToOthers => "other users of this machine can open the ledger",
            NoLedger::Io(_) | NoLedger::Sqlite(_) => "cannot open the ledger",
        })
    }
}

impl Error for NoLedger {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NoLedger::Io(error) => Some(error),
            NoLedger::Sqlite(error) => Some(error),
            _ => None,
        }
    }
}
