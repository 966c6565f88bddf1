//! What a token is for.

use std::fmt::{self, Display};

/// The part of an audience that says what is asked for: 1 to 63 lower-case letters, digits and `-`. Programs name
/// theirs in constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Purpose(&'static str);

impl Purpose {
    /// # Panics
    ///
    /// Another form; in a constant, it does not compile.
    pub const fn named(name: &'static str) -> Purpose {
        assert!(is_formed(name.as_bytes()), "not a purpose");
        Purpose(name)
    }

    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// No `/` above all: it parts a purpose from a pin.
const fn is_formed(name: &[u8]) -> bool {
    let mut at = 0;
    while at < name.len() {
        if !matches!(name[at], b'a'..=b'z' | b'0'..=b'9' | b'-') {
            return false;
        }
        at += 1;
    }
    at >= 1 && at <= 63
}

impl Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken() {
        let longest = "x".repeat(63).leak();
        for name in ["release", "threshold-sign", "v2", longest] {
            assert_eq!(Purpose::named(name).to_string(), name);
        }
    }

    #[test]
    fn another_form_is_refused() {
        let long = "x".repeat(64).leak();
        for name in ["", "a/b", "a b", "Release", "é", long] {
            assert!(!is_formed(name.as_bytes()), "{name:?}");
        }
    }
}
