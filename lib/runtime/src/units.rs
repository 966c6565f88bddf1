//! Times, sizes and counts as people write them in a setting: `30s`, `500ms`, `5m`; `64KiB`, `1MiB`; `4096`.

use std::fmt::{self, Display};
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

/// A length of time: a whole number and `ms`, `s`, `m` or `h`.
///
/// Never zero: a deadline of nothing is a mistake, and what can be switched off has a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(Duration);

impl Period {
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl From<Period> for Duration {
    fn from(period: Period) -> Duration {
        period.0
    }
}

impl FromStr for Period {
    type Err = NotAPeriod;

    fn from_str(text: &str) -> Result<Period, NotAPeriod> {
        let (number, unit) = number_and_unit(text).ok_or(NotAPeriod::Form)?;
        let milliseconds = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60 * 1000,
            "h" => 60 * 60 * 1000,
            _ => return Err(NotAPeriod::Form),
        };
        match number.checked_mul(milliseconds) {
            Some(0) => Err(NotAPeriod::Zero),
            Some(total) if total <= LONGEST.as_millis() as u64 => {
                Ok(Period(Duration::from_millis(total)))
            }
            _ => Err(NotAPeriod::TooLong),
        }
    }
}

/// Timers add a period to a clock; a year leaves them room.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAPeriod {
    Form,
    Zero,
    TooLong,
}

impl Display for NotAPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotAPeriod::Form => "not a whole number with one of the units ms, s, m, h",
            NotAPeriod::Zero => "a time of zero",
            NotAPeriod::TooLong => "longer than a year",
        })
    }
}

impl std::error::Error for NotAPeriod {}

/// A number of bytes: a whole number, alone or with `KiB`, `MiB` or `GiB`. Never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(usize);

impl Size {
    pub const fn get(self) -> usize {
        self.0
    }
}

impl FromStr for Size {
    type Err = NotASize;

    fn from_str(text: &str) -> Result<Size, NotASize> {
        let (number, unit) = number_and_unit(text).ok_or(NotASize::Form)?;
        let bytes = match unit {
            "" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(NotASize::Form),
        };
        match number.checked_mul(bytes).map(isize::try_from) {
            Some(Ok(0)) => Err(NotASize::Zero),
            Some(Ok(total)) => Ok(Size(total.unsigned_abs())),
            _ => Err(NotASize::TooLarge),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotASize {
    Form,
    Zero,
    TooLarge,
}

impl Display for NotASize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotASize::Form => "not a whole number of bytes, KiB, MiB or GiB",
            NotASize::Zero => "a size of zero",
            NotASize::TooLarge => "larger than any memory",
        })
    }
}

impl std::error::Error for NotASize {}

/// How many of something: a whole number, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(NonZeroUsize);

impl Count {
    pub const fn get(self) -> NonZeroUsize {
        self.0
    }
}

impl FromStr for Count {
    type Err = NotACount;

    fn from_str(text: &str) -> Result<Count, NotACount> {
        match number_and_unit(text).map(|(number, unit)| (usize::try_from(number), unit)) {
            Some((Ok(number), "")) => NonZeroUsize::new(number).map(Count).ok_or(NotACount::Zero),
            _ => Err(NotACount::Form),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotACount {
    Form,
    Zero,
}

impl Display for NotACount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotACount::Form => "not a whole number",
            NotACount::Zero => "a number of zero",
        })
    }
}

impl std::error::Error for NotACount {}

/// The digits (at least one, no sign, at most what a `u64` holds) and what follows them.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_in_each_unit() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
        ] {
            assert_eq!(
                text.parse::<Period>().map(|p| p.get().as_millis()),
                Ok(milliseconds)
            );
        }
    }

    #[test]
    fn a_period_of_another_form_is_refused() {
        for text in [
            "", "30", "s", "-1s", "+1s", "1.5s", "1 s", "1S", "1d", "１s",
        ] {
            assert_eq!(text.parse::<Period>(), Err(NotAPeriod::Form), "{text:?}");
        }
        assert_eq!("0s".parse::<Period>(), Err(NotAPeriod::Zero));
        assert_eq!("8761h".parse::<Period>(), Err(NotAPeriod::TooLong));
        assert_eq!(
            "18446744073709551615h".parse::<Period>(),
            Err(NotAPeriod::TooLong)
        );
    }

    #[test]
    fn counts_are_read() {
        for (text, count) in [("1", 1), ("4096", 4096)] {
            assert_eq!(text.parse::<Count>().map(|c| c.get().get()), Ok(count));
        }
    }

    #[test]
    fn a_count_of_another_form_is_refused() {
        for text in ["", "-1", "+1", "1.5", "1k", " 1", "18446744073709551616"] {
            assert_eq!(text.parse::<Count>(), Err(NotACount::Form), "{text:?}");
        }
        assert_eq!("0".parse::<Count>(), Err(NotACount::Zero));
    }

    #[test]
    fn sizes_are_read_in_each_unit() {
        for (text, bytes) in [
            ("1", 1),
            ("64KiB", 65_536),
            ("3MiB", 3 << 20),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(text.parse::<Size>().map(Size::get), Ok(bytes));
        }
    }

    #[test]
    fn a_size_of_another_form_is_refused() {
        for text in ["", "KiB", "1kb", "1 KiB", "-1", "1.5MiB", "0x10"] {
            assert_eq!(text.parse::<Size>(), Err(NotASize::Form), "{text:?}");
        }
        assert_eq!("0KiB".parse::<Size>(), Err(NotASize::Zero));
        for text in [
            "18446744073709551615GiB",
            "8589934592GiB",
            "9223372036854775808",
        ] {
            assert_eq!(text.parse::<Size>(), Err(NotASize::TooLarge), "{text:?}");
        }
    }
}
