//! `provable-fips186`: primes that come with the proof that they are prime, as GnuTLS makes and verifies them.
//!
//! [FIPS 186-4 §B.3.2.2, §C.6 and §C.10](https://doi.org/10.6028/NIST.FIPS.186-4) with SHA-384 and without auxiliary
//! primes (p1 = p2 = 1). Each prime is made from a prime of half its length, and so on down to 32 bits, where trial division
//! decides. The seed is a number that is counted up, a string of bytes of one length.

use crate::RsaKey;
use crate::key::PUBLIC_EXPONENT;
use crate::number::{context, is_one, power, predecessor, secret, secret_copy};
use crate::search::are_apart;
use crate::sieve::Sieve;
use crate::{Seed, Size};
use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::error::ErrorStack;
use sha2::digest::FixedOutput;
use sha2::{Digest, Sha384};
use zeroize::Zeroizing;

const HASH_BITS: i32 = 384;

/// Why there is no key.
pub enum Failure {
    /// The standard's limit on tries was reached: one seed in some ten thousand.
    NoPrimes,
    OpenSsl,
}

impl From<ErrorStack> for Failure {
    fn from(_: ErrorStack) -> Failure {
        Failure::OpenSsl
    }
}

/// The primes stand in the key in the order in which they were found, where GnuTLS looks for them.
pub fn generate(size: Size, seed: &Seed) -> Result<RsaKey, Failure> {
    let (p, q) = two_primes(size.bits() as i32 / 2, seed)?;
    Ok(RsaKey::of_ordered_primes(&p, &q)?)
}

fn two_primes(bits: i32, seed: &Seed) -> Result<(BigNum, BigNum), Failure> {
    // To make the key.
    let seed = seed.expose_secret();
    let mut generator = Generator {
        seed: Zeroizing::new(seed.to_vec()),
        context: context()?,
    };
    let p = generator.rsa_prime(bits)?;
    loop {
        let q = generator.rsa_prime(bits)?;
        let mut n = BigNum::new()?;
        n.checked_mul(&p, &q, &mut generator.context)?;
        if are_apart(&p, &q)? && n.num_bits() == 2 * bits {
            return Ok((p, q));
        }
    }
}

struct Generator {
    seed: Zeroizing<Vec<u8>>,
    context: BigNumContext,
}

impl Generator {
    /// §C.10 without auxiliary primes.
    fn rsa_prime(&mut self, bits: i32) -> Result<BigNum, Failure> {
        let half = self.prime(bits / 2 + bits % 2 + 1)?;
        let sieve = Sieve::new(bits as usize / 8 + 1);
        let hashes = ceiling(bits, HASH_BITS);
        let mut double = secret()?;
        double.lshift1(&half)?;

        // Between the square root of 2^(2·bits - 1) and 2^bits.
        let least = square_root_of_power(2 * bits - 1, &mut self.context)?;
        let mut width = power_of_two(bits)?;
        width.checked_sub(&*power_of_two(bits)?, &least)?;
        let x = self.sum_modulo(&least, hashes, &width)?;
        let mut t = self.quotient_rounded_up(&*sum(&double, &x)?, &double)?;
        for _ in 0..5 * bits {
            let candidate = self.multiple_plus_one(&double, &*predecessor(&t)?)?;
            if candidate.num_bits() > bits {
                t = self.quotient_rounded_up(&*sum(&double, &least)?, &double)?;
            }
            if candidate.mod_word(PUBLIC_EXPONENT)? != 1 {
                let exponent = predecessor(&t)?;
                if self.is_proven(&candidate, &half, &exponent, hashes, &sieve)? {
                    return Ok(candidate);
                }
            }
            t.add_word(1)?;
        }
        Err(Failure::NoPrimes)
    }

    /// ST_Random_Prime, §C.6.
    fn prime(&mut self, bits: i32) -> Result<BigNum, Failure> {
        if bits < 33 {
            return self.small_prime(bits);
        }
        let half = self.prime(bits / 2 + bits % 2 + 1)?;
        let sieve = Sieve::new(bits as usize / 8 + 1);
        let hashes = ceiling(bits, HASH_BITS);
        let mut double = secret()?;
        double.lshift1(&half)?;

        let least = power_of_two(bits - 1)?;
        let x = self.sum_modulo(&least, hashes, &least)?;
        let mut t = self.quotient_rounded_up(&x, &double)?;
        for _ in 0..4 * bits {
            let mut candidate = self.multiple_plus_one(&double, &t)?;
            if candidate.num_bits() > bits {
                t = self.quotient_rounded_up(&least, &double)?;
                candidate = self.multiple_plus_one(&double, &t)?;
            }
            if self.is_proven(&candidate, &half, &t, hashes, &sieve)? {
                return Ok(candidate);
            }
            t.add_word(1)?;
        }
        Err(Failure::NoPrimes)
    }

    /// §C.6, steps 2 to 13.
    fn small_prime(&mut self, bits: i32) -> Result<BigNum, Failure> {
        for _ in 0..4 * bits {
            let low = |hash: Zeroizing<[u8; 48]>| {
                u32::from_be_bytes([hash[44], hash[45], hash[46], hash[47]])
            };
            let drawn = low(self.next_hash()) ^ low(self.next_hash());
            let top = 1 << (bits - 1);
            let candidate = top | drawn & (top - 1) | 1;
            if is_small_prime(candidate) {
                let mut prime = secret()?;
                prime.add_word(candidate)?;
                prime.set_const_time();
                return Ok(prime);
            }
        }
        Err(Failure::NoPrimes)
    }

