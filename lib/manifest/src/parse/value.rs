//! Values of the tree with their places, and the ways of reading them.
//!
//! A [`Table`] is read by asking for each key that it may have; whatever nobody asked for is a mistake. So the keys that
//! are known are those that are read, and no list of them can grow stale.

use crate::mistake::{Noted, Notes, Shown};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What stands at a key, or at a place in its list.
#[derive(Clone, Copy)]
pub(super) struct Value<'d> {
    key: &'d str,
    at: usize,
    value: &'d DeValue<'d>,
    notes: &'d Notes<'d>,
}

impl<'d> Value<'d> {
    fn new(key: &'d str, spanned: &'d Spanned<DeValue<'d>>, notes: &'d Notes<'d>) -> Value<'d> {
        Value {
            key,
            at: spanned.span().start,
            value: spanned.get_ref(),
            notes,
        }
    }

    pub(super) fn note(&self, message: impl Display) -> Noted {
        self.notes.add(self.at, message)
    }

    pub(super) fn line(&self) -> usize {
        self.notes.line(self.at)
    }

    fn expected(&self, what: &str) -> Noted {
        let found = match self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.note(format_args!(
            "{} must be {what}, not {found}",
            Shown(self.key)
        ))
    }

    pub(super) fn text(self) -> Result<&'d str, Noted> {
        self.text_or("a string")
    }

    /// `what` tells what else could stand here.
    pub(super) fn text_or(self, what: &str) -> Result<&'d str, Noted> {
        match self.value {
            DeValue::String(text) => Ok(text),
            _ => Err(self.expected(what)),
        }
    }

    /// The type's error says what is expected.
    pub(super) fn parsed<T: FromStr<Err: Display>>(self) -> Result<T, Noted> {
        let text = self.text()?;
        let refused = |error| self.note(format_args!("{error}, not {}", Shown(text)));
        text.parse().map_err(refused)
    }

    pub(super) fn boolean(self) -> Result<bool, Noted> {
        match self.value {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.expected("true or false")),
        }
    }

    /// From `least` to `most`.
    pub(super) fn number(self, least: u64, most: u64) -> Result<u64, Noted> {
        let DeValue::Integer(integer) = self.value else {
            return Err(self.expected("an integer"));
        };
        match u64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(self.note(format_args!(
                "{} must be from {least} to {most}",
                Shown(self.key)
            ))),
        }
    }

    /// Each of the list's items.
    pub(super) fn list<T>(
        self,
        read: impl FnMut(Value<'d>) -> Result<T, Noted>,
    ) -> Result<Vec<T>, Noted> {
        let DeValue::Array(items) = self.value else {
            return Err(self.expected("a list"));
        };
        let items = items.iter();
        let items = items.map(|item| Value::new(self.key, item, self.notes));
        // All are read before the first that is wrong ends it.
        let read: Vec<_> = items.map(read).collect();
        read.into_iter().collect()
    }

    /// The same, where a list without items would make no sense.
    pub(super) fn some<T>(
        self,
        read: impl FnMut(Value<'d>) -> Result<T, Noted>,
    ) -> Result<Vec<T>, Noted> {
        match self.count() {
            Some(0) => Err(self.note(format_args!("{} is an empty list", Shown(self.key)))),
            _ => self.list(read),
        }
    }

    /// Each of the tables that stand under `[[key]]`; there is at least one.
    pub(super) fn tables<T>(
        self,
        mut read: impl FnMut(&mut Table<'d>) -> Result<T, Noted>,
    ) -> Result<Vec<T>, Noted> {
        match self.value {
            DeValue::Table(_) => Err(self.note(format_args!(
                "there can be more than one {0}: write [[{0}]]",
                self.key
            ))),
            _ => self.some(|item| item.table(&mut read)),
        }
    }

    /// How many items the list has, if it is one.
    pub(super) fn count(&self) -> Option<usize> {
        match self.value {
            DeValue::Array(items) => Some(items.len()),
            _ => None,
        }
    }

    pub(super) fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    pub(super) fn table<T>(
        self,
        read: impl FnOnce(&mut Table<'d>) -> Result<T, Noted>,
    ) -> Result<T, Noted> {
        match self.value {
            DeValue::Table(entries) => Table::read(entries, self.at, self.notes, read),
            _ => Err(self.expected("a table")),
        }
    }

    /// A table whose keys are the manifest's own.
    pub(super) fn map<K: Ord, V>(
        self,
        mut read: impl FnMut(Key<'d>, Value<'d>) -> Result<(K, V), Noted>,
    ) -> Result<BTreeMap<K, V>, Noted> {
        let DeValue::Table(entries) = self.value else {
            return Err(self.expected("a table"));
        };
        let read: Vec<_> = entries
            .iter()
            .map(|(key, value)| {
                let (name, at) = (&**key.get_ref(), key.span().start);
                let value = Value::new(name, value, self.notes);
                let notes = self.notes;
                read(Key { name, at, notes }, value)
            })
            .collect();
        read.into_iter().collect()
    }
}

/// A key that the manifest's author chose.
#[derive(Clone, Copy)]
pub(super) struct Key<'d> {
    pub(super) name: &'d str,
    at: usize,
    notes: &'d Notes<'d>,
}

impl Key<'_> {
    pub(super) fn note(&self, message: impl Display) -> Noted {
        self.notes.add(self.at, message)
    }
}

/// A table while its keys are asked for.
pub(super) struct Table<'d> {
    entries: &'d DeTable<'d>,
    at: usize,
    notes: &'d Notes<'d>,
    asked: Vec<&'static str>,
    never: Vec<&'static str>,
    rest_matters: bool,
}

