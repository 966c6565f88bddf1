//! Why there is no token, by who is at fault.

use hyper::StatusCode;
use std::fmt::{self, Display};
use std::io;

#[derive(Debug)]
pub enum Error {
    /// This side is at fault: the service does not take the request.
    Refused(Said),
    /// The platform is at fault: the service could not make a token, or answers what is none.
    Failed(StatusCode, Said),
    /// The service answered something else than it promises.
    Malformed(Malformed),
    /// There is no service at the socket: this is not a machine with a launcher, or the launcher is gone.
    Absent(io::Error),
    /// The service was there, and broke off before its answer was whole.
    Broken(hyper::Error),
    /// The deadline passed.
    Slow,
}

/// What an answer is in place of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    TooLong,
    NotAToken,
}

/// A service's own words, bounded and without control characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Said(String);

/// In characters: what a person can still read in a log line.
const LONGEST: usize = 300;

impl Said {
    pub fn new(body: &[u8]) -> Said {
        let text = String::from_utf8_lossy(body);
        let words = text.split(|c: char| c.is_control() || c.is_whitespace());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        Said(words.join(" ").chars().take(LONGEST).collect())
    }

    /// There were no words.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error {
    /// A short fixed word for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Error::Refused(_) => "token_refused",
            Error::Failed(..) => "token_failed",
            Error::Malformed(_) => "token_malformed",
            Error::Absent(_) => "token_service_absent",
            Error::Broken(_) => "token_service_broke",
            Error::Slow => "token_service_slow",
        }
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused(said) => {
                write!(f, "the token service refuses the request: {said}")
            }
            Error::Failed(status, said) => {
                write!(f, "the token service answered {}: {said}", status.as_u16())
            }
            Error::Malformed(Malformed::TooLong) => {
                f.write_str("the token service's answer is too long for a token")
            }
            Error::Malformed(Malformed::NotAToken) => {
                f.write_str("the token service's answer is not a token")
            }
            // The source tells the rest.
            Error::Absent(_) => f.write_str("the token service cannot be reached"),
            Error::Broken(_) => f.write_str("the token service broke off"),
            Error::Slow => f.write_str("the token service took too long"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Absent(source) => Some(source),
            Error::Broken(source) => Some(source),
            Error::Refused(_) | Error::Failed(..) | Error::Malformed(_) | Error::Slow => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_service_says_cannot_fill_or_forge_a_log() {
        assert_eq!(
            Said::new(b" no\r\nforged line\x1b \n").to_string(),
            "no forged line"
        );
        assert_eq!(Said::new(&[b'x'; 5000]).to_string().len(), LONGEST);
        assert_eq!(Said::new(b"\xff").to_string(), "\u{fffd}");
        assert!(Said::new(b" \n").is_empty());
    }
}
