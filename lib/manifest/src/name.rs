//! The name of a network or of a workload.

use std::fmt::{self, Display};
use std::str::FromStr;

/// 1 to 63 lower-case letters, digits and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Name, NotAName> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        match (1..=63).contains(&text.len()) && text.bytes().all(allowed) {
            true => Ok(Name(text.into())),
            false => Err(NotAName),
        }
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAName;

impl Display for NotAName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name is 1 to 63 lower-case letters, digits and '-'")
    }
}

impl std::error::Error for NotAName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_taken() {
        for name in ["a", "house", "2", "-", "psk-server", &"x".repeat(63)] {
            assert_eq!(name.parse::<Name>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn an_odd_name_is_refused() {
        let long = "x".repeat(64);
        for name in [
            "", "House", "a b", "a.b", "a_b", "a/b", "a\n", "\0", "\u{e9}", &long,
        ] {
            assert_eq!(name.parse::<Name>(), Err(NotAName), "{name:?}");
        }
    }
}
