//! What can be wrong with a configuration. Whoever started the program is at fault.

use super::{PREFIX, Program, Setting};
use crate::exit::{Exit, write_report};
use std::fmt::{self, Display};
use std::io;

/// Proof that a mistake was recorded. Only recording one makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported(pub(super) ());

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    UnknownFlag {
        name: String,
        meant: Option<&'static Setting>,
    },
    UnknownVariable {
        name: String,
        meant: Option<&'static Setting>,
    },
    /// Its name could hold a secret that was pasted in the wrong place.
    UnknownAndOdd,
    Positional,
    NotUtf8(Origin),
    NoValue(&'static Setting),
    Empty(Origin),
    SwitchWithValue(&'static Setting),
    NeitherTrueNorFalse(&'static Setting),
    Repeated(&'static Setting),
    FlagAgainstVariable(&'static Setting),
    Missing(Setting),
    Bad {
        origin: Origin,
        value: &'static str,
        reason: String,
    },
    Refused {
        settings: Vec<Setting>,
        reason: String,
    },
}

/// Where a value came from, so that a message names what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Flag(&'static Setting),
    Variable(&'static Setting),
    Default(&'static Setting),
}

impl Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(setting) => f.write_str(&setting.flag()),
            Origin::Variable(setting) => f.write_str(&setting.variable()),
            Origin::Default(setting) => write!(f, "the default of {}", setting.flag()),
        }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::UnknownFlag { name, meant } => {
                write!(f, "unknown flag {name}")?;
                match meant {
                    Some(meant) => write!(f, " (did you mean {}?)", meant.flag()),
                    None => Ok(()),
                }
            }
            Fault::UnknownVariable { name, meant } => {
                write!(f, "unknown variable {name}")?;
                match meant {
                    Some(meant) => write!(f, " (did you mean {}?)", meant.variable()),
                    None => Ok(()),
                }
            }
            Fault::UnknownAndOdd => write!(
                f,
                "an unknown flag or {PREFIX}… variable; its name is not repeated here, since it could be a secret"
            ),
            Fault::Positional => write!(
                f,
                "an argument that belongs to no flag; it is not repeated here, since it could be a secret"
            ),
            Fault::NotUtf8(origin) => write!(f, "{origin} is not valid UTF-8"),
            Fault::NoValue(setting) => write!(
                f,
                "{} needs a value ({})",
                setting.flag(),
                setting.value.unwrap_or_default()
            ),
            Fault::Empty(origin) => write!(f, "{origin} is empty"),
            Fault::SwitchWithValue(setting) => {
                write!(f, "{} is a switch and takes no value", setting.flag())
            }
            Fault::NeitherTrueNorFalse(setting) => {
                write!(f, "{} must be true or false", setting.variable())
            }
            Fault::Repeated(setting) => write!(f, "{} is given more than once", setting.flag()),
            Fault::FlagAgainstVariable(setting) => write!(
                f,
                "{} and {} contradict each other",
                setting.flag(),
                setting.variable()
            ),
            Fault::Missing(setting) if setting.operand => {
                write!(f, "{} is required", setting.flag())
            }
            Fault::Missing(setting) => {
                write!(
                    f,
                    "{} or {} is required",
                    setting.flag(),
                    setting.variable()
                )
            }
            Fault::Bad {
                origin,
                value,
                reason,
            } => write!(f, "{origin}: {reason} (expected {value})"),
            Fault::Refused { settings, reason } => {
                let flags: Vec<String> = settings.iter().map(Setting::flag).collect();
                write!(f, "{}: {reason}", flags.join(" and "))
            }
        }
    }
}

/// Every mistake of one configuration.
#[derive(Debug)]
pub struct Faults {
    pub(super) program: &'static Program,
    pub(super) all: Vec<Fault>,
    pub(super) hint: Option<String>,
}

impl Faults {
    pub(super) fn none(program: &'static Program) -> Faults {
        Faults {
            program,
            all: Vec::new(),
            hint: None,
        }
    }

    pub(super) fn record(&mut self, fault: Fault) -> Reported {
        if !self.all.contains(&fault) {
            self.all.push(fault);
        }
        Reported(())
    }

    /// Writes one `error:` line for each mistake and one `hint:`.
    pub fn report(&self, out: &mut dyn io::Write) -> Exit {
        let help = format!(
            "{} --help lists every flag and variable",
            self.program.called()
        );
        let hint = self.hint.as_deref().unwrap_or(&help);
        write_report(out, self.program.name, &self.all, Some(hint));
        Exit::Usage
    }
}
