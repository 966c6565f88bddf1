//! Whether a candidate is prime: Miller-Rabin and Lucas tests, whose composites that pass both nobody has seen.

use crate::chacha::Stream;
use crate::lucas;
use crate::number::{context, is_one, power, predecessor, secret, secret_of};
use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::error::ErrorStack;
use zeroize::Zeroizing;

/// The most that [FIPS 186-5 table B.1](https://doi.org/10.6028/NIST.FIPS.186-5) demands for primes of these lengths, and
/// that without a Lucas test. It counts on candidates that are drawn at random, as every seed that passed its check is.
const ROUNDS: usize = 5;

pub struct Test {
    bases: Stream,
    context: BigNumContext,
}

impl Test {
    /// The bases are those of `stream`; no prime is refused for any of them.
    pub fn new(stream: Stream) -> Result<Test, ErrorStack> {
        Ok(Test {
            bases: stream,
            context: context()?,
        })
    }

    /// Of a big-endian number as [`lucas::is_probable_prime`] takes it.
    pub fn is_probable_prime(&mut self, number: &[u8]) -> Result<bool, ErrorStack> {
        Ok(self.passes_miller_rabin(number)? && lucas::is_probable_prime(number))
    }

    /// [FIPS 186-5 §B.3.1](https://doi.org/10.6028/NIST.FIPS.186-5).
    fn passes_miller_rabin(&mut self, number: &[u8]) -> Result<bool, ErrorStack> {
        let candidate = secret_of(number)?;
        let minus_one = predecessor(&candidate)?;
        let mut twos = 1;
        while !minus_one.is_bit_set(twos) {
            twos += 1;
        }
        let mut odd = secret()?;
        odd.rshift(&minus_one, twos)?;
        odd.set_const_time();
        for _ in 0..ROUNDS {
            let base = self.base(number.len(), &minus_one)?;
            let power = power(&base, &odd, &candidate, &mut self.context)?;
            if !self.reaches_minus_one(power, twos, &candidate, &minus_one)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// One round, from step 4.4.
    fn reaches_minus_one(
        &mut self,
        mut power: BigNum,
        twos: i32,
        candidate: &BigNumRef,
        minus_one: &BigNumRef,
    ) -> Result<bool, ErrorStack> {
        if is_one(&power) || *power == *minus_one {
            return Ok(true);
        }
        for _ in 1..twos {
            let mut square = secret()?;
            square.mod_sqr(&power, candidate, &mut self.context)?;
            power = square;
            if *power == *minus_one {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Above 1 and below the candidate less 1.
    fn base(&mut self, length: usize, minus_one: &BigNumRef) -> Result<BigNum, ErrorStack> {
        let mut bytes = Zeroizing::new(vec![0; length]);
        loop {
            self.bases.fill(&mut bytes)?;
            let base = secret_of(&bytes)?;
            if base.num_bits() > 1 && *base < *minus_one {
                return Ok(base);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    fn test() -> Test {
        let seed = Seed::copied_from(&std::array::from_fn(|i| i as u8));
        Test::new(Stream::bases(&seed).unwrap()).unwrap()
    }

    #[test]
    fn miller_rabin_tells_primes_from_composites() {
        let mut test = test();
        let mut context = context().unwrap();
        // Numbers whose predecessor has one factor two, and some with many.
        for start in [1 << 63 | 1, (1 << 63) + (1 << 40) + 1] {
            for step in [2, 1 << 20] {
                for i in 0..400 {
                    let number = u64::to_be_bytes(start + step * i);
                    let prime = secret_of(&number)
                        .unwrap()
                        .is_prime(20, &mut context)
                        .unwrap();
                    assert_eq!(
                        test.passes_miller_rabin(&number).unwrap(),
                        prime,
                        "{number:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_product_of_two_primes_is_refused_by_either_test() {
        // The product of 2^32 - 5 and 2^32 - 17, both prime.
        let product = u64::to_be_bytes(4294967291 * 4294967279);
        assert!(!test().passes_miller_rabin(&product).unwrap());
        assert!(!lucas::is_probable_prime(&product));
        assert!(!test().is_probable_prime(&product).unwrap());
    }
}
