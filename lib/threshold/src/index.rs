use std::error::Error;
use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

/// A participant's number in its group, 1 to 255: where its share lies on the polynomial. At 0 lies the key itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Index(NonZeroU8);

impl Index {
    pub const fn new(number: u8) -> Result<Self, NotAnIndex> {
        match NonZeroU8::new(number) {
            Some(number) => Ok(Self(number)),
            None => Err(NotAnIndex),
        }
    }

    pub const fn get(self) -> u8 {
        self.0.get()
    }

    /// 1 to `count`.
    pub fn all(count: u8) -> impl ExactSizeIterator<Item = Self> {
        (0..count).map(|before| Self(NonZeroU8::MIN.saturating_add(before)))
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Index {
    type Err = NotAnIndex;

    fn from_str(text: &str) -> Result<Self, NotAnIndex> {
        Self::new(text.parse().map_err(|_| NotAnIndex)?)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAnIndex;

impl fmt::Display for NotAnIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a participant's number is a whole number from 1 to 255")
    }
}

impl Error for NotAnIndex {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_with_one() {
        let numbers: Vec<u8> = Index::all(255).map(Index::get).collect();
        assert_eq!(numbers, (1..=255).collect::<Vec<u8>>());
        assert_eq!(Index::all(0).len(), 0);
    }

    #[test]
    fn another_number_is_refused() {
        for text in ["0", "256", "-1", "1.0", "", "one"] {
            assert_eq!(text.parse::<Index>(), Err(NotAnIndex), "{text}");
        }
        assert_eq!("255".parse::<Index>().unwrap().to_string(), "255");
    }
}
