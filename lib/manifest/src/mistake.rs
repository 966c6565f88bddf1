//! What is wrong with a manifest, and where.
//!
//! A message is made for a terminal: what it repeats of the manifest is cut short, and everything in it but printable
//! ASCII is escaped.

use std::cell::RefCell;
use std::error::Error;
use std::fmt::{self, Display, Write};

/// One mistake. Shown as `LINE:COLUMN: MESSAGE`, so that with a file's name before it, editors find the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    line: usize,
    column: usize,
    message: String,
}

impl Mistake {
    /// From 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// From 1, in characters.
    pub fn column(&self) -> usize {
        self.column
    }

    /// Printable.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// Every mistake in a manifest, sorted by place; there is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Mistake> {
        self.0.iter()
    }
}

/// One line each.
impl Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, mistake) in self.0.iter().enumerate() {
            write!(f, "{}{mistake}", if i == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl Error for Mistakes {}

/// Proof that a mistake was noted. Only noting one makes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noted(());

/// The mistakes that were found so far, by the byte at which they stand.
pub(crate) struct Notes<'d> {
    text: &'d str,
    line_feeds: Vec<usize>,
    found: RefCell<Vec<(usize, String)>>,
}

impl<'d> Notes<'d> {
    pub(crate) fn new(text: &'d str) -> Notes<'d> {
        Notes {
            text,
            line_feeds: text.match_indices('\n').map(|(at, _)| at).collect(),
            found: RefCell::default(),
        }
    }

    /// In which line a byte stands, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        1 + self.line_feeds.partition_point(|line_feed| *line_feed < at)
    }

    pub(crate) fn add(&self, at: usize, message: impl Display) -> Noted {
        self.found.borrow_mut().push((at, message.to_string()));
        Noted(())
    }

    /// What was made while they were taken, where there is none.
    pub(crate) fn settle<T>(self, made: Result<T, Noted>) -> Result<T, Mistakes> {
        let mut found = self.found.into_inner();
        match made {
            Ok(made) if found.is_empty() => return Ok(made),
            _ => found.sort_by_key(|(at, _)| *at),
        }
        let mut place = Place::START;
        let placed = found.into_iter().map(|(at, message)| {
            place = place.moved(self.text, at);
            Mistake {
                line: place.line,
                column: place.column,
                message,
            }
        });
        Err(Mistakes(placed.collect()))
    }
}

impl Mistakes {
    /// At the first byte that is not text, or at the very start.
    pub(crate) fn one(before: &str, message: &str) -> Mistakes {
        let Place { line, column, .. } = Place::START.moved(before, before.len());
        let message = message.into();
        Mistakes(vec![Mistake {
            line,
            column,
            message,
        }])
    }
}

/// A byte of the text, as people count.
#[derive(Clone, Copy)]
struct Place {
    at: usize,
    line: usize,
    column: usize,
}

impl Place {
    const START: Place = Place {
        at: 0,
        line: 1,
        column: 1,
    };

    /// Forward only, so that all places together cost one walk through the text.
    fn moved(self, text: &str, to: usize) -> Place {
        let to = text.floor_char_boundary(to);
        let mut place = self;
        for c in text[self.at..to].chars() {
            match c {
                '\n' => {
                    place.line += 1;
                    place.column = 1;
                }
                _ => place.column += 1,
            }
        }
        place.at = to;
        place
    }
}

/// A part of the manifest, in quotes, as it may be shown.
pub(crate) struct Shown<'d>(pub &'d str);

impl Shown<'_> {
    /// In characters; names and digests' beginnings are told apart by fewer.
    const MOST: usize = 40;
}

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('\'')?;
        let mut room = Shown::MOST;
        for c in self.0.chars() {
            let escaped = c.escape_default();
            let Some(left) = room.checked_sub(escaped.len()) else {
                return f.write_str("...'");
            };
            room = left;
            write!(f, "{escaped}")?;
        }
        f.write_char('\'')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_from_one_and_in_characters() {
        let text = "ab\r\n\u{e9}\u{1f600}c\n";
        let notes = Notes::new(text);
        for (at, c) in text.char_indices().rev() {
            notes.add(at, c.escape_default());
        }
        let noted = notes.add(text.len(), "end");
        let mistakes = notes.settle::<()>(Err(noted)).unwrap_err();
        let expected = "1:1: a\n1:2: b\n1:3: \\r\n1:4: \\n\n2:1: \\u{e9}\n2:2: \\u{1f600}\n2:3: c\n2:4: \\n\n3:1: end";
        assert_eq!(mistakes.to_string(), expected);
        assert_eq!(mistakes.iter().len(), 9);
    }

    #[test]
    fn what_was_made_beside_a_mistake_is_refused() {
        let notes = Notes::new("");
        notes.add(0, "a mistake");
        assert!(notes.settle(Ok(())).is_err());
        assert!(Notes::new("").settle(Ok(())).is_ok());
    }

    #[test]
    fn what_is_shown_is_short_and_printable() {
        for (text, shown) in [
            ("", "''"),
            ("alice", "'alice'"),
            ("it's", r"'it\'s'"),
            ("\x1b[2J\n\u{7f}\0", r"'\u{1b}[2J\n\u{7f}\u{0}'"),
            ("\u{202e}\u{e9}", r"'\u{202e}\u{e9}'"),
            (&"x".repeat(40), &format!("'{}'", "x".repeat(40))),
            (&"x".repeat(41), &format!("'{}...'", "x".repeat(40))),
            (
                &"\u{1b}".repeat(41),
                &format!("'{}...'", r"\u{1b}".repeat(6)),
            ),
        ] {
            assert_eq!(Shown(text).to_string(), shown);
        }
    }
}
