//! How a program ends: one list of exit codes, and `error:` then `hint:` on standard error.
//!
//! Standard output is for data only, so nothing here writes to it.

use std::error::Error;
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::process::ExitCode;

/// Why a program ended, with the numbers of `sysexits.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The work is done, or a signal ended it in order.
    Ok,
    /// The configuration is wrong: whoever started the program must change it.
    Usage,
    /// Another service or peer that is needed is not there.
    Unavailable,
    /// A bug in this program.
    Bug,
    /// The operating system refused a resource or an operation.
    Platform,
    /// Reading or writing failed.
    Io,
    /// Something was refused: a share, a peer, a token; or this program may not do what it must.
    Refused,
}

impl Exit {
    pub const fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::Usage => 64,
            Exit::Unavailable => 69,
            Exit::Bug => 70,
            Exit::Platform => 71,
            Exit::Io => 74,
            Exit::Refused => 77,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// An error that ends a program: it knows who is at fault and what to do next.
pub trait Failure: Error {
    fn exit(&self) -> Exit;

    /// What to do next, in lower case and without a full stop.
    fn hint(&self) -> Option<String> {
        None
    }
}

impl Failure for io::Error {
    fn exit(&self) -> Exit {
        match self.kind() {
            io::ErrorKind::PermissionDenied => Exit::Refused,
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown => Exit::Unavailable,
            _ => Exit::Io,
        }
    }
}

impl Failure for std::convert::Infallible {
    fn exit(&self) -> Exit {
        match *self {}
    }
}

/// Writes `program: error: …` with the error's sources, then its hint, and gives the exit code.
pub fn report(program: &str, failure: &dyn Failure) -> Exit {
    let hint = failure.hint();
    write_report(
        &mut io::stderr().lock(),
        program,
        [Chain(failure)],
        hint.as_deref(),
    );
    failure.exit()
}

/// One `error:` line for each error, or for each line of one that is a list, then at most one `hint:`.
pub(crate) fn write_report(
    out: &mut dyn Write,
    program: &str,
    errors: impl IntoIterator<Item = impl Display>,
    hint: Option<&str>,
) {
    // Standard error may be closed; there is nowhere else to say so.
    for error in errors {
        for line in error.to_string().lines() {
            let _ = writeln!(out, "{program}: error: {line}");
        }
    }
    if let Some(hint) = hint {
        let _ = writeln!(out, "{program}: hint: {hint}");
    }
}

/// An error and its sources on one line.
pub(crate) struct Chain<'a>(pub(crate) &'a dyn Error);

impl Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(io::Error);

    impl Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("cannot read the share of alice")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    impl Failure for Outer {
        fn exit(&self) -> Exit {
            Exit::Io
        }
        fn hint(&self) -> Option<String> {
            Some("check the path".into())
        }
    }

    #[test]
    fn an_error_is_written_with_its_sources_and_then_the_hint() {
        let failure = Outer(io::Error::other("disk on fire"));
        let mut out = Vec::new();
        write_report(
            &mut out,
            "psk-server",
            [Chain(&failure)],
            failure.hint().as_deref(),
        );
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "psk-server: error: cannot read the share of alice: disk on fire\n\
             psk-server: hint: check the path\n"
        );
    }

    #[test]
    fn an_error_that_is_a_list_has_a_line_for_each_item() {
        let mut out = Vec::new();
        write_report(&mut out, "mcbn", ["a:1:1: one\na:2:1: two"], None);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "mcbn: error: a:1:1: one\nmcbn: error: a:2:1: two\n"
        );
    }

    #[test]
    fn the_numbers_are_those_of_sysexits() {
        let numbers = [
            Exit::Ok,
            Exit::Usage,
            Exit::Unavailable,
            Exit::Bug,
            Exit::Platform,
            Exit::Io,
            Exit::Refused,
        ]
        .map(Exit::code);
        assert_eq!(numbers, [0, 64, 69, 70, 71, 74, 77]);
    }
}
