//! The real arguments and variables, and the real standard output and error.

use super::{Asked, Given, Program, Reported};
use crate::exit::Exit;
use std::env;
use std::io::{self, Write};

impl Program {
    /// Reads this process's configuration, or answers `--help` and the like, or reports every mistake.
    ///
    /// # Errors
    ///
    /// The exit code of a program that has no more to do: everything has been written.
    pub fn load<C>(
        &'static self,
        read: impl FnOnce(&mut Given) -> Result<C, Reported>,
    ) -> Result<C, Exit> {
        match self.parse(env::args_os().skip(1), env::vars_os(), read) {
            Ok(Asked::Run(config)) => Ok(config),
            Ok(Asked::Print(text)) => Err(match io::stdout().lock().write_all(text.as_bytes()) {
                Ok(()) => Exit::Ok,
                Err(_) => Exit::Io,
            }),
            Err(faults) => Err(faults.report(&mut io::stderr().lock())),
        }
    }
}
