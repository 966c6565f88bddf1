//! Settings: one table a program, and everything made from it.
//!
//! Each row of the table is a flag and a variable (`--listen`, `MCBN_LISTEN`). The parser, the help, and the list of
//! variables that an operator may set (which an image carries as a label) are all made from the same rows, so they
//! cannot disagree. The whole configuration is read before any port is opened, and every mistake is reported at once:
//! unknown flags and unknown variables with our prefix, missing, repeated, bad and contradictory settings.
//!
//! No setting holds a secret: arguments and variables are measured into an attestation and can be seen by the operator.
//! A secret given by mistake is still not echoed: messages name settings and never repeat values.

mod fault;
mod given;
pub(crate) mod help;
pub(crate) mod process;

pub use fault::{Faults, Reported};
pub use given::{Asked, Given};

use crate::suite::Command;
use crate::{admin, log, shutdown};
use std::fmt::{self, Display};

/// Every variable of this project starts with it, and one that is not in the table is refused.
pub const PREFIX: &str = "MCBN_";

/// One row of a program's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    name: &'static str,
    /// What a value looks like, for the help; a switch has none.
    value: Option<&'static str>,
    default: Option<&'static str>,
    repeat: bool,
    required: bool,
    operator: bool,
    /// It stands alone, without a flag.
    operand: bool,
    help: &'static str,
}

impl Setting {
    /// `--name VALUE`.
    pub const fn value(name: &'static str, value: &'static str, help: &'static str) -> Setting {
        Setting {
            name,
            value: Some(value),
            default: None,
            repeat: false,
            required: false,
            operator: false,
            operand: false,
            help,
        }
    }

    /// `--name`; its variable is `true` or `false`.
    pub const fn switch(name: &'static str, help: &'static str) -> Setting {
        Setting {
            value: None,
            ..Setting::value(name, "", help)
        }
    }

    /// What a command is about: `VALUE`, without a flag and without a variable. Operands are taken in the table's order;
    /// one that may be repeated takes all that are left.
    pub const fn operand(name: &'static str, value: &'static str, help: &'static str) -> Setting {
        Setting {
            operand: true,
            ..Setting::value(name, value, help)
        }
    }

    pub const fn default(self, value: &'static str) -> Setting {
        Setting {
            default: Some(value),
            ..self
        }
    }

    pub const fn required(self) -> Setting {
        Setting {
            required: true,
            ..self
        }
    }

    /// May be given more than once; in the variable, commas stand between the values.
    pub const fn repeat(self) -> Setting {
        Setting {
            repeat: true,
            ..self
        }
    }

    /// The operator of an image may set its variable. Whatever else is set there, the launch refuses.
    pub const fn operator(self) -> Setting {
        Setting {
            operator: true,
            ..self
        }
    }

    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What people type: `--name`, or what an operand looks like.
    pub fn flag(&self) -> String {
        match self.value {
            Some(value) if self.operand => value.into(),
            _ => format!("--{}", self.name),
        }
    }

    pub fn variable(&self) -> String {
        let upper = self.name.to_ascii_uppercase().replace('-', "_");
        format!("{PREFIX}{upper}")
    }

    pub const fn is_operators(&self) -> bool {
        self.operator
    }

    const fn is_switch(&self) -> bool {
        self.value.is_none()
    }
}

/// A port that a program listens on unless told otherwise: what an image exposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    number: u16,
    transport: Transport,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Tcp,
    Udp,
}

impl Port {
    pub const fn tcp(number: u16) -> Port {
        let transport = Transport::Tcp;
        Port { number, transport }
    }

    pub const fn udp(number: u16) -> Port {
        let transport = Transport::Udp;
        Port { number, transport }
    }
}

impl Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = match self.transport {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        };
        write!(f, "{}/{transport}", self.number)
    }
}

/// A program and its table.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    name: &'static str,
    version: &'static str,
    about: &'static str,
    own: &'static [Setting],
    ports: &'static [Port],
    /// The words after the name that call it, where one executable is several programs.
    command: &'static str,
    shared: &'static [Setting],
    beside: &'static [&'static [Setting]],
    /// What the same executable does when it is called by their words.
    commands: &'static [Command],
}

/// The rows that every program has that runs until it is told to end.
const SHARED: &[Setting] = &[log::LEVEL, admin::LISTEN, shutdown::DRAIN];

/// Flags that are not settings.
const RESERVED: &[&str] = &["help", "version", "settings"];

