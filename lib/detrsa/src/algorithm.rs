//! How a seed becomes a key, by its label.

use std::fmt::{self, Display};
use std::str::FromStr;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Candidates from one ChaCha20 stream: the default.
    #[default]
    ChaCha20V1,
    /// Candidates from a Hash_DRBG: the published sample.
    HashDrbgSha256,
    /// Provable primes, as GnuTLS makes and verifies them.
    ProvableFips186,
}

impl Algorithm {
    pub const ALL: [Algorithm; 3] = [
        Algorithm::ChaCha20V1,
        Algorithm::HashDrbgSha256,
        Algorithm::ProvableFips186,
    ];

    pub const fn label(self) -> &'static str {
        match self {
            Algorithm::ChaCha20V1 => "chacha20-v1",
            Algorithm::HashDrbgSha256 => "hash-drbg-sha256",
            Algorithm::ProvableFips186 => "provable-fips186",
        }
    }
}

impl Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl FromStr for Algorithm {
    type Err = NotAnAlgorithm;

    fn from_str(text: &str) -> Result<Algorithm, NotAnAlgorithm> {
        let mut all = Algorithm::ALL.into_iter();
        all.find(|algorithm| algorithm.label() == text)
            .ok_or(NotAnAlgorithm)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnAlgorithm;

impl Display for NotAnAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not chacha20-v1, hash-drbg-sha256 or provable-fips186")
    }
}

impl std::error::Error for NotAnAlgorithm {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_read_back() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
            assert!(NotAnAlgorithm.to_string().contains(algorithm.label()));
        }
    }

    #[test]
    fn another_label_is_refused() {
        for text in ["", "chacha20", "chacha20-v2", "ChaCha20-v1", " chacha20-v1"] {
            assert_eq!(text.parse::<Algorithm>(), Err(NotAnAlgorithm), "{text:?}");
        }
    }
}
