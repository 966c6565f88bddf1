//! What the page reads in the ledger beside [`state`](crate::keeper::ledger::state): for people to look at, and so an
//! entry that is not as it was written is shown too, and said to be so.

use crate::keeper::ledger::chain::{Hash, Head};
use crate::keeper::ledger::entry::{Entry, Event, Kind, Time};
use crate::keeper::ledger::instance::{Instance, InstanceId};
use crate::keeper::ledger::state::{self, Placed, Running};
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::BTreeMap;

/// What stands in one place of the ledger.
#[derive(Clone, Debug)]
pub struct Line {
    pub seq: u64,
    pub hash: Hash,
    pub body: Vec<u8>,
    /// None where the bytes are not those of an entry.
    pub entry: Option<Entry>,
}

/// Everything that the first page shows.
#[derive(Debug)]
pub struct Overview {
    /// The last entry that was looked at: a form says it, so that it counts for what was seen.
    pub seen: u64,
    pub now: Time,
    /// The entry that withdrew consent as a whole.
    pub withdrawn: Option<Line>,
    pub waiting: Vec<Waiting>,
    pub leases: Vec<Running>,
    pub spoken: Vec<Spoken>,
    pub refused: Vec<Line>,
}

/// An instance that waits for a person.
#[derive(Debug)]
pub struct Waiting {
    pub last: Placed,
    pub since: Time,
}

/// What was last said of an instance.
#[derive(Debug)]
pub struct Spoken {
    pub line: Line,
    pub instance: InstanceId,
    /// What is known of it.
    pub asked: Option<Instance>,
}

/// More would be a list for the command line.
pub const MOST: usize = 50;
const REFUSED: usize = 5;

/// Entries in which refusals, or entries of another kind than renewals, are looked for at one time.
pub const WINDOW: u64 = 10_000;

pub fn overview(ledger: &Connection, now: Time) -> rusqlite::Result<Overview> {
    let seen = head(ledger)?;
    let withdrawal = lines(
        ledger,
        "SELECT seq, hash, body FROM entries WHERE kind IN ('withdrawn', 'restored') ORDER BY seq DESC LIMIT 1",
        (),
    )?;
    let is_withdrawal = |line: &Line| line.kind() == Some(Kind::Withdrawn);
    let waiting = state::pending(ledger, MOST)?.into_iter().map(|last| {
        let since = first_asked(ledger, &last)?;
        Ok(Waiting { last, since })
    });
    Ok(Overview {
        seen,
        now,
        withdrawn: withdrawal.into_iter().find(is_withdrawal),
        waiting: waiting.collect::<rusqlite::Result<_>>()?,
        leases: state::leases(ledger, now, MOST)?,
        spoken: spoken(ledger)?,
        refused: lines(
            ledger,
            "SELECT seq, hash, body FROM entries WHERE seq > ?1 AND kind = 'refused' ORDER BY seq DESC LIMIT ?2",
            (seen.saturating_sub(WINDOW) as i64, REFUSED as i64),
        )?,
    })
}

/// The place of the last entry.
pub fn head(ledger: &Connection) -> rusqlite::Result<u64> {
    ledger
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM entries")?
        .query_row((), |row| row.get(0))
}

/// When an instance first asked since a person last spoke of it.
fn first_asked(ledger: &Connection, last: &Placed) -> rusqlite::Result<Time> {
    let Event::Pending { instance, .. } = &last.entry.event else {
        return Ok(last.entry.time);
    };
    let first = ledger
        .prepare_cached(
            "SELECT time FROM entries WHERE kind IN ('pending', 'released') AND instance = ?1 AND kind = 'pending'
             AND seq > coalesce((
                 SELECT max(seq) FROM entries WHERE kind IN ('approved', 'denied', 'revoked') AND instance = ?1
             ), 0)
             ORDER BY seq LIMIT 1",
        )?
        .query_row([instance.id()], |row| row.get(0))
        .optional()?;
    Ok(first.unwrap_or(last.entry.time))
}

fn spoken(ledger: &Connection) -> rusqlite::Result<Vec<Spoken>> {
    let said = lines(
        ledger,
        "SELECT seq, hash, body FROM entries WHERE seq IN (
             SELECT max(seq) FROM entries WHERE kind IN ('approved', 'denied', 'revoked')
             GROUP BY instance ORDER BY max(seq) DESC LIMIT ?1
         ) ORDER BY seq DESC",
        [MOST as i64],
    )?;
    let mut spoken = Vec::new();
    for line in said {
        let Some(instance) = line.named() else {
            continue;
        };
        spoken.push(Spoken {
            asked: asked(ledger, instance)?,
            instance,
            line,
        });
    }
    Ok(spoken)
}

/// What an instance said that it is when it last asked.
pub fn asked(ledger: &Connection, instance: InstanceId) -> rusqlite::Result<Option<Instance>> {
    let last = lines(
        ledger,
        "SELECT seq, hash, body FROM entries WHERE kind IN ('pending', 'released') AND instance = ?1
         ORDER BY seq DESC LIMIT 1",
        [instance],
    )?;
    Ok(last.into_iter().find_map(|line| match line.entry?.event {
        Event::Pending { instance, .. } | Event::Released { instance, .. } => Some(instance),
        _ => None,
    }))
}

