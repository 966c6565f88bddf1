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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash_drbg::HashDrbg;
    use openssl::bn::BigNumContext;

    fn seed(number: u8) -> Seed {
        Seed::copied_from(&std::array::from_fn(|i| (7 * i as u8) ^ number))
    }

    /// Every candidate, tested by OpenSSL.
    fn plain(candidates: &mut impl Candidates, bytes: usize) -> (BigNum, BigNum) {
        let mut context = BigNumContext::new().unwrap();
        let mut is_prime = |number: &[u8]| BigNum::from_slice(number)?.is_prime(20, &mut context);
        first_two(candidates, bytes, &mut is_prime).unwrap()
    }

    #[test]
    fn the_sieve_and_the_tests_do_not_change_which_candidates_win() {
        for number in 0..60 {
            let seed = seed(number);
            for bytes in [32, 40, 64] {
                let stream = || Stream::candidates(&seed).unwrap();
                let found = two_primes(&mut stream(), bytes, &seed).unwrap();
                assert!(found == plain(&mut stream(), bytes), "{number} {bytes}");
            }
        }
    }

    #[test]
    fn they_do_not_at_the_lengths_of_keys() {
        for bytes in [128, 192] {
            let seed = seed(201);
            let stream = || Stream::candidates(&seed).unwrap();
            let found = two_primes(&mut stream(), bytes, &seed).unwrap();
            assert!(found == plain(&mut stream(), bytes), "{bytes}");
            let drbg = || HashDrbg::of_seed(&seed);
            let found = two_primes(&mut drbg(), bytes, &seed).unwrap();
            assert!(found == plain(&mut drbg(), bytes), "{bytes}");
        }
    }

    /// Gives these, one after another.
    struct Listed(std::vec::IntoIter<BigNum>);

    impl Candidates for Listed {
        fn next(&mut self, bytes: &mut [u8]) -> Result<(), ErrorStack> {
            let next = self.0.next().expect("one of the candidates is fit");
            bytes.copy_from_slice(&next.to_vec());
            Ok(())
        }
    }

    /// The first primes from a number of 256 bits on that are fit.
    fn primes_from(start: BigNum) -> impl Iterator<Item = BigNum> {
        let mut context = BigNumContext::new().unwrap();
        let mut number = start;
        std::iter::from_fn(move || {
            loop {
                number.add_word(2).unwrap();
                let remainder = number.mod_word(PUBLIC_EXPONENT).unwrap();
                if remainder != 1 && number.is_prime(20, &mut context).unwrap() {
                    let mut prime = BigNum::new().unwrap();
                    prime.lshift(&number, 0).unwrap();
                    return Some(prime);
                }
            }
        })
    }

    fn start(top: u8) -> BigNum {
        let mut bytes = [0; 32];
        bytes[0] = top;
        bytes[31] = 1;
        BigNum::from_slice(&bytes).unwrap()
    }

    fn found(candidates: Vec<BigNum>) -> (BigNum, BigNum) {
        two_primes(&mut Listed(candidates.into_iter()), 32, &seed(1)).unwrap()
    }

    #[test]
    fn a_second_prime_near_the_first_is_refused() {
        let near: Vec<BigNum> = primes_from(start(0xc0)).take(3).collect();
        let far = primes_from(start(0xe0)).next().unwrap();
        let (first, last) = (near[0].to_vec(), far.to_vec());
        let (p, q) = found(near.into_iter().chain([far]).collect());
        assert_eq!((p.to_vec(), q.to_vec()), (first, last));
    }

    #[test]
    fn primes_are_apart_above_the_limit_only() {
        let p = start(0xc0);
        let mut q = BigNum::new().unwrap();
        q.set_bit(256 - 100).unwrap();
        q = &q + &p;
        assert!(!are_apart(&p, &q).unwrap() && !are_apart(&q, &p).unwrap());
        q.add_word(1).unwrap();
        assert!(are_apart(&p, &q).unwrap() && are_apart(&q, &p).unwrap());
    }

    #[test]
    fn a_prime_whose_predecessor_the_exponent_divides_is_refused() {
        // Such primes are rare: they are looked for among the multiples of e, plus 1.
        let mut context = BigNumContext::new().unwrap();
        let mut factor = BigNum::new().unwrap();
        factor.rshift(&start(0xd0), 16).unwrap();
        let unfit = loop {
            factor.add_word(1).unwrap();
            let mut number = BigNum::new().unwrap();
            number.lshift(&factor, 0).unwrap();
            number.mul_word(PUBLIC_EXPONENT).unwrap();
            number.add_word(1).unwrap();
            if number.num_bits() == 256 && number.is_prime(20, &mut context).unwrap() {
                break number;
            }
        };
        let p = primes_from(start(0xc0)).next().unwrap();
        let q = primes_from(start(0xf0)).next().unwrap();
        let expected = (p.to_vec(), q.to_vec());
        let (p, q) = found(vec![unfit, p, q]);
        assert_eq!((p.to_vec(), q.to_vec()), expected);
    }
}
