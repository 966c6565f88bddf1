//! What was typed, then what is used.

use super::fault::{Fault, Faults, Origin, Reported};
use super::{PREFIX, Program, Setting};
use crate::exit::Chain;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::str::FromStr;

/// What the arguments ask for.
#[derive(Debug)]
pub enum Asked<C> {
    Run(C),
    /// Text for standard output, then the end: `--help`, `--version`, `--settings`.
    Print(String),
}

impl Program {
    /// Parses arguments (without the program's name) and variables, and hands them to `read`.
    ///
    /// # Errors
    ///
    /// Every mistake found by the parser, the table and `read`.
    pub fn parse<C>(
        &'static self,
        arguments: impl IntoIterator<Item = OsString, IntoIter: 'static>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        read: impl FnOnce(&mut Given) -> Result<C, Reported>,
    ) -> Result<Asked<C>, Faults> {
        let mut given = Given {
            program: self,
            rows: self.settings().map(Row::new).collect(),
            faults: Faults::none(self),
        };
        if let Some(text) = given.take_arguments(arguments) {
            return Ok(Asked::Print(text));
        }
        given.take_variables(variables);
        given.settle();

        let config = read(&mut given);
        match config {
            Ok(config) if given.faults.all.is_empty() => {
                debug_assert!(
                    given.rows.iter().all(|row| row.read),
                    "a row of the table is never read"
                );
                Ok(Asked::Run(config))
            }
            _ => Err(given.faults),
        }
    }

    /// What `read` makes of these arguments alone, for tests of a program's own settings.
    ///
    /// # Errors
    ///
    /// As for [`Program::parse`].
    ///
    /// # Panics
    ///
    /// The arguments ask for a text.
    pub fn own_config<C>(
        &'static self,
        arguments: &[&str],
        read: impl FnOnce(&mut Given) -> Result<C, Reported>,
    ) -> Result<C, Faults> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let read = |given: &mut Given| {
            // What every program has is read before, by whoever starts it.
            for row in self.shared {
                given.is_given(row);
            }
            read(given)
        };
        match self.parse(arguments, [], read)? {
            Asked::Run(config) => Ok(config),
            Asked::Print(text) => panic!("no configuration, but a text:\n{text}"),
        }
    }
}

/// The settings of one run, from which a program makes its own configuration type.
///
/// Every getter records what is wrong and goes on, so that all mistakes are reported together.
#[derive(Debug)]
pub struct Given {
    program: &'static Program,
    rows: Vec<Row>,
    faults: Faults,
}

/// One setting with what was typed for it.
#[derive(Debug)]
struct Row {
    setting: &'static Setting,
    flag: Vec<String>,
    variable: Option<Vec<String>>,
    /// Something about it is already reported, so what follows from that is not.
    faulty: bool,
    read: bool,
}

impl Row {
    fn new(setting: &'static Setting) -> Row {
        Row {
            setting,
            flag: Vec::new(),
            variable: None,
            faulty: false,
            read: false,
        }
    }

    fn is_given(&self) -> bool {
        !self.flag.is_empty() || self.variable.is_some()
    }

    fn values(&self) -> Vec<(Origin, String)> {
        let from = |origin: Origin, values: &[String]| {
            values.iter().map(|v| (origin, v.clone())).collect()
        };
        match (&self.flag[..], &self.variable, self.setting.default) {
            ([], None, None) => Vec::new(),
            ([], None, Some(default)) => vec![(Origin::Default(self.setting), default.into())],
            ([], Some(values), _) => from(Origin::Variable(self.setting), values),
            (values, _, _) => from(Origin::Flag(self.setting), values),
        }
    }
}

impl Given {
    /// A setting that must have a value here: required, with a default, or needed because of another one.
    pub fn one<T: FromStr<Err: Display>>(&mut self, setting: &Setting) -> Result<T, Reported> {
        match self.optional(setting)? {
            Some(value) => Ok(value),
            None => Err(self.faults.record(Fault::Missing(*setting))),
        }
    }

    /// A setting that may be absent.
    pub fn optional<T: FromStr<Err: Display>>(
        &mut self,
        setting: &Setting,
    ) -> Result<Option<T>, Reported> {
        Ok(self.all(setting)?.pop())
    }

    /// A setting that may be given more than once, in the order in which it was given.
    pub fn all<T: FromStr<Err: Display>>(&mut self, setting: &Setting) -> Result<Vec<T>, Reported> {
        let row = self.row(setting);
        let expected = row.setting.value.expect("a switch is read with `on`");
        if row.faulty {
            return Err(Reported(()));
        }
        let mut parsed = Vec::new();
        let mut bad = None;
        for (origin, text) in row.values() {
            match text.parse() {
                Ok(value) => parsed.push(value),
                Err(reason) => {
                    bad = Some(self.faults.record(Fault::Bad {
                        origin,
                        value: expected,
                        reason: T::Err::to_string(&reason),
                    }));
                }
            }
        }
        bad.map_or(Ok(parsed), Err)
    }

