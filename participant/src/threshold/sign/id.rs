//! How people and programs name a request: as the messages do, by 43 characters of base64url.

use mcbn_body::{NotBytes, base64url, from_base64url};
use mcbn_ceremony::approval::RequestId;
use std::fmt::{self, Display};
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(pub RequestId);

impl Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url(&self.0.0))
    }
}

impl FromStr for Id {
    type Err = NotBytes;

    fn from_str(text: &str) -> Result<Id, NotBytes> {
        from_base64url(text).map(|bytes| Id(RequestId(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_again() {
        let id = Id(RequestId([0xfb; 32]));
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn another_text_is_refused() {
        for text in [
            "",
            "AAAA",
            &"A".repeat(42),
            &"A".repeat(44),
            &"+".repeat(43),
        ] {
            assert!(text.parse::<Id>().is_err(), "{text}");
        }
    }
}
