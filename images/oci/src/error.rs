//! What can go wrong, by who can mend it, and the exit code that says so.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::Mistake;
use crate::fault::{Fault, Unreadable};

#[derive(Debug)]
pub enum Error {
    /// The command line.
    Usage(Vec<Mistake>),
    /// A file that was given does not hold what it should.
    Content {
        path: PathBuf,
        reason: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What was compared is not the same. Each reason is one line.
    Differs {
        reasons: Vec<String>,
        hint: &'static str,
    },
    /// The file system.
    Io { path: PathBuf, error: io::Error },
}

impl Error {
    /// For `map_err` where a file is read or written.
    pub fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { path, error }
    }

    /// For `map_err` where a file's content is parsed.
    pub fn content<E>(path: &Path) -> impl FnOnce(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let path = path.to_owned();
        move |reason| Self::Content {
            path,
            reason: Box::new(reason),
        }
    }

    /// For `map_err` where an image is read.
    pub fn unreadable(path: &Path) -> impl FnOnce(Unreadable) -> Self {
        let path = path.to_owned();
        move |error| match error {
            Unreadable::Io(error) => Self::Io { path, error },
            Unreadable::Fault(fault) => Self::content::<Fault>(&path)(fault),
        }
    }

    /// A difference is 1, as with `diff` and `cmp`; the rest are those of sysexits.h.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Differs { .. } => 1,
            Self::Usage(_) => 64,
            Self::Content { .. } => 65,
            Self::Io { .. } => 74,
        }
    }

    /// `program: error: …` lines, then the hint.
    pub fn report(&self, program: &str) -> String {
        let (reasons, hint) = match self {
            Self::Usage(mistakes) => {
                let reasons = mistakes.iter().map(Mistake::to_string).collect();
                (
                    reasons,
                    format!("{program} --help lists commands, flags and operands"),
                )
            }
            Self::Differs { reasons, hint } => (reasons.clone(), (*hint).to_owned()),
            Self::Content { .. } | Self::Io { .. } => (vec![self.to_string()], String::new()),
        };
        let mut text = String::new();
        for reason in reasons {
            text.push_str(&format!("{program}: error: {reason}\n"));
        }
        if !hint.is_empty() {
            text.push_str(&format!("{program}: hint: {hint}\n"));
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(mistakes) => {
                let mistakes: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
                f.write_str(&mistakes.join("; "))
            }
            Self::Differs { reasons, .. } => f.write_str(&reasons.join("; ")),
            Self::Content { path, reason } => write!(f, "{}: {reason}", path.display()),
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for Error {}