    /// Whether a switch is on.
    pub fn on(&mut self, setting: &Setting) -> bool {
        let row = self.row(setting);
        assert!(row.setting.is_switch(), "a value is not read with `on`");
        row.values().iter().any(|(_, value)| value == TRUE)
    }

    /// Whether a flag or a variable gave it; a default does not count.
    pub fn is_given(&mut self, setting: &Setting) -> bool {
        self.row(setting).is_given()
    }

    /// Records that these settings do not go together, or that one of them makes no sense.
    ///
    /// The reason is in lower case, without a full stop, and repeats no value.
    pub fn refuse(&mut self, settings: &[&Setting], reason: impl Display) -> Reported {
        self.faults.record(Fault::Refused {
            settings: settings.iter().map(|&s| *s).collect(),
            reason: reason.to_string(),
        })
    }

    /// The same for each of these that is given.
    pub fn refuse_given(&mut self, settings: &[&Setting], reason: &str) {
        for setting in settings {
            if self.is_given(setting) {
                self.refuse(&[setting], reason);
            }
        }
    }

    /// The same for an error, with its sources.
    pub fn refuse_because(&mut self, settings: &[&Setting], error: &dyn Error) -> Reported {
        self.refuse(settings, Chain(error))
    }

    /// What to do next; the first hint is the one that is shown.
    pub fn hint(&mut self, hint: impl Display) {
        self.faults.hint.get_or_insert_with(|| hint.to_string());
    }

    fn row(&mut self, setting: &Setting) -> &mut Row {
        let row = self.rows.iter_mut().find(|row| row.setting == setting);
        let row = row.expect("only rows of the program's table are read");
        row.read = true;
        row
    }

    /// Gives the text to print when that is all that was asked for.
    fn take_arguments(
        &mut self,
        arguments: impl IntoIterator<Item = OsString, IntoIter: 'static>,
    ) -> Option<String> {
        let mut parser = lexopt::Parser::from_args(arguments);
        loop {
            let name = match parser.next() {
                Ok(None) => return None,
                Ok(Some(lexopt::Arg::Long("help") | lexopt::Arg::Short('h'))) => {
                    return Some(self.program.help());
                }
                Ok(Some(lexopt::Arg::Long("version") | lexopt::Arg::Short('V'))) => {
                    return Some(self.program.version_line());
                }
                Ok(Some(lexopt::Arg::Long("settings"))) => {
                    return Some(self.program.settings_json());
                }
                Ok(Some(lexopt::Arg::Long(name))) => name.to_owned(),
                Ok(Some(lexopt::Arg::Short(letter))) => {
                    self.unknown_flag(format!("-{letter}"));
                    // The rest of `-abc` would be reported letter by letter.
                    let _ = parser.optional_value();
                    continue;
                }
                Ok(Some(lexopt::Arg::Value(value))) => {
                    self.take_operand(value);
                    continue;
                }
                // Only a value that nobody took is left to fail here, and each flag takes its own below.
                Err(_) => {
                    self.faults.record(Fault::UnknownAndOdd);
                    continue;
                }
            };
            self.take_flag(&mut parser, &name);
        }
    }

    fn take_operand(&mut self, value: OsString) {
        let next = |row: &&mut Row| {
            row.setting.operand && (row.setting.repeat || row.flag.is_empty() && !row.faulty)
        };
        let Some(row) = self.rows.iter_mut().find(next) else {
            self.faults.record(Fault::Positional);
            return;
        };
        let setting = row.setting;
        let fault = match value.into_string() {
            Err(_) => Fault::NotUtf8(Origin::Flag(setting)),
            Ok(value) if value.is_empty() => Fault::Empty(Origin::Flag(setting)),
            Ok(value) => {
                row.flag.push(value);
                return;
            }
        };
        row.faulty = true;
        self.faults.record(fault);
    }

    fn take_flag(&mut self, parser: &mut lexopt::Parser, name: &str) {
        let joined = parser.optional_value();
        let named = |row: &&mut Row| row.setting.name == name && !row.setting.operand;
        let Some(row) = self.rows.iter_mut().find(named) else {
            self.unknown_flag(format!("--{name}"));
            return;
        };
        let setting = row.setting;
        let fault = if setting.is_switch() {
            match joined {
                None => {
                    row.flag.push(TRUE.into());
                    return;
                }
                Some(_) => Fault::SwitchWithValue(setting),
            }
        } else {
            match joined
                .or_else(|| following_value(parser))
                .map(OsString::into_string)
            {
                None => Fault::NoValue(setting),
                Some(Err(_)) => Fault::NotUtf8(Origin::Flag(setting)),
                Some(Ok(value)) if value.is_empty() => Fault::Empty(Origin::Flag(setting)),
                Some(Ok(value)) => {
                    row.flag.push(value);
                    return;
                }
            }
        };
        row.faulty = true;
        self.faults.record(fault);
    }

