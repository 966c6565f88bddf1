//! Logs: one JSON object a line on standard error, times in RFC 3339 UTC.
//!
//! The operator may read them, so nothing secret is ever a field. A panic is logged with its place; its message only
//! where it is a literal of the program, since a formatted one may hold a value.

use crate::settings::Setting;
use std::fmt::{self, Display};
use std::panic::{self, PanicHookInfo};
use std::str::FromStr;
use tracing::level_filters::LevelFilter;

/// Part of every program's table.
pub const LEVEL: Setting = Setting::value(
    "log-level",
    "LEVEL",
    "how much to log: error, warn, info, debug or trace",
)
.default("info")
.operator();

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(LevelFilter);

impl Level {
    pub const ERROR: Level = Level(LevelFilter::ERROR);
}

impl FromStr for Level {
    type Err = NotALevel;

    fn from_str(text: &str) -> Result<Level, NotALevel> {
        Ok(Level(match text {
            "error" => LevelFilter::ERROR,
            "warn" => LevelFilter::WARN,
            "info" => LevelFilter::INFO,
            "debug" => LevelFilter::DEBUG,
            "trace" => LevelFilter::TRACE,
            _ => return Err(NotALevel),
        }))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotALevel;

impl Display for NotALevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not one of error, warn, info, debug, trace")
    }
}

impl std::error::Error for NotALevel {}

/// Installs the log and the panic hook for the whole process, once.
pub fn install(level: Level) {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_max_level(level.0)
        // A closed standard error is no reason to panic.
        .log_internal_errors(false)
        .with_writer(std::io::stderr)
        .finish();
    // Already set only in a test process that runs two programs; the first log then serves both.
    let _ = tracing::subscriber::set_global_default(subscriber);
    panic::set_hook(Box::new(log_panic));
}

fn log_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, literal = literal_of(info), "bug: a task panicked");
}

/// `&'static str` payloads come from the source text; `String` payloads were formatted at run time.
fn literal_of<'a>(info: &'a PanicHookInfo<'_>) -> Option<&'a str> {
    info.payload().downcast_ref::<&'static str>().copied()
}
