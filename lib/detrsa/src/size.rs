//! How long a modulus may be.

use std::fmt::{self, Display};
use std::str::FromStr;

/// Of the modulus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    Bits2048,
    Bits3072,
    Bits4096,
}

impl Size {
    pub const ALL: [Size; 3] = [Size::Bits2048, Size::Bits3072, Size::Bits4096];

    pub const fn bits(self) -> u32 {
        match self {
            Size::Bits2048 => 2048,
            Size::Bits3072 => 3072,
            Size::Bits4096 => 4096,
        }
    }
}

impl Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bits().fmt(f)
    }
}

impl TryFrom<u32> for Size {
    type Error = NotASize;

    fn try_from(bits: u32) -> Result<Size, NotASize> {
        let mut all = Size::ALL.into_iter();
        all.find(|size| size.bits() == bits).ok_or(NotASize)
    }
}

impl FromStr for Size {
    type Err = NotASize;

    fn from_str(text: &str) -> Result<Size, NotASize> {
        let mut all = Size::ALL.into_iter();
        all.find(|size| size.to_string() == text).ok_or(NotASize)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotASize;

impl Display for NotASize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not 2048, 3072 or 4096 bits")
    }
}

impl std::error::Error for NotASize {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_back() {
        for size in Size::ALL {
            assert_eq!(size.to_string().parse(), Ok(size));
            assert_eq!(Size::try_from(size.bits()), Ok(size));
            assert!(NotASize.to_string().contains(&size.to_string()));
        }
    }

    #[test]
    fn another_size_is_refused() {
        for bits in [0, 512, 1024, 2047, 2049, 8192, u32::MAX] {
            assert_eq!(Size::try_from(bits), Err(NotASize));
            assert_eq!(bits.to_string().parse::<Size>(), Err(NotASize));
        }
        for text in ["", "02048", "+2048", "2048 ", "2048 bits"] {
            assert_eq!(text.parse::<Size>(), Err(NotASize), "{text:?}");
        }
    }
}
