//! RSA keys that are made from a seed: the same seed gives the same key, on every machine and with every version.
//!
//! Participants who combine their shares to one seed hold one key together, and no one of them can make it alone. Both
//! ends of a connection make it, and each knows the other by it. How a seed becomes a key is the project's own page on
//! the wire and the key schedule, §3, and never a library's generator, whose output may change with its version.
#![forbid(unsafe_code)]

mod algorithm;
mod chacha;
pub mod export;
mod hash_drbg;
mod key;
mod lucas;
mod montgomery;
mod number;
mod primality;
mod provable;
mod search;
mod seed;
mod sieve;
mod size;

pub use algorithm::{Algorithm, NotAnAlgorithm};
pub use key::{PrivateDer, RsaKey, SpkiSha256};
pub use mcbn_secret::RsaSeed as Seed;
pub use seed::DegenerateSeed;
pub use size::{NotASize, Size};

use crate::chacha::Stream;
use crate::hash_drbg::HashDrbg;
use crate::search::two_primes;
use openssl::error::ErrorStack;
use std::fmt;

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The operator's or the participants' fault: nobody drew these bytes at random.
    Seed(DegenerateSeed),
    /// `provable-fips186` gives up on one seed in some ten thousand.
    NoPrimes,
    /// A library that cannot fail here did.
    Bug,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Seed(seed) => seed.fmt(f),
            Error::NoPrimes => f.write_str("the limit on tries left this seed without primes"),
            Error::Bug => f.write_str("the arithmetic of RSA keys failed"),
        }
    }
}

impl std::error::Error for Error {}

impl From<ErrorStack> for Error {
    fn from(_: ErrorStack) -> Error {
        Error::Bug
    }
}

impl From<provable::Failure> for Error {
    fn from(failure: provable::Failure) -> Error {
        match failure {
            provable::Failure::NoPrimes => Error::NoPrimes,
            provable::Failure::OpenSsl => Error::Bug,
        }
    }
}

/// The key of this seed. Takes as long as `openssl genrsa`: a fraction of a second, or seconds for the largest.
///
/// # Errors
///
/// A seed that is refused.
pub fn generate(algorithm: Algorithm, size: Size, seed: &Seed) -> Result<RsaKey, Error> {
    seed::checked(seed).map_err(Error::Seed)?;
    let bytes = size.bits() as usize / 2 / 8;
    let primes = match algorithm {
        Algorithm::ProvableFips186 => return Ok(provable::generate(size, seed)?),
        Algorithm::ChaCha20V1 => two_primes(&mut Stream::candidates(seed)?, bytes, seed),
        Algorithm::HashDrbgSha256 => two_primes(&mut HashDrbg::of_seed(seed), bytes, seed),
    };
    let (p, q) = primes?;
    Ok(RsaKey::of_primes(&p, &q)?)
}

#[cfg(test)]
mod known_answers;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degenerate_seed_is_refused() {
        let seed = Seed::copied_from(&[7; 32]);
        for algorithm in Algorithm::ALL {
            let refused = generate(algorithm, Size::Bits2048, &seed).map(|_| ());
            assert_eq!(refused, Err(Error::Seed(DegenerateSeed)));
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_key() {
        let seed = Seed::copied_from(&std::array::from_fn(|i| i as u8));
        let key = || generate(Algorithm::ChaCha20V1, Size::Bits2048, &seed).unwrap();
        assert_eq!(key().spki_der(), key().spki_der());
    }

    /// It is what signs handshakes: it takes no key whose parts contradict each other, in whatever order its primes are.
    #[test]
    fn ring_takes_every_key() {
        for algorithm in Algorithm::ALL {
            for size in [Size::Bits2048, Size::Bits3072] {
                for number in 0..4 {
                    let bytes = std::array::from_fn(|i| (7 * i as u8) ^ number);
                    let key = generate(algorithm, size, &Seed::copied_from(&bytes)).unwrap();
                    let pair = ring::rsa::KeyPair::from_pkcs8(key.pkcs8_der().expose_secret());
                    assert!(pair.is_ok(), "{algorithm} {size} {number}");
                    let pair = ring::rsa::KeyPair::from_der(key.pkcs1_der().expose_secret());
                    assert_eq!(
                        pair.unwrap().public().modulus_len() * 8,
                        size.bits() as usize
                    );
                }
            }
        }
    }
}
