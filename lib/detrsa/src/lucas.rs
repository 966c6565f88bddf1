//! The Lucas test of [FIPS 186-5 §B.3.3](https://doi.org/10.6028/NIST.FIPS.186-5), for a secret number: each step is done
//! for either value of the bit that it is for, and the one that counts is selected without a branch.

use crate::montgomery::{Modulus, Residue, selected};
use subtle::Choice;
use zeroize::Zeroizing;

/// A number for which none of so many is right is a square, or one in 2^100 of the others.
const DISCRIMINANTS: i64 = 100;

/// Whether this number, big-endian, is a probable prime. Its highest and lowest bits are set, and its length is a
/// multiple of eight bytes.
pub fn is_probable_prime(number: &[u8]) -> bool {
    // Step 2: 5, -7, 9, -11, … It tells some quadratic characters of the number, as every such test does.
    let mut discriminants = (0..DISCRIMINANTS).map(|i| (5 + 2 * i) * (1 - 2 * (i % 2)));
    let Some(discriminant) = discriminants.find(|&d| jacobi_symbol(d, number) == -1) else {
        return false;
    };
    let n = Modulus::new(number);
    let d = multiple_of_one(&n, discriminant);

    // Step 3: K = C + 1. C has its highest bit set, and so has K: an odd number of ones only would overflow, and that is
    // divisible by 3.
    let mut k = Zeroizing::new(number.to_vec());
    let mut carry = 1;
    for byte in k.iter_mut().rev() {
        carry += u16::from(*byte);
        *byte = carry as u8;
        carry >>= 8;
    }

    // Steps 4 to 6.
    let (mut u, mut v) = (n.one(), n.one());
    for i in 1..8 * number.len() {
        let bit = Choice::from(k[i / 8] >> (7 - i % 8) & 1);
        let u_doubled = n.multiplied(&u, &v);
        let d_u_squared = n.multiplied(&d, &n.multiplied(&u, &u));
        let v_doubled = n.halved(&n.add(&n.multiplied(&v, &v), &d_u_squared));
        let u_next = n.halved(&n.add(&u_doubled, &v_doubled));
        let v_next = n.halved(&n.add(&v_doubled, &n.multiplied(&d, &u_doubled)));
        u = selected(&u_doubled, &u_next, bit);
        v = selected(&v_doubled, &v_next, bit);
    }
    n.is_zero(&u)
}

fn multiple_of_one(n: &Modulus, factor: i64) -> Residue {
    let one = n.one();
    let mut multiple = Residue::default();
    for _ in 0..factor.unsigned_abs() {
        multiple = n.add(&multiple, &one);
    }
    if factor < 0 {
        n.negated(&multiple)
    } else {
        multiple
    }
}

/// Of an odd, small `a` over a large, odd, big-endian number.
fn jacobi_symbol(a: i64, number: &[u8]) -> i32 {
    let magnitude = a.unsigned_abs();
    let remainder = number.iter().fold(0, |remainder, byte| {
        (remainder << 8 | u64::from(*byte)) % magnitude
    });
    let three_modulo_four = number[number.len() - 1] & 3 == 3;
    let sign = if three_modulo_four && (a < 0) != (magnitude & 3 == 3) {
        -1
    } else {
        1
    };
    sign * small_jacobi_symbol(remainder, magnitude)
}

/// `n` is odd.
fn small_jacobi_symbol(mut a: u64, mut n: u64) -> i32 {
    let mut symbol = 1;
    a %= n;
    while a != 0 {
        while a.is_multiple_of(2) {
            a /= 2;
            if matches!(n & 7, 3 | 5) {
                symbol = -symbol;
            }
        }
        std::mem::swap(&mut a, &mut n);
        if a & 3 == 3 && n & 3 == 3 {
            symbol = -symbol;
        }
        a %= n;
    }
    if n == 1 { symbol } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::bn::{BigNum, BigNumContext};

    fn small(number: u64) -> bool {
        is_probable_prime(&number.to_be_bytes())
    }

    #[test]
    fn it_agrees_with_another_test_but_for_its_own_pseudoprimes() {
        let mut ctx = BigNumContext::new().unwrap();
        let mut primes = 0;
        for number in (1 << 63 | 1..).step_by(2).take(3000) {
            let bytes = u64::to_be_bytes(number);
            let prime = BigNum::from_slice(&bytes)
                .unwrap()
                .is_prime(20, &mut ctx)
                .unwrap();
            assert_eq!(small(number), prime, "{number}");
            primes += u32::from(prime);
        }
        // About 2 / ln 2^63 of them.
        assert!((100..180).contains(&primes), "{primes}");
    }

    #[test]
    fn a_square_is_refused() {
        // The square of the prime 2^32 - 5.
        assert!(!small(4294967291 * 4294967291));
        // That of 2^521 - 1 has no length of whole words; 2^512 - 569 is prime.
        let mut prime = BigNum::new().unwrap();
        prime.set_bit(512).unwrap();
        prime.sub_word(569).unwrap();
        assert!(is_probable_prime(&prime.to_vec()));
        let mut square = BigNum::new().unwrap();
        square
            .sqr(&prime, &mut BigNumContext::new().unwrap())
            .unwrap();
        assert!(!is_probable_prime(&square.to_vec()));
    }

    #[test]
    fn symbols_are_those_of_eulers_criterion() {
        let prime = 0xffff_ffff_ffff_ffc5u64; // 2^64 - 59
        let power = |base: u64| {
            let (mut result, mut base, mut exponent) = (1u128, u128::from(base), (prime - 1) / 2);
            while exponent > 0 {
                if exponent & 1 == 1 {
                    result = result * base % u128::from(prime);
                }
                base = base * base % u128::from(prime);
                exponent >>= 1;
            }
            result
        };
        for a in (-301i64..=301).step_by(2).filter(|a| a.abs() > 1) {
            let expected = if power(i128::from(a).rem_euclid(prime.into()) as u64) == 1 {
                1
            } else {
                -1
            };
            assert_eq!(jacobi_symbol(a, &prime.to_be_bytes()), expected, "{a}");
        }
    }
}
