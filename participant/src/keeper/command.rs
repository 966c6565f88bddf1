//! The commands of a person: each does one thing with the ledger's file or the key's, whether or not a keeper runs.

use super::desk::Desk;
use super::key::{Key, NoKey};
use super::ledger::Fault;
use super::ledger::chain::Hash;
use super::ledger::decide::{Unsaid, Word};
use super::ledger::entry::{Time, Via};
use super::ledger::file::NoLedger;
use super::ledger::instance::Beginning;
use super::ledger::state::Placed;
use super::ledger::verify::Unsound;
use super::ledger::writer::Clock;
use super::settings::*;
use super::show::{Lease, Line, Request};
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::process::once;
use mcbn_runtime::settings::{Given, Program, Reported};
use mcbn_runtime::suite::Command;
use mcbn_runtime::units::Count;
use std::error::Error;
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

/// One line a command: its words, what it is for, its settings, what reads them, what it does.
macro_rules! commands {
    ($($name:ident: $words:literal, $about:literal, $settings:expr, $read:expr, $act:expr;)*) => {
        mod programs {
            use super::*;

            $(
                pub static $name: Program =
                    Program::tool(crate::NAME, crate::VERSION, $about, $settings)
                        .under($words, crate::BESIDE);
            )*
        }

        $(
            pub const $name: Command = Command {
                program: &programs::$name,
                main: || once(&programs::$name, $read, |asked| to_its_end($act(asked))),
            };
        )*
    };
}

commands! {
    MAKE_KEY: "keeper key",
        "Makes the keeper's TLS key in a new file, and prints its pin for the manifest.",
        &[OUT], |given| given.one(&OUT), make_key;
    SHOW_PIN: "keeper pin",
        "Prints the pin of the keeper's TLS key.",
        &[KEY], |given| given.one(&KEY), show_pin;
    LIST: "keeper list",
        "Shows the requests that wait for a person, with what their tokens say, and the leases that run.",
        &[LEDGER, JSON], read_list, list;
    APPROVE: "keeper approve",
        "Lets an instance have the share: one that waits, was denied, or was revoked.",
        &[ID, LEDGER], |given| read_about(given, Word::Approve), tell;
    DENY: "keeper deny",
        "Refuses an instance, and ends its leases.",
        &[ID, LEDGER], |given| read_about(given, Word::Deny), tell;
    REVOKE: "keeper revoke",
        "Takes back what an instance was given, or consent as a whole. Workloads notice when they renew their lease.",
        &[LEASE, INSTANCE, ALL, LEDGER], read_revoke, tell;
    RESTORE: "keeper restore",
        "Gives consent again after it was withdrawn as a whole. Leases that were running then have ended.",
        &[LEDGER], |given| Ok((given.one(&LEDGER)?, Word::Restore)), tell;
    LOG: "keeper log",
        "Shows the ledger, an entry a line.",
        &[LEDGER, LAST, JSON], read_log, log;
    VERIFY: "keeper log verify",
        "Computes the ledger's chain of hashes again and prints its head; names the first entry that is not as it was written.",
        &[LEDGER, HEAD], read_verify, verify;
}

/// The machine's clock.
pub fn clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        // Before 1970, everything is expired or in the future.
        let milliseconds = since.unwrap_or_default().as_millis();
        Time(u64::try_from(milliseconds).unwrap_or(u64::MAX))
    })
}

/// Who reads less than all of the output has what they wanted.
fn to_its_end(done: Result<(), Failed>) -> Result<(), Failed> {
    match done {
        Err(Failed::Enough) => Ok(()),
        done => done,
    }
}

fn make_key(path: PathBuf) -> Result<(), Failed> {
    let key = Key::create(&path)?;
    print(format_args!("{}\n", key.pin()))
}

fn show_pin(path: PathBuf) -> Result<(), Failed> {
    let key = Key::read(&path)?;
    print(format_args!("{}\n", key.pin()))
}

