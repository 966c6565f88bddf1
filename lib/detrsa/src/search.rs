//! The two primes of a key: the first two candidates of a stream that are fit.

use crate::Seed;
use crate::chacha::Stream;
use crate::key::PUBLIC_EXPONENT;
use crate::number::{secret, secret_of};
use crate::primality::Test;
use crate::sieve::Sieve;
use openssl::bn::{BigNum, BigNumRef};
use openssl::error::ErrorStack;
use zeroize::Zeroizing;

/// Bytes of which candidates are made.
pub trait Candidates {
    fn next(&mut self, bytes: &mut [u8]) -> Result<(), ErrorStack>;
}

/// p and q, in the order in which they were found. Each is `bytes` long, a multiple of eight.
pub fn two_primes(
    candidates: &mut impl Candidates,
    bytes: usize,
    seed: &Seed,
) -> Result<(BigNum, BigNum), ErrorStack> {
    let sieve = Sieve::new(bytes);
    let mut test = Test::new(Stream::bases(seed)?)?;
    let mut is_prime =
        |number: &[u8]| Ok(!sieve.finds_factor(number) && test.is_probable_prime(number)?);
    first_two(candidates, bytes, &mut is_prime)
}

fn first_two(
    candidates: &mut impl Candidates,
    bytes: usize,
    is_prime: &mut impl FnMut(&[u8]) -> Result<bool, ErrorStack>,
) -> Result<(BigNum, BigNum), ErrorStack> {
    let p = first(candidates, bytes, is_prime)?;
    loop {
        let q = first(candidates, bytes, is_prime)?;
        if are_apart(&p, &q)? {
            return Ok((p, q));
        }
    }
}

fn first(
    candidates: &mut impl Candidates,
    bytes: usize,
    is_prime: &mut impl FnMut(&[u8]) -> Result<bool, ErrorStack>,
) -> Result<BigNum, ErrorStack> {
    let mut number = Zeroizing::new(vec![0; bytes]);
    loop {
        candidates.next(&mut number)?;
        // The product of two such numbers has all its bits.
        number[0] |= 0xc0;
        number[bytes - 1] |= 0x01;
        if is_prime(&number)? {
            let prime = secret_of(&number)?;
            // gcd(p - 1, e) = 1, as e is prime.
            if prime.mod_word(PUBLIC_EXPONENT)? != 1 {
                return Ok(prime);
            }
        }
    }
}

/// Whether |p - q| > 2^(bits/2 - 100), bits/2 being the length of either.
pub fn are_apart(p: &BigNumRef, q: &BigNumRef) -> Result<bool, ErrorStack> {
    let mut difference = secret()?;
    difference.checked_sub(p, q)?;
    let mut least = BigNum::new()?;
    least.set_bit(p.num_bits() - 100)?;
    Ok(difference.ucmp(&least).is_gt())
}