impl<'d> Table<'d> {
    /// `read` asks for every key before it gives up: what it did not ask for is noted as unknown.
    pub(super) fn read<T>(
        entries: &'d DeTable<'d>,
        at: usize,
        notes: &'d Notes<'d>,
        read: impl FnOnce(&mut Table<'d>) -> Result<T, Noted>,
    ) -> Result<T, Noted> {
        let mut table = Table {
            entries,
            at,
            notes,
            asked: Vec::new(),
            never: Vec::new(),
            rest_matters: true,
        };
        let made = read(&mut table);
        if table.rest_matters {
            table.note_unknown();
        }
        made
    }

    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(Value<'d>) -> Result<T, Noted>,
    ) -> Result<T, Noted> {
        match self.value(key) {
            Some(value) => read(value),
            None => Err(self.notes.add(self.at, format_args!("'{key}' is missing"))),
        }
    }

    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(Value<'d>) -> Result<T, Noted>,
    ) -> Result<Option<T>, Noted> {
        self.value(key).map(read).transpose()
    }

    /// Whether something stands at this key, which may then be asked for.
    pub(super) fn has(&mut self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// A key that does not exist though people would expect it; `why` says what to write.
    pub(super) fn never(&mut self, key: &'static str, why: &str) -> Result<(), Noted> {
        self.never.push(key);
        match self.entries.get_key_value(key) {
            Some((key, _)) => Err(self.notes.add(key.span().start, why)),
            None => Ok(()),
        }
    }

    /// Nothing is said about keys that nobody asked for.
    pub(super) fn leave_the_rest(&mut self) {
        self.rest_matters = false;
    }

    fn value(&mut self, key: &'static str) -> Option<Value<'d>> {
        self.asked.push(key);
        let (key, value) = self.entries.get_key_value(key)?;
        Some(Value::new(key.get_ref(), value, self.notes))
    }

    fn note_unknown(&self) {
        for key in self.entries.keys() {
            let (name, at) = (&**key.get_ref(), key.span().start);
            if self.asked.contains(&name) || self.never.contains(&name) {
                continue;
            }
            let near = self.asked.iter().find(|known| is_near(name, known));
            match near {
                Some(near) => self.notes.add(
                    at,
                    format_args!("unknown key {} (did you mean '{near}'?)", Shown(name)),
                ),
                None => self
                    .notes
                    .add(at, format_args!("unknown key {}", Shown(name))),
            };
        }
    }
}

/// One place of at most two characters differs.
fn is_near(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let before = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[before..], &b[before..]);
    let backwards = a.iter().rev().zip(b.iter().rev());
    let after = backwards.take_while(|(a, b)| a == b).count();
    before + after >= 2 && a.len().max(b.len()) - after <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_keyboard_is_near() {
        for slip in ["leas", "leaes", "leaze", "leasse", "Lease", "lease_"] {
            assert!(is_near(slip, "lease"), "{slip}");
        }
    }

    #[test]
    fn another_word_is_not_near() {
        for word in ["", "rule", "period", "lease-seconds", "ls", "please-me"] {
            assert!(!is_near(word, "lease"), "{word}");
        }
        assert!(!is_near("", ""));
    }
}
