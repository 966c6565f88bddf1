//! `chacha20-v1`: every prime candidate is the next bytes of one ChaCha20 stream.

use crate::key::PUBLIC_EXPONENT;
use crate::{RsaKey, Seed, Size};
use openssl::bn::{BigNum, BigNumContext};
use openssl::error::ErrorStack;
use openssl::symm::{Cipher, Crypter, Mode};
use zeroize::Zeroizing;

pub fn generate(size: Size, seed: &Seed) -> Result<RsaKey, ErrorStack> {
    // To make the key.
    let key = seed.expose_secret();
    let mut stream = Crypter::new(Cipher::chacha20(), Mode::Encrypt, key, Some(&[0; 16]))?;
    let length = size.bits() as usize / 16;
    let zeros = vec![0; length];
    let mut ctx = BigNumContext::new_secure()?;
    let mut next = || -> Result<BigNum, ErrorStack> {
        loop {
            let mut bytes = Zeroizing::new(vec![0; length]);
            stream.update(&zeros, &mut bytes)?;
            bytes[0] |= 0xc0;
            bytes[length - 1] |= 1;
            let candidate = BigNum::from_slice(&bytes)?;
            if candidate.mod_word(PUBLIC_EXPONENT)? != 1
                && candidate.is_prime_fasttest(5, &mut ctx, true)?
            {
                return Ok(candidate);
            }
        }
    };
    let p = next()?;
    let q = next()?;
    RsaKey::of_primes(&p, &q)
}
