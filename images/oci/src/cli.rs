//! Command lines as tables: what is typed is checked against the table, help is printed from it.
//!
//! Every mistake of a command line is reported at once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

/// One way to call a program.
pub struct Command {
    /// As typed after the program's name; empty for a program that does one thing.
    pub name: &'static str,
    pub about: &'static str,
    /// The arguments that are no flags: their name in help, and how many.
    pub operands: (&'static str, Times),
    pub flags: &'static [Flag],
}

pub struct Flag {
    /// With its dashes.
    pub name: &'static str,
    /// What stands after it, as shown in help. Every flag takes a value unless this is empty.
    pub value: &'static str,
    pub times: Times,
    pub about: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    Once,
    AtMostOnce,
    Any,
    AtLeastOnce,
    Twice,
    Never,
}

impl Times {
    fn holds(self, count: usize) -> bool {
        match self {
            Self::Once => count == 1,
            Self::AtMostOnce => count <= 1,
            Self::Any => true,
            Self::AtLeastOnce => count >= 1,
            Self::Twice => count == 2,
            Self::Never => count == 0,
        }
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Once => "once",
            Self::AtMostOnce => "at most once",
            Self::Any => "any number of times",
            Self::AtLeastOnce => "at least once",
            Self::Twice => "twice",
            Self::Never => "not at all",
        })
    }
}

/// What was typed, matched against its command.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Typed {
    flags: BTreeMap<&'static str, Vec<String>>,
    pub operands: Vec<PathBuf>,
}

impl Typed {
    /// Every value of a flag, in the order typed.
    pub fn all(&self, flag: &str) -> &[String] {
        self.flags.get(flag).map_or(&[], Vec::as_slice)
    }

    pub fn optional(&self, flag: &str) -> Option<&str> {
        self.all(flag).first().map(String::as_str)
    }

    /// The value of a flag that the table requires.
    pub fn required(&self, flag: &str) -> &str {
        self.optional(flag)
            .expect("the table of flags says that this one is required")
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    NoCommand,
    UnknownCommand(String),
    UnknownFlag(String),
    NoValue(&'static str),
    /// A value attached to a flag that takes none, in the parser's words.
    Needless(String),
    Count {
        what: &'static str,
        times: Times,
        typed: usize,
    },
    NotUnicode(OsString),
    /// The value of a flag is none that it takes.
    Value {
        flag: &'static str,
        value: String,
        expected: &'static str,
    },
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommand => f.write_str("no command is given"),
            Self::UnknownCommand(typed) => write!(f, "there is no command {typed:?}"),
            Self::UnknownFlag(typed) => write!(f, "there is no flag {typed:?}"),
            Self::NoValue(flag) => write!(f, "{flag} needs a value"),
            Self::Needless(words) => f.write_str(words),
            Self::Count { what, times, typed } => {
                write!(
                    f,
                    "{what} is given {typed} times, it should be given {times}"
                )
            }
            Self::NotUnicode(typed) => write!(f, "{typed:?} is not Unicode"),
            Self::Value {
                flag,
                value,
                expected,
            } => {
                write!(f, "{flag} takes {expected}, not {value:?}")
            }
        }
    }
}

