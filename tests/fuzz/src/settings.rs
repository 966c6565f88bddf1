//! Arguments and variables, as an operator could give them.

use crate::share::with_text;
use mcbn_runtime::admin::{self, Loopback};
use mcbn_runtime::log::{self, Level};
use mcbn_runtime::settings::{Asked, Faults, Given, Port, Program, Reported, Setting};
use mcbn_runtime::shutdown;
use mcbn_runtime::units::Period;
use mcbn_share::Source;
use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

const LISTEN: Setting = Setting::value("listen", "ADDR:PORT", "an address")
    .default("127.0.0.1:1")
    .operator();
const SHARE: Setting = Setting::value("share", "NAME=SOURCE", "a source")
    .required()
    .repeat();
const IDLE: Setting = Setting::value("idle-timeout", "TIME", "a time");
const TLS12: Setting = Setting::switch("tls12", "a switch");

static PROGRAM: Program = Program::new(
    "fuzzed",
    "1",
    "A program with a setting of every sort.",
    &[LISTEN, SHARE, IDLE, TLS12],
    &[Port::tcp(1)],
);

fn read(given: &mut Given) -> Result<(), Reported> {
    let listen = given.one::<SocketAddr>(&LISTEN);
    let shares = given.all::<Source>(&SHARE);
    let idle = given.optional::<Period>(&IDLE);
    let level = given.one::<Level>(&log::LEVEL);
    let admin = given.optional::<Loopback>(&admin::LISTEN);
    let drain = given.one::<Period>(&shutdown::DRAIN);
    given.on(&TLS12);
    if let Ok(shares) = &shares {
        assert!(!shares.is_empty(), "a required setting is missing");
    }
    listen.and(shares.map(drop)).and(idle.map(drop))?;
    level.and(admin.map(drop)).and(drain.map(drop))
}

/// Arguments, each ended by a zero byte as in a process.
pub fn arguments(data: &[u8]) {
    let arguments: Vec<OsString> = pieces(data).map(|a| OsString::from_vec(a.into())).collect();
    let asked = PROGRAM.parse(arguments, [], read);
    assert_answered(asked, data);
}

/// `NAME=VALUE`, each ended by a zero byte as in a process.
pub fn variables(data: &[u8]) {
    let variables = pieces(data).filter_map(|piece| {
        let at = piece.iter().position(|b| *b == b'=')?;
        let (name, value) = (&piece[..at], &piece[at + 1..]);
        Some((
            OsStr::from_bytes(name).into(),
            OsStr::from_bytes(value).into(),
        ))
    });
    let asked = PROGRAM.parse([], variables, read);
    assert_answered(asked, data);
}

fn pieces(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|b| *b == 0)
}

/// A refusal has lines of the promised form only, and shows nothing that could be a key.
fn assert_answered(asked: Result<Asked<()>, Faults>, data: &[u8]) {
    let faults = match asked {
        Ok(Asked::Run(())) => return,
        Ok(Asked::Print(text)) => return assert!(text.ends_with('\n')),
        Err(faults) => faults,
    };
    let mut report = Vec::new();
    faults.report(&mut report);
    let report = String::from_utf8(report).expect("messages are text");
    let lines: Vec<&str> = report.split_terminator('\n').collect();
    let (hint, errors) = lines.split_last().expect("a mistake is reported");
    assert!(hint.starts_with("fuzzed: hint: "), "{hint:?}");
    assert!(!errors.is_empty());
    for line in errors {
        assert!(line.starts_with("fuzzed: error: "), "{line:?}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    for piece in pieces(data) {
        assert_hides_keys(&report, piece);
    }
}

/// Twelve characters with four digits among them are no name of a flag.
fn assert_hides_keys(report: &str, piece: &[u8]) {
    with_text(piece, |piece| {
        for part in piece.as_bytes().windows(12) {
            let digits = part.iter().filter(|b| b.is_ascii_digit()).count();
            if let (true, Ok(part)) = (digits >= 4, str::from_utf8(part)) {
                assert!(!report.contains(part), "{part:?} is shown in {report:?}");
            }
        }
    });
}

pub fn admin_address(data: &[u8]) {
    with_text(data, |text| {
        if let Ok(address) = text.parse::<Loopback>() {
            assert!(address.get().ip().is_loopback());
        }
    });
}
