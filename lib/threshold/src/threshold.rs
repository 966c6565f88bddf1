use std::error::Error;
use std::fmt::{self, Display};
use std::str::FromStr;

/// How many participants it takes: 2 to 255. With a threshold of 1, every share would be the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Threshold(u8);

impl Threshold {
    pub const fn new(shares: u8) -> Result<Self, NotAThreshold> {
        match shares {
            0 | 1 => Err(NotAThreshold),
            _ => Ok(Self(shares)),
        }
    }

    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

impl FromStr for Threshold {
    type Err = NotAThreshold;

    fn from_str(text: &str) -> Result<Self, NotAThreshold> {
        Self::new(text.parse().map_err(|_| NotAThreshold)?)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAThreshold;

impl Display for NotAThreshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a threshold is a whole number from 2 to 255")
    }
}

impl Error for NotAThreshold {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_read() {
        assert_eq!("2".parse::<Threshold>().map(Threshold::get), Ok(2));
        assert_eq!("255".parse::<Threshold>().map(Threshold::get), Ok(255));
    }

    #[test]
    fn a_threshold_below_two_is_refused() {
        for text in ["0", "1", "-2", "256", "", "two", "2.0"] {
            assert_eq!(text.parse::<Threshold>(), Err(NotAThreshold), "{text:?}");
        }
    }
}
