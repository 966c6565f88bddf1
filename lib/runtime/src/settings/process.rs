//! The real arguments and variables, and the real standard output and error.

use super::{Asked, Given, Program, Reported};
use crate::exit::Exit;
use std::env;
use std::io::{self, Write};

impl Program {
    /// Reads this process's configuration (what stands after the words of its command), or answers `--help` and the like, or reports every mistake.
    ///
    /// # Errors
    ///
    /// The exit code of a program that has no more to do: everything has been written.
    pub fn load<C>(
        &'static self,
        read: impl FnOnce(&mut Given) -> Result<C, Reported>,
    ) -> Result<C, Exit> {
        let arguments = env::args_os().skip(1 + self.command().count());
        match self.parse(arguments, env::vars_os(), read) {
            Ok(Asked::Run(config)) => Ok(config),
            Ok(Asked::Print(text)) => Err(print(&text)),
            Err(faults) => Err(faults.report(&mut io::stderr().lock())),
        }
    }
}

/// Writes what was asked for to standard output; the end of a program that has no more to do.
pub(crate) fn print(text: &str) -> Exit {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => Exit::Ok,
        Err(_) => Exit::Io,
    }
}
