//! Several programs in one executable, each called by its words: `mcbn keeper run`.
//!
//! Each is a [`Program`] with a table of its own. What is asked of a word that calls none of them is answered here. One of
//! them may be what the executable is for, and need no word: `tpm-psk --role server` beside `tpm-psk key create`.

use crate::exit::{Exit, write_report};
use crate::settings::Program;
use crate::settings::help::{ending, list, wrap};
use crate::settings::process::print;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::io;
use std::process::ExitCode;

/// One of the programs, and its `main`.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    pub program: &'static Program,
    pub main: fn() -> ExitCode,
}

/// All of them.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    pub name: &'static str,
    pub version: &'static str,
    pub about: &'static str,
    /// What runs where the arguments begin with no word of a command.
    pub default: Option<Command>,
    pub commands: &'static [Command],
}

/// What the arguments call.
#[derive(Debug)]
enum Called {
    Command(Command),
    /// Text for standard output, then the end.
    Print(String),
    Mistake(Mistake),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    /// There are commands under these words, and none is named.
    Nothing,
    Unknown,
}

impl Suite {
    /// A program, and the [commands](Program::with_commands) beside it.
    pub const fn of(default: Command) -> Suite {
        let Command { program, .. } = default;
        Suite {
            name: program.name(),
            version: program.version(),
            about: program.about(),
            default: Some(default),
            commands: program.commands(),
        }
    }

    /// Runs the command that this process's arguments name.
    pub fn main(&self) -> ExitCode {
        match self.called(env::args_os().skip(1)) {
            Called::Command(command) => (command.main)(),
            Called::Print(text) => print(&text).into(),
            Called::Mistake(mistake) => self.report(mistake, &mut io::stderr().lock()).into(),
        }
    }

    fn called(&self, arguments: impl IntoIterator<Item = OsString>) -> Called {
        let mut arguments = arguments.into_iter().peekable();
        let mut words: Vec<OsString> = Vec::new();
        // As many words as there are: `keeper log verify`, not `keeper log`.
        while let Some(word) = arguments.peek() {
            let mut longer = words.clone();
            longer.push(word.clone());
            if self.under(&longer).next().is_none() {
                break;
            }
            arguments.next();
            words = longer;
        }
        if let Some(command) = self.commands.iter().find(|command| command.is(&words)) {
            return Called::Command(*command);
        }
        let next = arguments.next();
        if let (Some(default), []) = (self.default, &words[..])
            && next.as_deref().is_none_or(is_flag)
        {
            return Called::Command(default);
        }
        match next {
            Some(flag) if flag == "--help" || flag == "-h" => {
                Called::Print(self.help(self.under(&words)))
            }
            Some(flag) if flag == "--version" || flag == "-V" => Called::Print(self.version_line()),
            Some(_) => Called::Mistake(Mistake::Unknown),
            None => Called::Mistake(Mistake::Nothing),
        }
    }

    /// The commands that begin with these words.
    fn under(&self, words: &[OsString]) -> impl Iterator<Item = &'static Command> {
        let commands = self.commands.iter();
        commands.filter(|command| command.begins(words))
    }

    fn version_line(&self) -> String {
        format!("{} {}\n", self.name, self.version)
    }

    fn help(&self, commands: impl Iterator<Item = &'static Command>) -> String {
        let mut text = self.version_line();
        wrap(&mut text, 0, self.about);
        let name = self.name;
        let _ = write!(text, "\nUsage: {name} COMMAND [SETTING]...\n\n");
        wrap(
            &mut text,
            0,
            &format!("{name} COMMAND --help lists the settings of a command."),
        );
        list(&mut text, commands);
        ending(&mut text);
        text
    }

    fn report(&self, mistake: Mistake, out: &mut dyn io::Write) -> Exit {
        let error = match mistake {
            Mistake::Nothing => "a command is missing",
            Mistake::Unknown => {
                "there is no such command; it is not repeated here, since it could be a secret"
            }
        };
        let hint = format!("{} --help lists every command", self.name);
        write_report(out, self.name, [error], Some(&hint));
        Exit::Usage
    }
}

impl Command {
    fn is(&self, words: &[OsString]) -> bool {
        self.begins(words) && self.program.command().count() == words.len()
    }

    fn begins(&self, words: &[OsString]) -> bool {
        let mut own = self.program.command();
        words
            .iter()
            .all(|word| own.next().is_some_and(|own| word == own))
    }
}

/// A word that is none may be a command that was mistyped, or a secret.
fn is_flag(argument: &OsStr) -> bool {
    argument.as_encoded_bytes().starts_with(b"-")
}

#[cfg(test)]
mod tests;
