//! How far two clocks may be apart.

use std::fmt::{self, Display};
use std::time::Duration;

/// Added to each end of a token's time, because the issuer's clock is not the verifier's. At most a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leeway(u64);

impl Leeway {
    pub const NONE: Leeway = Leeway(0);
    pub const MAX: Leeway = Leeway(60);

    /// Whole seconds; what is below one is dropped.
    ///
    /// # Errors
    ///
    /// Longer than [`Leeway::MAX`].
    pub const fn new(length: Duration) -> Result<Leeway, LeewayTooLong> {
        match length.as_secs() {
            seconds if seconds <= Self::MAX.0 => Ok(Leeway(seconds)),
            _ => Err(LeewayTooLong),
        }
    }

    pub(crate) const fn seconds(self) -> u64 {
        self.0
    }
}

/// More than a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeewayTooLong;

impl Display for LeewayTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("clocks may be at most 60 seconds apart")
    }
}

impl std::error::Error for LeewayTooLong {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_taken() {
        assert_eq!(Leeway::new(Duration::from_secs(60)), Ok(Leeway::MAX));
        assert_eq!(Leeway::new(Duration::ZERO), Ok(Leeway::NONE));
    }

    #[test]
    fn more_than_a_minute_is_refused() {
        assert_eq!(Leeway::new(Duration::from_secs(61)), Err(LeewayTooLong));
        assert_eq!(Leeway::new(Duration::MAX), Err(LeewayTooLong));
    }
}
