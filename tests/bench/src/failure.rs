//! What ends the run, by who is at fault. A server that does not start is reported by `mcbn_tests_support`, which
//! panics with all that the server wrote.

use std::fmt;
use std::io;
use std::process::ExitCode;

#[derive(Debug)]
pub enum Failure {
    /// Whoever typed the command.
    Usage(lexopt::Error),
    /// This machine, which lacks something.
    Machine(String, io::Error),
    /// A server that did not do its part.
    Server(&'static str, io::Error),
    /// The list of images.
    Digests(String),
}

impl Failure {
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) => 64,
            Self::Digests(_) => 65,
            Self::Server(..) => 69,
            Self::Machine(..) => 71,
        })
    }

    /// For `map_err`, where the machine failed in doing `what`.
    pub fn machine(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Machine(what, source)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => write!(f, "{error}"),
            Self::Machine(what, source) => write!(f, "cannot {what}: {source}"),
            Self::Server(name, source) => write!(f, "{name}: {source}"),
            Self::Digests(what) => f.write_str(what),
        }
    }
}
