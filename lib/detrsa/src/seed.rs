//! What a seed must not be: bytes that nobody drew at random.
//!
//! The shares of a seed have passed the same check; what is made of them fails it only where it was put in by hand. Of 32
//! random bytes, fewer than 16 distinct ones turn up less than once in 2^54 draws.

use crate::Seed;
use std::fmt;
use subtle::{Choice, ConstantTimeEq};

const DISTINCT: u8 = 16;

/// Fewer than 16 distinct byte values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DegenerateSeed;

impl fmt::Display for DegenerateSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a seed that was not drawn at random")
    }
}

impl std::error::Error for DegenerateSeed {}

/// Takes the same time for every seed.
pub fn checked(seed: &Seed) -> Result<(), DegenerateSeed> {
    // To count; only whether there are enough is told.
    let bytes = seed.expose_secret();
    let mut distinct = 0;
    for (i, byte) in bytes.iter().enumerate() {
        let mut seen = Choice::from(0);
        for earlier in &bytes[..i] {
            seen |= byte.ct_eq(earlier);
        }
        distinct += (!seen).unwrap_u8();
    }
    if distinct < DISTINCT {
        return Err(DegenerateSeed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 32 bytes of which `n` are distinct.
    fn with_distinct(n: u8) -> Seed {
        Seed::copied_from(&std::array::from_fn(|i| 7 * (i as u8 % n)))
    }

    #[test]
    fn sixteen_distinct_values_are_enough() {
        for n in 16..=32 {
            assert_eq!(checked(&with_distinct(n)), Ok(()));
        }
    }

    #[test]
    fn fewer_are_refused() {
        for n in 1..16 {
            assert_eq!(checked(&with_distinct(n)), Err(DegenerateSeed));
        }
        assert_eq!(
            checked(&Seed::copied_from(&[0xa5; 32])),
            Err(DegenerateSeed)
        );
    }
}
