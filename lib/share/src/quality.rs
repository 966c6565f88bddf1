//! What a share must not be: bytes that nobody drew at random, or another participant's share.
//!
//! Of 32 random bytes, fewer than 16 distinct ones turn up less than once in 2^54 draws. The check only ever tells
//! that a share failed it, and takes the same time for every share.

use subtle::{Choice, ConstantTimeEq};

const DISTINCT: u8 = 16;

pub fn looks_random(bytes: &[u8]) -> bool {
    distinct_values(bytes) >= DISTINCT
}

pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Compares each byte with all before it; a table of counts would be read at places that the secret chooses.
fn distinct_values(bytes: &[u8]) -> u8 {
    let mut distinct = 0;
    for (i, byte) in bytes.iter().enumerate() {
        let mut seen = Choice::from(0);
        for earlier in &bytes[..i] {
            seen |= byte.ct_eq(earlier);
        }
        distinct += (!seen).unwrap_u8();
    }
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 32 bytes of which `n` are distinct.
    fn with_distinct(n: u8) -> [u8; 32] {
        std::array::from_fn(|i| 7 * (i as u8 % n))
    }

    #[test]
    fn distinct_values_are_counted() {
        for n in 1..=32 {
            assert_eq!(distinct_values(&with_distinct(n)), n);
        }
        assert_eq!(distinct_values(&[]), 0);
    }

    #[test]
    fn every_byte_is_compared() {
        let bytes = with_distinct(32);
        assert!(equal(&bytes, &bytes));
        for i in 0..bytes.len() {
            let mut other = bytes;
            other[i] ^= 1;
            assert!(!equal(&bytes, &other));
        }
    }

    #[test]
    fn sixteen_distinct_values_are_enough() {
        assert!(looks_random(&with_distinct(16)));
    }

    #[test]
    fn fewer_are_refused() {
        assert!(!looks_random(&with_distinct(15)));
        assert!(!looks_random(&[0; 32]));
        assert!(!looks_random(&[0xa5; 32]));
    }
}
