//! What messages call a secret.

use std::fmt::{self, Display};

/// `the share of alice`, `the authorization value of the key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whose {
    what: &'static str,
    whose: String,
}

impl Whose {
    /// `what` is a noun in lower case, and both are of a length to be read in a sentence.
    pub fn new(what: &'static str, whose: impl Display) -> Whose {
        let whose = whose.to_string();
        Whose { what, whose }
    }

    /// `a share`, `an authorization value`.
    pub(crate) fn one(&self) -> impl Display {
        let article = if self.what.starts_with(['a', 'e', 'i', 'o', 'u']) {
            "an"
        } else {
            "a"
        };
        format!("{article} {}", self.what)
    }

    /// As its file could be called: `share`, `authorization-value`.
    pub(crate) fn file_name(&self) -> String {
        self.what.replace(' ', "-")
    }
}

impl Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} of {}", self.what, self.whose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_in_a_sentence() {
        let share = Whose::new("share", "alice");
        assert_eq!(share.to_string(), "the share of alice");
        assert_eq!(share.one().to_string(), "a share");
        assert_eq!(share.file_name(), "share");
        let value = Whose::new("authorization value", "the key");
        assert_eq!(value.to_string(), "the authorization value of the key");
        assert_eq!(value.one().to_string(), "an authorization value");
        assert_eq!(value.file_name(), "authorization-value");
    }
}