fn desk(ledger: PathBuf) -> Result<Desk, Failed> {
    Ok(Desk::open(&ledger, Via::Command, clock())?)
}

fn read_list(given: &mut Given) -> Result<(PathBuf, bool), Reported> {
    let json = given.on(&JSON);
    Ok((given.one(&LEDGER)?, json))
}

fn list((ledger, json): (PathBuf, bool)) -> Result<(), Failed> {
    let desk = desk(ledger)?;
    let (pending, leases) = (desk.pending()?, desk.leases()?);
    if json {
        for placed in pending
            .iter()
            .chain(leases.iter().map(|lease| &lease.released))
        {
            print_json(placed)?;
        }
        return Ok(());
    }
    if desk.is_withdrawn()? {
        print("consent is withdrawn from all; mcbn keeper restore gives it again\n")?;
    }
    if pending.is_empty() && leases.is_empty() {
        print("no request waits, and no lease runs\n")?;
    }
    for placed in &pending {
        print(Request(placed))?;
    }
    for lease in &leases {
        print(Lease(lease))?;
    }
    Ok(())
}

fn read_about(given: &mut Given, word: fn(Beginning) -> Word) -> Result<(PathBuf, Word), Reported> {
    let ledger = given.one(&LEDGER);
    let id = given.one(&ID);
    Ok((ledger?, word(id?)))
}

fn read_revoke(given: &mut Given) -> Result<(PathBuf, Word), Reported> {
    let ledger = given.one(&LEDGER);
    let lease = given.optional(&LEASE);
    let instance = given.optional(&INSTANCE);
    let all = given.on(&ALL);
    let word = match (lease?, instance?, all) {
        (Some(lease), None, false) => Word::RevokeLease(lease),
        (None, Some(instance), false) => Word::RevokeInstance(instance),
        (None, None, true) => Word::Withdraw,
        _ => {
            let reason = "one of the three says what is revoked";
            return Err(given.refuse(&[&LEASE, &INSTANCE, &ALL], reason));
        }
    };
    Ok((ledger?, word))
}

fn tell((ledger, word): (PathBuf, Word)) -> Result<(), Failed> {
    let about = desk(ledger)?.say(&word)?.map_err(Failed::Unsaid)?;
    let done = match word {
        Word::Approve(_) => "approved",
        Word::Deny(_) => "denied",
        Word::RevokeLease(_) | Word::RevokeInstance(_) => "revoked",
        Word::Withdraw => "withdrawn",
        Word::Restore => "restored",
    };
    match about {
        Some(instance) => print(format_args!("{done} {instance}\n")),
        None => print(format_args!("{done}\n")),
    }
}

fn read_log(given: &mut Given) -> Result<(PathBuf, Option<Count>, bool), Reported> {
    let ledger = given.one(&LEDGER);
    let last = given.optional(&LAST);
    let json = given.on(&JSON);
    Ok((ledger?, last?, json))
}

/// Entries that are in memory at one time.
const SOME: usize = 1000;

fn log((ledger, last, json): (PathBuf, Option<Count>, bool)) -> Result<(), Failed> {
    let desk = desk(ledger)?;
    let mut seen = match last {
        None => 0,
        Some(count) => {
            let end = desk.before(u64::MAX, 1)?.first().map_or(0, |last| last.seq);
            end.saturating_sub(count.get().get() as u64)
        }
    };
    loop {
        let some = desk.after(seen, SOME)?;
        let Some(last) = some.last() else {
            return Ok(());
        };
        seen = last.seq;
        for placed in &some {
            match json {
                true => print_json(placed)?,
                false => print(format_args!("{}\n", Line(placed)))?,
            }
        }
    }
}