    /// Pocklington's proof that `candidate` = 2·`half`·`exponent` + 1 is prime, `half` being a prime above its square root.
    fn is_proven(
        &mut self,
        candidate: &BigNumRef,
        half: &BigNumRef,
        exponent: &BigNumRef,
        hashes: i32,
        sieve: &Sieve,
    ) -> Result<bool, ErrorStack> {
        let mut width = secret_copy(candidate)?;
        width.sub_word(3)?;
        // The base is drawn for every candidate: the seed is counted up by it.
        let a = self.sum_modulo(&*BigNum::from_u32(2)?, hashes, &width)?;
        // No composite is ever proven.
        if sieve.finds_factor(&Zeroizing::new(candidate.to_vec())) {
            return Ok(false);
        }
        let mut even = secret()?;
        even.lshift1(exponent)?;
        even.set_const_time();
        let z = power(&a, &even, candidate, &mut self.context)?;
        if !is_one(&*power(&z, half, candidate, &mut self.context)?) {
            return Ok(false);
        }
        let mut gcd = secret()?;
        gcd.gcd(&*predecessor(&z)?, candidate, &mut self.context)?;
        Ok(is_one(&gcd))
    }

    /// `least` + (the next hashes as one number, the first lowest, modulo `width`).
    fn sum_modulo(
        &mut self,
        least: &BigNumRef,
        hashes: i32,
        width: &BigNumRef,
    ) -> Result<BigNum, ErrorStack> {
        let mut bytes = Zeroizing::new(vec![0; hashes as usize * 48]);
        for block in bytes.rchunks_mut(48) {
            block.copy_from_slice(&*self.next_hash());
        }
        let drawn = crate::number::secret_of(&bytes)?;
        let mut remainder = secret()?;
        remainder.nnmod(&drawn, width, &mut self.context)?;
        sum(least, &remainder)
    }

    /// Of the seed, which is then counted up.
    fn next_hash(&mut self) -> Zeroizing<[u8; 48]> {
        let mut digest = Zeroizing::new([0; 48]);
        let hash = Sha384::new_with_prefix(&*self.seed);
        FixedOutput::finalize_into(hash, (&mut *digest).into());
        for byte in self.seed.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
        digest
    }

    fn multiple_plus_one(
        &mut self,
        number: &BigNumRef,
        factor: &BigNumRef,
    ) -> Result<BigNum, ErrorStack> {
        let mut multiple = secret()?;
        multiple.checked_mul(number, factor, &mut self.context)?;
        multiple.add_word(1)?;
        multiple.set_const_time();
        Ok(multiple)
    }

    fn quotient_rounded_up(
        &mut self,
        number: &BigNumRef,
        divisor: &BigNumRef,
    ) -> Result<BigNum, ErrorStack> {
        let mut quotient = secret()?;
        let above = sum(number, &*predecessor(divisor)?)?;
        quotient.checked_div(&above, divisor, &mut self.context)?;
        Ok(quotient)
    }
}

fn sum(a: &BigNumRef, b: &BigNumRef) -> Result<BigNum, ErrorStack> {
    let mut sum = secret()?;
    sum.checked_add(a, b)?;
    Ok(sum)
}

fn ceiling(number: i32, divisor: i32) -> i32 {
    (number + divisor - 1) / divisor
}

fn power_of_two(exponent: i32) -> Result<BigNum, ErrorStack> {
    let mut power = BigNum::new()?;
    power.set_bit(exponent)?;
    Ok(power)
}

/// Rounded down, of 2^`exponent`: Newton's iteration, from above.
fn square_root_of_power(exponent: i32, context: &mut BigNumContext) -> Result<BigNum, ErrorStack> {
    let square = power_of_two(exponent)?;
    let mut root = power_of_two(exponent / 2 + 1)?;
    loop {
        let (mut quotient, mut total, mut next) = (BigNum::new()?, BigNum::new()?, BigNum::new()?);
        quotient.checked_div(&square, &root, context)?;
        total.checked_add(&root, &quotient)?;
        next.rshift1(&total)?;
        if next >= root {
            return Ok(root);
        }
        root = next;
    }
}

/// By division; the number is odd and above 1. All divisors are tried: how long it takes tells nothing.
fn is_small_prime(number: u32) -> bool {
    let divisors = (3..1 << 16).step_by(2);
    let found = divisors.fold(false, |found, divisor| {
        found | (number.is_multiple_of(divisor) & (divisor < number))
    });
    !found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_primes_are_told_from_composites() {
        for prime in [3, 5, 65521, 65537, 33554393, 4294967291] {
            assert!(is_small_prime(prime), "{prime}");
        }
        for composite in [9, 65521 * 3, 65521 * 65521, 33554395, 4294967295] {
            assert!(!is_small_prime(composite), "{composite}");
        }
    }

    #[test]
    fn a_root_is_rounded_down() {
        let mut context = context().unwrap();
        for (exponent, root) in [(3, 2), (5, 5), (63, 3037000499u64)] {
            let found = square_root_of_power(exponent, &mut context).unwrap();
            assert_eq!(found.to_dec_str().unwrap().to_string(), root.to_string());
        }
    }
}