    fn take_variables(&mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) {
        let mut ours: Vec<_> = variables
            .into_iter()
            .filter(|(name, _)| is_ours(name))
            .collect();
        // The environment has no order; the report has one.
        ours.sort();
        for (name, value) in ours {
            self.take_variable(&name, value);
        }
    }

    fn take_variable(&mut self, name: &OsStr, value: OsString) {
        let is_of =
            |setting: &Setting| !setting.operand && name.to_str() == Some(&setting.variable());
        let Some(row) = self.rows.iter_mut().find(|row| is_of(row.setting)) else {
            if !self.program.passes_over().any(is_of) {
                self.unknown_variable(name);
            }
            return;
        };
        let setting = row.setting;
        let fault = match value.into_string() {
            Err(_) => Fault::NotUtf8(Origin::Variable(setting)),
            Ok(value) if value.is_empty() => Fault::Empty(Origin::Variable(setting)),
            Ok(value) if setting.is_switch() && value != TRUE && value != FALSE => {
                Fault::NeitherTrueNorFalse(setting)
            }
            Ok(value) => {
                row.variable = Some(match setting.repeat {
                    true => value.split(',').map(str::to_owned).collect(),
                    false => vec![value],
                });
                return;
            }
        };
        row.faulty = true;
        self.faults.record(fault);
    }

    /// What the table alone can tell: repeated, contradictory and missing settings.
    fn settle(&mut self) {
        for row in &mut self.rows {
            let setting = row.setting;
            let fault = if row.flag.len() > 1 && !setting.repeat {
                Fault::Repeated(setting)
            } else if !row.flag.is_empty() && row.variable.as_ref().is_some_and(|v| *v != row.flag)
            {
                Fault::FlagAgainstVariable(setting)
            } else if setting.required && !row.is_given() && !row.faulty {
                Fault::Missing(*setting)
            } else {
                continue;
            };
            row.faulty = true;
            self.faults.record(fault);
        }
    }

    fn unknown_flag(&mut self, name: String) {
        let fault = if is_plain(&name) {
            let meant = self.closest(name.trim_start_matches('-'));
            Fault::UnknownFlag { name, meant }
        } else {
            Fault::UnknownAndOdd
        };
        self.faults.record(fault);
    }

    fn unknown_variable(&mut self, name: &OsStr) {
        let fault = match name.to_str() {
            Some(name) if is_plain(name) => {
                let bare = name[PREFIX.len()..].to_ascii_lowercase().replace('_', "-");
                Fault::UnknownVariable {
                    name: name.into(),
                    meant: self.closest(&bare),
                }
            }
            _ => Fault::UnknownAndOdd,
        };
        self.faults.record(fault);
    }

    /// The setting whose name is at most two edits away.
    fn closest(&self, name: &str) -> Option<&'static Setting> {
        let settings = self.rows.iter().map(|row| row.setting);
        settings
            .filter(|setting| !setting.operand)
            .map(|setting| (edits(name, setting.name), setting))
            .filter(|(edits, setting)| *edits <= 2 && *edits < setting.name.len())
            .min_by_key(|(edits, _)| *edits)
            .map(|(_, setting)| setting)
    }
}

const TRUE: &str = "true";
const FALSE: &str = "false";

/// The next argument, unless it is a flag: `--listen --forward x` forgot the value of `--listen`.
fn following_value(parser: &mut lexopt::Parser) -> Option<OsString> {
    let mut rest = parser.try_raw_args()?;
    if rest.peek()?.as_encoded_bytes().starts_with(b"--") {
        return None;
    }
    rest.next()
}

fn is_ours(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

/// A short name in one case and with few digits can be repeated in a message; anything else might be a key that was
/// pasted in the wrong place.
fn is_plain(name: &str) -> bool {
    let count = |of: fn(&u8) -> bool| name.bytes().filter(of).count();
    let letters = count(u8::is_ascii_lowercase).max(count(u8::is_ascii_uppercase));
    let digits = count(u8::is_ascii_digit);
    let joints = count(|b| matches!(b, b'-' | b'_'));
    name.len() <= 40 && digits <= 3 && letters + digits + joints == name.len()
}

/// The Levenshtein distance, for suggestions; names are short.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
