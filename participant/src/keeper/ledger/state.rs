//! What the entries say of the present: every answer is a query, so it cannot disagree with them.

use super::chain::Hash;
use super::entry::{Entry, Event, Kind, Time};
use super::instance::{InstanceId, LeaseId};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row};

// What is asked at every request. Each has its index; a test looks.

const WITHDRAWAL: &str =
    "SELECT kind FROM entries WHERE kind IN ('withdrawn', 'restored') ORDER BY seq DESC LIMIT 1";

const STANDING: &str =
    "SELECT kind FROM entries WHERE kind IN ('approved', 'denied', 'revoked') AND instance = ?1
    ORDER BY seq DESC LIMIT 1";

const WAITING: &str = "SELECT time FROM entries AS asking
    WHERE kind IN ('pending', 'released') AND instance = ?1 AND kind = 'pending'
    AND NOT EXISTS (
    SELECT 1 FROM entries WHERE kind IN ('approved', 'denied', 'revoked')
    AND instance = asking.instance AND seq > asking.seq
    )
    ORDER BY seq DESC LIMIT 1";

const LAST_OF_LEASE: &str =
    "SELECT seq, instance, until FROM entries WHERE lease = ?1 ORDER BY seq DESC LIMIT 1";

const TAKEN_BACK: &str = "SELECT EXISTS (
    SELECT 1 FROM entries WHERE kind IN ('withdrawn', 'restored') AND seq > ?2
    ) OR EXISTS (
    SELECT 1 FROM entries WHERE kind IN ('approved', 'denied', 'revoked')
    AND instance = ?1 AND seq > ?2 AND kind <> 'approved'
    )";

#[cfg(test)]
pub const OF_EVERY_REQUEST: [&str; 5] = [WITHDRAWAL, STANDING, WAITING, LAST_OF_LEASE, TAKEN_BACK];

/// What a person last said of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Unknown,
    Approved,
    Denied,
    Revoked,
}

/// Whether consent as a whole is taken back.
pub fn is_withdrawn(ledger: &Connection) -> rusqlite::Result<bool> {
    let last: Option<Kind> = one(ledger, WITHDRAWAL, ())?;
    Ok(last == Some(Kind::Withdrawn))
}

pub fn standing(ledger: &Connection, instance: InstanceId) -> rusqlite::Result<Standing> {
    let last: Option<Kind> = one(ledger, STANDING, [instance])?;
    Ok(match last {
        Some(Kind::Approved) => Standing::Approved,
        Some(Kind::Denied) => Standing::Denied,
        Some(Kind::Revoked) => Standing::Revoked,
        _ => Standing::Unknown,
    })
}

/// When an instance was last said to be waiting, if no person has decided since.
pub fn waiting_since(ledger: &Connection, instance: InstanceId) -> rusqlite::Result<Option<Time>> {
    one(ledger, WAITING, [instance])
}

/// Whether an instance holds a lease now: it was given to it, has not ended, and nothing was taken back since.
pub fn is_live(
    ledger: &Connection,
    lease: LeaseId,
    instance: InstanceId,
    now: Time,
) -> rusqlite::Result<bool> {
    let last: Option<(u64, InstanceId, Time)> = ledger
        .prepare_cached(LAST_OF_LEASE)?
        .query_row([lease], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    match last {
        Some((seq, holder, until)) if holder == instance && until > now => {
            Ok(!was_taken_back(ledger, instance, seq)?)
        }
        _ => Ok(false),
    }
}

fn was_taken_back(ledger: &Connection, instance: InstanceId, after: u64) -> rusqlite::Result<bool> {
    ledger
        .prepare_cached(TAKEN_BACK)?
        .query_row((instance, after), |row| row.get(0))
}

/// An entry, its place and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub seq: u64,
    pub hash: Hash,
    pub entry: Entry,
}

/// The instances that wait for a person, the one that asked last first. The event of each is [`Event::Pending`].
pub fn pending(ledger: &Connection, most: usize) -> rusqlite::Result<Vec<Placed>> {
    all(
        ledger,
        "SELECT seq, hash, body FROM entries AS asking
         WHERE kind IN ('pending', 'released') AND kind = 'pending'
         AND NOT EXISTS (
             SELECT 1 FROM entries WHERE kind IN ('pending', 'released')
             AND instance = asking.instance AND seq > asking.seq
         )
         AND NOT EXISTS (
             SELECT 1 FROM entries WHERE kind IN ('approved', 'denied', 'revoked')
             AND instance = asking.instance AND seq > asking.seq
         )
         ORDER BY seq DESC LIMIT ?1",
        [most as i64],
    )
}

/// A lease that runs, and the entry that first gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    pub released: Placed,
    pub until: Time,
}

