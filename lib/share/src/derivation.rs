//! The rules by which shares become a key, by their labels.

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
}

impl Derivation {
    pub const ALL: [Derivation; 5] = [
        Derivation::HkdfV1,
        Derivation::Sha256ConcatHex,
        Derivation::HmacChainHex,
        Derivation::XorSha256,
        Derivation::ShamirV1,
    ];

    pub const fn label(self) -> &'static str {
        match self {
            Derivation::HkdfV1 => "hkdf-v1",
            Derivation::Sha256ConcatHex => "sha256-concat-hex",
            Derivation::HmacChainHex => "hmac-chain-hex",
            Derivation::XorSha256 => "xor-sha256",
            Derivation::ShamirV1 => "shamir-v1",
        }
    }
}

/// Specified, but no build has it yet; who asks for it made no spelling mistake.
const PLANNED: &str = "bls-prf-v1";

impl Display for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl FromStr for Derivation {
    type Err = NotADerivation;

    fn from_str(label: &str) -> Result<Derivation, NotADerivation> {
        let known = Derivation::ALL.into_iter().find(|d| d.label() == label);
        known.ok_or(match label {
            PLANNED => NotADerivation::NotInThisBuild,
            _ => NotADerivation::Unknown,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotADerivation {
    Unknown,
    NotInThisBuild,
}

impl Display for NotADerivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotADerivation::Unknown => {
                f.write_str("not one of")?;
                for (i, derivation) in Derivation::ALL.iter().enumerate() {
                    write!(f, "{} {derivation}", if i == 0 { "" } else { "," })?;
                }
                Ok(())
            }
            NotADerivation::NotInThisBuild => write!(f, "{PLANNED} is not in this build"),
        }
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
            assert_eq!(label.parse::<Derivation>(), Err(NotADerivation::Unknown));
        }
        let message = NotADerivation::Unknown.to_string();
        assert_eq!(
            message,
            "not one of hkdf-v1, sha256-concat-hex, hmac-chain-hex, xor-sha256, shamir-v1"
        );
    }

    #[test]
    fn a_derivation_of_a_later_build_is_refused_as_such() {
        let refused = "bls-prf-v1".parse::<Derivation>().unwrap_err();
        assert_eq!(refused.to_string(), "bls-prf-v1 is not in this build");
    }
}
