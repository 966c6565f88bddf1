//! Times and spans as people read them.

use crate::keeper::ledger::entry::Time;
use std::fmt::{self, Display};

/// `2026-11-03 14:02:31 UTC`.
pub struct Utc(pub Time);

/// How much of a lease is left: `4 min 12 s`.
pub struct Span {
    pub milliseconds: u64,
}

impl Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let text = text.strip_suffix('Z').unwrap_or(&text);
        write!(f, "{} UTC", text.replacen('T', " ", 1))
    }
}

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.milliseconds.div_ceil(1000);
        match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
            (0, 0, s) => write!(f, "{s} s"),
            (0, m, s) => write!(f, "{m} min {s} s"),
            (h, m, _) => write!(f, "{h} h {m} min"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_says_that_it_is_utc() {
        let time = Utc(Time(1_800_000_000_999));
        assert_eq!(time.to_string(), "2027-01-15 08:00:00 UTC");
    }

    #[test]
    fn spans_are_short() {
        for (milliseconds, text) in [
            (0, "0 s"),
            (1, "1 s"),
            (60_000, "1 min 0 s"),
            (299_001, "5 min 0 s"),
            (3_600_000, "1 h 0 min"),
            (86_399_000, "23 h 59 min"),
        ] {
            assert_eq!(Span { milliseconds }.to_string(), text);
        }
    }
}
