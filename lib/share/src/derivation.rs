//! The rules by which shares become a key, or are given out themselves, by their labels.

use std::fmt::{self, Display};
use std::str::FromStr;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Derivation {
    /// HKDF over names and shares, salted with the manifest: for every new network.
    #[default]
    HkdfV1,
    /// What the published PSK sample does.
    Sha256ConcatHex,
    /// The published alternative.
    HmacChainHex,
    /// The alternative without an order that the sample names.
    XorSha256,
    /// t of n: Shamir shares of one secret, which then takes the place of the shares in `hkdf-v1`.
    ShamirV1,
    /// t of n: signatures of the manifest, which make that of the group; it takes the place of the shares in `hkdf-v1`.
    BlsPrfV1,
    /// t of n: the shares of a group's key themselves, for a program that signs with them. They make no key here.
    BlsRevealV1,
}

impl Derivation {
    pub const ALL: [Derivation; 7] = [
        Derivation::HkdfV1,
        Derivation::Sha256ConcatHex,
        Derivation::HmacChainHex,
        Derivation::XorSha256,
        Derivation::ShamirV1,
        Derivation::BlsPrfV1,
        Derivation::BlsRevealV1,
    ];

    pub const fn label(self) -> &'static str {
        match self {
            Derivation::HkdfV1 => "hkdf-v1",
            Derivation::Sha256ConcatHex => "sha256-concat-hex",
            Derivation::HmacChainHex => "hmac-chain-hex",
            Derivation::XorSha256 => "xor-sha256",
            Derivation::ShamirV1 => "shamir-v1",
            Derivation::BlsPrfV1 => "bls-prf-v1",
            Derivation::BlsRevealV1 => "bls-reveal-v1",
        }
    }
}

impl Display for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl FromStr for Derivation {
    type Err = NotADerivation;

    fn from_str(label: &str) -> Result<Derivation, NotADerivation> {
        let known = Derivation::ALL.into_iter().find(|d| d.label() == label);
        known.ok_or(NotADerivation)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotADerivation;

impl Display for NotADerivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not one of")?;
        for (i, derivation) in Derivation::ALL.iter().enumerate() {
            write!(f, "{} {derivation}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for NotADerivation {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_read_back() {
        for derivation in Derivation::ALL {
            assert_eq!(derivation.label().parse(), Ok(derivation));
        }
        assert_eq!(Derivation::default().label(), "hkdf-v1");
    }

    #[test]
    fn another_label_is_refused() {
        for label in ["", "hkdf", "HKDF-V1", "hkdf-v2", " hkdf-v1"] {
            assert_eq!(label.parse::<Derivation>(), Err(NotADerivation));
        }
        let message = NotADerivation.to_string();
        assert_eq!(
            message,
            "not one of hkdf-v1, sha256-concat-hex, hmac-chain-hex, xor-sha256, shamir-v1, bls-prf-v1, bls-reveal-v1"
        );
    }
}