fn print_json(placed: &Placed) -> Result<(), Failed> {
    let body = String::from_utf8(placed.entry.to_bytes()).expect("JSON is UTF-8");
    // The bytes after `entry` are those that the hash covers.
    let Placed { seq, hash, .. } = placed;
    print(format_args!(
        "{{\"seq\":{seq},\"hash\":\"{hash}\",\"entry\":{body}}}\n"
    ))
}

fn read_verify(given: &mut Given) -> Result<(PathBuf, Option<Hash>), Reported> {
    let ledger = given.one(&LEDGER);
    let head = given.optional(&HEAD);
    Ok((ledger?, head?))
}

fn verify((ledger, noted): (PathBuf, Option<Hash>)) -> Result<(), Failed> {
    let head = desk(ledger)?.verify(noted)?;
    print(format_args!("{} {}\n", head.seq, head.hash))
}

fn print(what: impl Display) -> Result<(), Failed> {
    match write!(io::stdout().lock(), "{what}") {
        // Who reads, as `head` does, may have enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failed::Enough),
        done => done.map_err(Failed::Output),
    }
}

/// The command did not do what it was asked.
#[derive(Debug)]
enum Failed {
    Ledger(NoLedger),
    Fault(Fault),
    Unsaid(Unsaid),
    Unsound(Unsound),
    Key(NoKey),
    Output(io::Error),
    Enough,
}

impl From<NoLedger> for Failed {
    fn from(error: NoLedger) -> Failed {
        Failed::Ledger(error)
    }
}

impl From<Fault> for Failed {
    fn from(error: Fault) -> Failed {
        Failed::Fault(error)
    }
}

impl From<Unsound> for Failed {
    fn from(error: Unsound) -> Failed {
        Failed::Unsound(error)
    }
}

impl From<NoKey> for Failed {
    fn from(error: NoKey) -> Failed {
        Failed::Key(error)
    }
}

impl Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failed::Ledger(error) => error.fmt(f),
            Failed::Fault(error) => error.fmt(f),
            Failed::Unsaid(error) => error.fmt(f),
            Failed::Unsound(error) => error.fmt(f),
            Failed::Key(error) => error.fmt(f),
            Failed::Output(_) | Failed::Enough => f.write_str("cannot write to standard output"),
        }
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Failed::Ledger(error) => error.source(),
            Failed::Fault(error) => error.source(),
            Failed::Unsound(error) => error.source(),
            Failed::Key(error) => error.source(),
            Failed::Output(error) => Some(error),
            Failed::Unsaid(_) | Failed::Enough => None,
        }
    }
}

impl Failure for Failed {
    fn exit(&self) -> Exit {
        match self {
            Failed::Ledger(error) => error.exit(),
            Failed::Key(error) => error.exit(),
            Failed::Unsaid(_) => Exit::Usage,
            Failed::Unsound(Unsound::Sqlite(_)) => Exit::Io,
            Failed::Unsound(_) | Failed::Fault(Fault::Rewritten) => Exit::Refused,
            Failed::Fault(_) | Failed::Output(_) => Exit::Io,
            Failed::Enough => Exit::Ok,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Failed::Ledger(error) => error.hint(),
            Failed::Fault(error) => error.hint(),
            Failed::Unsound(error) => error.hint(),
            Failed::Key(error) => error.hint(),
            Failed::Unsaid(Unsaid::Nobody) => Some("mcbn keeper list shows the names"),
            Failed::Unsaid(Unsaid::Several) => Some("give more of its digits"),
            Failed::Unsaid(_) | Failed::Output(_) | Failed::Enough => None,
        };
        hint.map(str::to_owned)
    }
}

impl NoLedger {
    pub fn exit(&self) -> Exit {
        match self {
            NoLedger::NotThere | NoLedger::NotALedger | NoLedger::OtherVersion => Exit::Usage,
            NoLedger::OtherSchema | NoLedger::OpenToOthers => Exit::Refused,
            NoLedger::Io(_) | NoLedger::Sqlite(_) => Exit::Io,
        }
    }
}
