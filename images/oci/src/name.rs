//! The name of an image: also its program's file name, its repository and its line in the lock.

use std::fmt;
use std::str::FromStr;

/// Lower-case letters and digits in words joined by single dashes, at most 63 bytes.
///
/// This is narrower than what a registry takes, so that one text serves as Bazel target, file
/// name, repository component and lock column without quoting.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAName(pub String);

impl fmt::Display for NotAName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not an image name: lower-case words and digits, joined by single dashes",
            self.0
        )
    }
}

impl std::error::Error for NotAName {}

impl FromStr for Name {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if text.len() <= 63 && text.split('-').all(word) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAName(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_joined_by_dashes_are_a_name() {
        for name in ["psk-server", "a", "detrsa-mtls", "v2"] {
            assert_eq!(name.parse::<Name>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn what_needs_quoting_somewhere_is_refused() {
        let long = "a".repeat(64);
        for name in [
            "", "-a", "a-", "a--b", "A", "a_b", "a/b", "a:b", "../a", "a b", &long,
        ] {
            assert!(name.parse::<Name>().is_err(), "{name:?}");
        }
    }
}