/// The leases that run, the one that was given last first.
pub fn leases(ledger: &Connection, now: Time, most: usize) -> rusqlite::Result<Vec<Running>> {
    let mut query = ledger.prepare_cached(
        "SELECT lease, max(seq), instance, until FROM entries WHERE until IS NOT NULL AND until > ?1
         GROUP BY lease ORDER BY max(seq) DESC",
    )?;
    let rows = query.query_map([now], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    let mut running = Vec::new();
    for row in rows {
        let (lease, seq, instance, until): (LeaseId, u64, InstanceId, Time) = row?;
        if running.len() == most {
            break;
        }
        if was_taken_back(ledger, instance, seq)? {
            continue;
        }
        let first = all(
            ledger,
            "SELECT seq, hash, body FROM entries WHERE lease = ?1 ORDER BY seq LIMIT 1",
            [lease],
        )?;
        running.extend(
            first
                .into_iter()
                .map(|released| Running { released, until }),
        );
    }
    Ok(running)
}

/// The last entries before a place, the last first.
pub fn before(ledger: &Connection, seq: u64, most: usize) -> rusqlite::Result<Vec<Placed>> {
    all(
        ledger,
        "SELECT seq, hash, body FROM entries WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2",
        (i64::try_from(seq).unwrap_or(i64::MAX), most as i64),
    )
}

/// The first entries after a place, in their order.
pub fn after(ledger: &Connection, seq: u64, most: usize) -> rusqlite::Result<Vec<Placed>> {
    all(
        ledger,
        "SELECT seq, hash, body FROM entries WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        (i64::try_from(seq).unwrap_or(i64::MAX), most as i64),
    )
}

/// The instances that asked whose names begin so; two are enough to tell that it is not one.
pub fn instances(ledger: &Connection, beginning: &str) -> rusqlite::Result<Vec<InstanceId>> {
    names(
        ledger,
        "SELECT DISTINCT instance FROM entries WHERE kind IN ('pending', 'released')
         AND instance >= ?1 AND instance < ?1 || 'g' LIMIT 2",
        beginning,
    )
}

/// The holders of the leases whose names begin so.
pub fn holders(ledger: &Connection, beginning: &str) -> rusqlite::Result<Vec<InstanceId>> {
    let leases: Vec<LeaseId> = names(
        ledger,
        "SELECT DISTINCT lease FROM entries WHERE lease IS NOT NULL
         AND lease >= ?1 AND lease < ?1 || 'g' LIMIT 2",
        beginning,
    )?;
    let mut holders = Vec::new();
    for lease in leases {
        let holder: Option<InstanceId> = one(
            ledger,
            "SELECT instance FROM entries WHERE lease = ?1 ORDER BY seq LIMIT 1",
            [lease],
        )?;
        holders.extend(holder);
    }
    Ok(holders)
}

fn names<T: FromSql>(
    ledger: &Connection,
    sql: &'static str,
    beginning: &str,
) -> rusqlite::Result<Vec<T>> {
    let mut query = ledger.prepare_cached(sql)?;
    let rows = query.query_map([beginning], |row| row.get(0))?;
    rows.collect()
}

fn one<T: FromSql>(
    ledger: &Connection,
    sql: &'static str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Option<T>> {
    let mut query = ledger.prepare_cached(sql)?;
    query.query_row(parameters, |row| row.get(0)).optional()
}

fn all(
    ledger: &Connection,
    sql: &'static str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Vec<Placed>> {
    let mut query = ledger.prepare_cached(sql)?;
    let rows = query.query_map(parameters, placed)?;
    rows.collect()
}

fn placed(row: &Row<'_>) -> rusqlite::Result<Placed> {
    let ValueRef::Blob(body) = row.get_ref(2)? else {
        return Err(FromSqlError::InvalidType.into());
    };
    Ok(Placed {
        seq: row.get(0)?,
        hash: Hash(row.get(1)?),
        entry: Entry::from_bytes(body).ok_or(FromSqlError::InvalidType)?,
    })
}

/// Kinds and names stand in their columns as they are displayed.
macro_rules! texts {
    ($($kind:ty: $name:ident => $show:expr, $text:ident => $parse:expr;)*) => {$(
        impl ToSql for $kind {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                let $name = self;
                Ok($show.into())
            }
        }

        impl FromSql for $kind {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let $text = value.as_str()?;
                $parse.ok_or(FromSqlError::InvalidType)
            }
        }
    )*};
}

texts! {
    Kind: kind => kind.as_str(), text => Kind::named(text);
    InstanceId: id => id.to_string(), text => text.parse().ok();
    LeaseId: id => id.to_string(), text => text.parse().ok();
}

impl ToSql for Time {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        // A clock beyond the year 292 million would be at fault.
        Ok(i64::try_from(self.0).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Time> {
        u64::column_result(value).map(Time)
    }
}

/// What the columns beside the body must say.
#[derive(Debug, PartialEq, Eq)]
pub struct Columns {
    pub time: Time,
    pub kind: Kind,
    pub instance: Option<InstanceId>,
    pub lease: Option<LeaseId>,
    pub until: Option<Time>,
}

impl Columns {
    pub fn of(entry: &Entry) -> Columns {
        let (instance, lease, until) = match &entry.event {
            Event::Started { .. }
            | Event::Refused { .. }
            | Event::Counted { .. }
            | Event::Withdrawn { .. }
            | Event::Restored { .. } => (None, None, None),
            Event::Pending { instance, .. } => (Some(instance.id()), None, None),
            Event::Released {
                instance,
                lease,
                until,
                ..
            } => (Some(instance.id()), Some(*lease), Some(*until)),
            Event::Renewed {
                instance,
                lease,
                until,
            } => (Some(*instance), Some(*lease), Some(*until)),
            Event::Approved { instance, .. }
            | Event::Denied { instance, .. }
            | Event::Revoked { instance, .. } => (Some(*instance), None, None),
        };
        Columns {
            time: entry.time,
            kind: entry.event.kind(),
            instance,
            lease,
            until,
        }
    }
}
