//! What is wrong with a manifest, and where.

use std::error::Error;
use std::fmt::{self, Display};

/// One mistake. Shown as `LINE:COLUMN: MESSAGE`, so that with a file's name before it, editors find the place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
