//! Several programs in one executable, each called by its words: `mcbn keeper run`.
//!
//! Each is a [`Program`] with a table of its own. What is asked of a word that calls none of them is answered here.

use crate::exit::{Exit, write_report};
use crate::settings::Program;
use crate::settings::help::{INDENT, ending, wrap};
use crate::settings::process::print;
use std::env;
use std::ffi::OsString;
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
    pub commands: &'static [Command],
}

/// What the arguments call.
#[derive(Debug)]
enum Called {
    Command(&'static Command),
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
            return Called::Command(command);
        }
        match arguments.next() {
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
        for Command { program, .. } in commands {
            text.push_str("\n ");
            for word in program.command() {
                let _ = write!(text, " {word}");
            }
            text.push('\n');
            wrap(&mut text, INDENT, program.about());
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const fn program(command: &'static str, about: &'static str) -> Program {
        Program::tool("mcbn", "1.2.3", about, &[]).under(command, &[])
    }

    static RUN: Program = program("keeper run", "Hands out a share.");
    static LIST: Program = program("keeper list", "Shows what is asked for.");
    static LOG: Program = program("keeper log", "Shows the ledger.");
    static VERIFY: Program = program("keeper log verify", "Checks the ledger.");
    static NEW: Program = program("share new", "Makes a share.");

    const fn command(program: &'static Program) -> Command {
        Command {
            program,
            main: || ExitCode::SUCCESS,
        }
    }

    static SUITE: Suite = Suite {
        name: "mcbn",
        version: "1.2.3",
        about: "What a participant runs.",
        commands: &[
            command(&RUN),
            command(&LIST),
            command(&LOG),
            command(&VERIFY),
            command(&NEW),
        ],
    };

    fn called(arguments: &[&str]) -> Called {
        SUITE.called(arguments.iter().map(Into::into))
    }

    #[track_caller]
    fn calls(arguments: &[&str], program: &'static Program) {
        match called(arguments) {
            Called::Command(command) => assert!(std::ptr::eq(command.program, program)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_command_is_called_by_its_words_and_reads_the_rest() {
        calls(&["keeper", "run"], &RUN);
        calls(&["keeper", "run", "--help"], &RUN);
        calls(&["keeper", "list", "keeper", "run"], &LIST);
        calls(&["keeper", "log"], &LOG);
        calls(&["keeper", "log", "--json"], &LOG);
        calls(&["keeper", "log", "verify"], &VERIFY);
        calls(&["keeper", "log", "verified"], &LOG);
        calls(&["share", "new", "--out", "x"], &NEW);
    }

    #[test]
    fn help_lists_the_commands_that_begin_so() {
        let Called::Print(all) = called(&["--help"]) else {
            panic!("no help");
        };
        assert_eq!(
            all,
            "mcbn 1.2.3\nWhat a participant runs.\n\nUsage: mcbn COMMAND [SETTING]...\n\n\
             mcbn COMMAND --help lists the settings of a command.\n\n  \
             keeper run\n        Hands out a share.\n\n  \
             keeper list\n        Shows what is asked for.\n\n  \
             keeper log\n        Shows the ledger.\n\n  \
             keeper log verify\n        Checks the ledger.\n\n  \
             share new\n        Makes a share.\n\n  \
             -h, --help\n        print this help, and exit\n\n  \
             -V, --version\n        print the version, and exit\n"
        );
        let Called::Print(keeper) = called(&["keeper", "-h"]) else {
            panic!("no help");
        };
        assert!(keeper.contains("keeper list") && !keeper.contains("share new"));
        assert!(matches!(called(&["-V"]), Called::Print(text) if text == "mcbn 1.2.3\n"));
    }

    #[test]
    fn words_that_call_nothing_are_refused() {
        let refused = |arguments: &[&str]| match called(arguments) {
            Called::Mistake(mistake) => mistake,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(&[]), Mistake::Nothing);
        assert_eq!(refused(&["keeper"]), Mistake::Nothing);
        for unknown in [
            &["run"][..],
            &["keeper", "runs"],
            &["keeper run"],
            &["--log-level", "info", "keeper", "run"],
            &["", "keeper"],
        ] {
            assert_eq!(refused(unknown), Mistake::Unknown, "{unknown:?}");
        }
        let mut out = Vec::new();
        assert_eq!(SUITE.report(Mistake::Nothing, &mut out), Exit::Usage);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "mcbn: error: a command is missing\nmcbn: hint: mcbn --help lists every command\n"
        );
    }
}