impl Program {
    /// A table that contradicts itself does not compile:
    ///
    /// ```compile_fail
    /// use mcbn_runtime::settings::{Program, Setting};
    /// const TWICE: Setting = Setting::switch("twice", "…");
    /// const PROGRAM: Program = Program::new("p", "1", "…", &[TWICE, TWICE], &[]);
    /// println!("{PROGRAM:?}");
    /// ```
    pub const fn new(
        name: &'static str,
        version: &'static str,
        about: &'static str,
        settings: &'static [Setting],
        ports: &'static [Port],
    ) -> Program {
        let mut i = 0;
        while i < settings.len() {
            assert_row(&settings[i]);
            assert!(
                !contains(settings, i, settings[i].name)
                    && !contains(SHARED, SHARED.len(), settings[i].name),
                "two settings of one name"
            );
            i += 1;
        }
        Program {
            name,
            version,
            about,
            own: settings,
            ports,
            command: "",
            shared: SHARED,
            beside: &[],
            commands: &[],
        }
    }

    /// A program that does one thing and ends: it has no log to set, no admin port and no drain.
    pub const fn tool(
        name: &'static str,
        version: &'static str,
        about: &'static str,
        settings: &'static [Setting],
    ) -> Program {
        Program {
            shared: &[],
            ..Program::new(name, version, about, settings, &[])
        }
    }

    /// One program of several in one executable, called by these words: see [`crate::suite`].
    ///
    /// Variables of the tables `beside` it may be set, and mean nothing to it.
    pub const fn under(
        self,
        command: &'static str,
        beside: &'static [&'static [Setting]],
    ) -> Program {
        Program {
            command,
            beside,
            ..self
        }
    }

    /// What the executable is for, and the commands beside it, which its help lists: see [`crate::suite::Suite::of`].
    pub const fn with_commands(self, commands: &'static [Command]) -> Program {
        Program { commands, ..self }
    }

    pub const fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) const fn commands(&self) -> &'static [Command] {
        self.commands
    }

    /// The words that call it after the name; empty where the name is enough.
    pub fn command(&self) -> impl Iterator<Item = &'static str> {
        self.command.split_whitespace()
    }

    pub const fn about(&self) -> &'static str {
        self.about
    }

    /// Settings of the programs beside it, whose variables mean nothing to it.
    fn passes_over(&self) -> impl Iterator<Item = &'static Setting> {
        let alone = self.command.is_empty();
        let shared = SHARED.iter().filter(move |_| !alone);
        self.beside.iter().copied().flatten().chain(shared)
    }

    /// What people type to call it.
    fn called(&self) -> String {
        let words = std::iter::once(self.name).chain(self.command());
        words.collect::<Vec<_>>().join(" ")
    }

    pub const fn version(&self) -> &'static str {
        self.version
    }

    pub const fn ports(&self) -> &'static [Port] {
        self.ports
    }

    /// The program's own rows, then those that every program of its kind has.
    pub fn settings(&self) -> impl Iterator<Item = &'static Setting> {
        self.own.iter().chain(self.shared)
    }
}

const fn assert_row(setting: &Setting) {
    let name = setting.name.as_bytes();
    assert!(
        !name.is_empty() && name[0].is_ascii_lowercase(),
        "a setting's name starts with a lower-case letter"
    );
    let mut i = 0;
    while i < name.len() {
        assert!(
            name[i].is_ascii_lowercase() || name[i].is_ascii_digit() || name[i] == b'-',
            "a setting's name is made of lower-case letters, digits and '-'"
        );
        i += 1;
    }
    let mut i = 0;
    while i < RESERVED.len() {
        assert!(!equal(RESERVED[i], setting.name), "a reserved name");
        i += 1;
    }
    assert!(
        !(setting.required && setting.default.is_some()),
        "a setting with a default cannot be missing"
    );
    assert!(
        !setting.is_switch() || !(setting.required || setting.repeat || setting.default.is_some()),
        "a switch is off until it is given"
    );
    assert!(
        !setting.operand || !(setting.default.is_some() || setting.operator),
        "an operand is given on the command line"
    );
}

const fn contains(settings: &[Setting], before: usize, name: &str) -> bool {
    let mut i = 0;
    while i < before {
        if equal(settings[i].name, name) {
            return true;
        }
        i += 1;
    }
    false
}

/// `==` on strings is not const.
const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests;
