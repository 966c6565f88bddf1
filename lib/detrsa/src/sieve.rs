//! Finds most composite candidates before a costly test does: those with a small factor.
//!
//! A candidate is refused only for a factor that it has, and none is skipped or changed: which one wins is what it was
//! without the sieve. The time depends on a candidate only through the first small factor that it has, and so, for one
//! that wins, not at all.

use zeroize::Zeroizing;

/// Below this; the gain of a larger bound is smaller than its cost.
const BOUND: u32 = 1 << 13;

/// Of a product of small primes: 65 digits of 32 bits, each times a remainder, add up to less than 2^64.
const MODULUS_BITS: u32 = 25;
const MAX_DIGITS: usize = 65;

pub struct Sieve {
    digits: usize,
    groups: Vec<Group>,
}

struct Group {
    modulus: u64,
    primes: Vec<u32>,
    /// 2^(32 i) modulo `modulus`.
    powers: Vec<u32>,
}

impl Sieve {
    /// For numbers of at most this many bytes, and larger than every small prime.
    ///
    /// # Panics
    ///
    /// For more than 260 bytes.
    pub fn new(bytes: usize) -> Sieve {
        let digits = bytes.div_ceil(4);
        assert!(digits <= MAX_DIGITS, "the sums would overflow");
        let mut products: Vec<(u64, Vec<u32>)> = Vec::new();
        for prime in odd_primes_below(BOUND) {
            match products.last_mut() {
                Some((modulus, primes)) if (*modulus * u64::from(prime)) >> MODULUS_BITS == 0 => {
                    *modulus *= u64::from(prime);
                    primes.push(prime);
                }
                _ => products.push((u64::from(prime), vec![prime])),
            }
        }
        let group = |(modulus, primes)| Group {
            modulus,
            primes,
            powers: std::iter::successors(Some(1), |power| Some((power << 32) % modulus))
                .take(digits)
                .map(|power| u32::try_from(power).expect("a modulus has 25 bits"))
                .collect(),
        };
        Sieve {
            digits,
            groups: products.into_iter().map(group).collect(),
        }
    }

    /// Whether this number, big-endian, is certainly composite.
    pub fn finds_factor(&self, number: &[u8]) -> bool {
        let mut digits = Zeroizing::new([0; MAX_DIGITS]);
        for (digit, bytes) in digits.iter_mut().zip(number.rchunks(4)) {
            *digit = bytes
                .iter()
                .fold(0, |digit, byte| digit << 8 | u32::from(*byte));
        }
        let digits = &digits[..self.digits];
        self.groups.iter().any(|group| group.has_factor_of(digits))
    }
}

impl Group {
    fn has_factor_of(&self, digits: &[u32]) -> bool {
        let terms = digits.iter().zip(&self.powers);
        let sum: u64 = terms
            .map(|(digit, power)| u64::from(*digit) * u64::from(*power))
            .sum();
        // The remainder fits 32 bits, whose division is faster.
        let remainder = (sum % self.modulus) as u32;
        self.primes.iter().fold(false, |found, prime| {
            found | (remainder.is_multiple_of(*prime))
        })
    }
}

fn odd_primes_below(bound: u32) -> impl Iterator<Item = u32> {
    let mut composite = vec![false; bound as usize];
    (3..bound).step_by(2).filter(move |&n| {
        let prime = !composite[n as usize];
        if prime {
            for multiple in (n * n..bound).step_by(2 * n as usize) {
                composite[multiple as usize] = true;
            }
        }
        prime
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::bn::{BigNum, BigNumRef};

    #[test]
    fn the_small_primes_are_all_there() {
        let primes: Vec<u32> = odd_primes_below(BOUND).collect();
        assert_eq!(primes[..5], [3, 5, 7, 11, 13]);
        // 1028 primes lie below 2^13, and 8191 is the last.
        assert_eq!((primes.len(), primes[1026]), (1027, 8191));
        let sieve = Sieve::new(260);
        let held: Vec<u32> = sieve
            .groups
            .into_iter()
            .flat_map(|group| group.primes)
            .collect();
        assert_eq!(held, primes);
    }

    fn word_divides(number: &BigNumRef, prime: u32) -> bool {
        number.mod_word(prime).unwrap() == 0
    }

    #[test]
    fn a_number_is_refused_exactly_for_a_small_factor() {
        for bytes in [9, 128, 192, 256, 260] {
            let sieve = Sieve::new(bytes);
            // The largest number, and some hundred others.
            let mut number = BigNum::from_slice(&vec![0xff; bytes]).unwrap();
            let mut refused = 0;
            for _ in 0..200 {
                let found = odd_primes_below(BOUND).any(|prime| word_divides(&number, prime));
                assert_eq!(sieve.finds_factor(&number.to_vec()), found);
                refused += u32::from(found);
                number.sub_word(2).unwrap();
            }
            assert!((100..200).contains(&refused), "{refused}");
        }
    }

    #[test]
    fn a_multiple_of_each_small_prime_is_refused() {
        let sieve = Sieve::new(128);
        for prime in odd_primes_below(BOUND) {
            // A prime larger than the bound: 2^127 - 1.
            let mut number = BigNum::from_slice(&(u128::MAX >> 1).to_be_bytes()).unwrap();
            assert!(!sieve.finds_factor(&number.to_vec()));
            number.mul_word(prime).unwrap();
            assert!(sieve.finds_factor(&number.to_vec()), "{prime}");
        }
    }
}