impl Command {
    /// Matches arguments against the table. `Ok(None)` asks for help.
    pub fn parse(
        &self,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Option<Typed>, Vec<Mistake>> {
        let mut typed = Typed::default();
        let mut mistakes = Vec::new();
        let mut words = Parser::from_args(arguments);
        loop {
            let word = match words.next() {
                Ok(Some(word)) => word,
                Ok(None) => break,
                // The only error here is a value attached to a flag that takes none.
                Err(error) => {
                    mistakes.push(Mistake::Needless(error.to_string()));
                    continue;
                }
            };
            let name = match word {
                Arg::Long("help") | Arg::Short('h') => return Ok(None),
                Arg::Value(operand) => {
                    typed.operands.push(operand.into());
                    continue;
                }
                Arg::Long(name) => format!("--{name}"),
                Arg::Short(letter) => format!("-{letter}"),
            };
            let Some(flag) = self.flags.iter().find(|flag| flag.name == name) else {
                mistakes.push(Mistake::UnknownFlag(name));
                words.optional_value();
                continue;
            };
            let value = match flag.value {
                "" => Ok(String::new()),
                _ => words.value().and_then(|value| value.string()),
            };
            match value {
                Ok(value) => typed.flags.entry(flag.name).or_default().push(value),
                Err(_) => mistakes.push(Mistake::NoValue(flag.name)),
            }
        }
        let mut count = |what, times: Times, typed| {
            if !times.holds(typed) {
                mistakes.push(Mistake::Count { what, times, typed });
            }
        };
        for flag in self.flags {
            count(flag.name, flag.times, typed.all(flag.name).len());
        }
        let (what, times) = self.operands;
        count(what, times, typed.operands.len());
        if mistakes.is_empty() {
            Ok(Some(typed))
        } else {
            Err(mistakes)
        }
    }

    pub fn help(&self, program: &str) -> String {
        let (operands, times) = self.operands;
        let mut text = format!("usage: {program}");
        for word in [self.name, if self.flags.is_empty() { "" } else { "FLAGS" }] {
            if !word.is_empty() {
                text.push(' ');
                text.push_str(word);
            }
        }
        match times {
            Times::Never => {}
            Times::Once => text.push_str(&format!(" {operands}")),
            Times::AtMostOnce => text.push_str(&format!(" [{operands}]")),
            Times::Any => text.push_str(&format!(" [{operands}]...")),
            Times::AtLeastOnce => text.push_str(&format!(" {operands}...")),
            Times::Twice => text.push_str(&format!(" {operands} {operands}")),
        }
        text.push_str(&format!("\n\n{}\n", self.about));
        for (at, flag) in self.flags.iter().enumerate() {
            let gap = if at == 0 { "\n" } else { "" };
            let shown = format!("{} {}", flag.name, flag.value);
            text.push_str(&format!(
                "{gap}  {shown:<24} {} ({})\n",
                flag.about, flag.times
            ));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEND: Command = Command {
        name: "send",
        about: "Sends.",
        operands: ("FILE", Times::AtLeastOnce),
        flags: &[
            Flag {
                name: "--to",
                value: "HOST",
                times: Times::Once,
                about: "where to",
            },
            Flag {
                name: "--tag",
                value: "TAG",
                times: Times::Any,
                about: "a name",
            },
            Flag {
                name: "--fast",
                value: "",
                times: Times::AtMostOnce,
                about: "do not wait",
            },
        ],
    };

    fn parse(arguments: &[&str]) -> Result<Option<Typed>, Vec<Mistake>> {
        SEND.parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn flags_and_operands_mix_in_any_order() {
        let typed = parse(&[
            "a",
            "--tag=x=1",
            "--to",
            "h",
            "--fast",
            "--tag",
            "y",
            "--",
            "--b",
        ]);
        let typed = typed.unwrap().unwrap();
        assert_eq!(typed.operands, [PathBuf::from("a"), PathBuf::from("--b")]);
        assert_eq!(typed.all("--tag"), ["x=1", "y"]);
        assert_eq!(typed.required("--to"), "h");
        assert_eq!(typed.optional("--fast"), Some(""));
        assert_eq!(
            parse(&["--to", "h", "a"])
                .unwrap()
                .unwrap()
                .optional("--fast"),
            None
        );
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let mistakes = parse(&["--fast=1", "--what", "--to=a", "--to=b", "--tag"]).unwrap_err();
        let shown: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
        assert_eq!(
            shown,
            [
                "unexpected argument for option '--fast': \"1\"",
                "there is no flag \"--what\"",
                "--tag needs a value",
                "--to is given 2 times, it should be given once",
                "FILE is given 0 times, it should be given at least once",
            ]
        );
    }

    #[test]
    fn help_names_every_flag_of_the_table() {
        assert_eq!(
            parse(&["--to", "--help"]),
            Err(vec![Mistake::Count {
                what: "FILE",
                times: Times::AtLeastOnce,
                typed: 0
            }])
        );
        assert_eq!(parse(&["--what", "--help"]), Ok(None));
        assert_eq!(
            SEND.help("post"),
            "usage: post send FLAGS FILE...\n\nSends.\n\n  \
             --to HOST                where to (once)\n  \
             --tag TAG                a name (any number of times)\n  \
             --fast                   do not wait (at most once)\n"
        );
    }
}
