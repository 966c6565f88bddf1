//! The name of a participant.

use std::fmt::{self, Display};
use std::str::FromStr;

/// 1 to 63 lower-case letters, digits, `.`, `_` and `-`, the first a letter or digit.
///
/// Names enter the key, so there is one way to write each. They are ordered bytewise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Participant(String);

impl Participant {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Participant {
    type Err = NotAParticipant;

    fn from_str(text: &str) -> Result<Participant, NotAParticipant> {
        let letter = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let rest = |b: u8| letter(&b) || matches!(b, b'.' | b'_' | b'-');
        let well_formed = text.len() <= 63
            && text.as_bytes().first().is_some_and(letter)
            && text.bytes().all(rest);
        match well_formed {
            true => Ok(Participant(text.into())),
            false => Err(NotAParticipant),
        }
    }
}

impl Display for Participant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAParticipant;

impl Display for NotAParticipant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a participant's name is 1 to 63 lower-case letters, digits, '.', '_' and '-', and starts with a letter or digit",
        )
    }
}

impl std::error::Error for NotAParticipant {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_taken() {
        for name in ["a", "alice", "0", "alice-2.example_org", &"x".repeat(63)] {
            assert_eq!(name.parse::<Participant>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn an_odd_name_is_refused() {
        for name in [
            "",
            "Alice",
            "-a",
            ".a",
            "_a",
            "a b",
            "a\n",
            "a=b",
            "a/b",
            "a,b",
            "é",
            "a\0",
            &"x".repeat(64),
        ] {
            assert_eq!(
                name.parse::<Participant>(),
                Err(NotAParticipant),
                "{name:?}"
            );
        }
    }
}