/// The last thing that a person said of an instance.
pub fn last_said(ledger: &Connection, instance: InstanceId) -> rusqlite::Result<Option<Line>> {
    let last = lines(
        ledger,
        "SELECT seq, hash, body FROM entries WHERE kind IN ('approved', 'denied', 'revoked') AND instance = ?1
         ORDER BY seq DESC LIMIT 1",
        [instance],
    )?;
    Ok(last.into_iter().next())
}

/// Whether consent as a whole is taken back, by that entry.
pub fn withdrawal(ledger: &Connection) -> rusqlite::Result<Option<u64>> {
    let last = ledger
        .prepare_cached(
            "SELECT seq, kind FROM entries WHERE kind IN ('withdrawn', 'restored') ORDER BY seq DESC LIMIT 1",
        )?
        .query_row((), |row| Ok((row.get(0)?, row.get::<_, Kind>(1)?)))
        .optional()?;
    Ok(last.and_then(|(seq, kind)| (kind == Kind::Withdrawn).then_some(seq)))
}

/// One page of the ledger, the last entry first.
#[derive(Debug)]
pub struct Leaf {
    pub lines: Vec<Line>,
    /// Where the page before it begins.
    pub older: Option<u64>,
    pub head: u64,
    /// What is known of the instances that its lines speak of by their names alone.
    pub known: Known,
}

pub type Known = BTreeMap<InstanceId, Instance>;

pub const LINES: usize = 50;

/// The entries before a place; without renewals, which are most of them, as far as they are in its [`WINDOW`].
pub fn leaf(ledger: &Connection, before: Option<u64>, renewals: bool) -> rusqlite::Result<Leaf> {
    let head = head(ledger)?;
    let before = before.unwrap_or(u64::MAX).min(head.saturating_add(1));
    let start = match renewals {
        true => 1,
        false => before.saturating_sub(WINDOW).max(1),
    };
    let lines = lines(
        ledger,
        "SELECT seq, hash, body FROM entries WHERE seq < ?1 AND seq >= ?2 AND (?3 OR kind <> 'renewed')
         ORDER BY seq DESC LIMIT ?4",
        (before as i64, start as i64, renewals, LINES as i64),
    )?;
    let next = match lines.last() {
        Some(last) if lines.len() == LINES => last.seq,
        _ => start,
    };
    Ok(Leaf {
        known: known(ledger, &lines)?,
        lines,
        older: (next > 1).then_some(next),
        head,
    })
}

fn known(ledger: &Connection, lines: &[Line]) -> rusqlite::Result<Known> {
    let mut known = Known::new();
    for id in lines.iter().filter_map(Line::named) {
        if !known.contains_key(&id)
            && let Some(instance) = asked(ledger, id)?
        {
            known.insert(id, instance);
        }
    }
    Ok(known)
}

/// What stands in a place, and before it.
#[derive(Debug)]
pub struct Entered {
    pub line: Line,
    pub known: Known,
    pub before: Hash,
    pub head: u64,
}

pub fn entered(ledger: &Connection, seq: u64) -> rusqlite::Result<Option<Entered>> {
    let at = |seq: u64| {
        let found = lines(
            ledger,
            "SELECT seq, hash, body FROM entries WHERE seq = ?1",
            [i64::try_from(seq).unwrap_or(i64::MAX)],
        );
        found.map(|found| found.into_iter().next())
    };
    let Some(line) = at(seq)? else {
        return Ok(None);
    };
    let before = match at(seq.saturating_sub(1))? {
        Some(before) => before.hash,
        None => Head::START.hash,
    };
    Ok(Some(Entered {
        known: known(ledger, std::slice::from_ref(&line))?,
        line,
        before,
        head: head(ledger)?,
    }))
}

impl Entered {
    /// Whether its hash is that of its bytes, its place and the entry before it.
    pub fn is_linked(&self) -> bool {
        let before = Head {
            seq: self.line.seq.saturating_sub(1),
            hash: self.before,
        };
        before.then(&self.line.body).hash == self.line.hash
    }
}

impl Line {
    pub fn event(&self) -> Option<&Event> {
        self.entry.as_ref().map(|entry| &entry.event)
    }

    pub fn kind(&self) -> Option<Kind> {
        self.event().map(Event::kind)
    }

    /// The instance of which it has no more than the name.
    fn named(&self) -> Option<InstanceId> {
        match self.event()? {
            Event::Renewed { instance, .. }
            | Event::Approved { instance, .. }
            | Event::Denied { instance, .. }
            | Event::Revoked { instance, .. } => Some(*instance),
            _ => None,
        }
    }
}

fn lines(
    ledger: &Connection,
    sql: &'static str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Vec<Line>> {
    let mut query = ledger.prepare_cached(sql)?;
    let rows = query.query_map(parameters, line)?;
    rows.collect()
}

fn line(row: &Row<'_>) -> rusqlite::Result<Line> {
    let body: Vec<u8> = row.get(2)?;
    Ok(Line {
        seq: row.get(0)?,
        hash: Hash(row.get(1)?),
        entry: Entry::from_bytes(&body),
        body,
    })
}
