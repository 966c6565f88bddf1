//! What a key of Cloud KMS is for, and how it is kept.

use google_cloud_kms_v1::model::Digest as TheirDigest;
use google_cloud_kms_v1::model::ProtectionLevel;
use google_cloud_kms_v1::model::crypto_key_version::CryptoKeyVersionAlgorithm as Theirs;
use std::error::Error;
use std::fmt::{self, Display};
use std::str::FromStr;

/// Of an asymmetric key. A key of Cloud KMS has one algorithm for its whole life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    EcP256Sha256,
    EcP384Sha384,
    /// The salt is as long as the hash.
    RsaPss {
        bits: u16,
        hash: Hash,
    },
    RsaPkcs1 {
        bits: u16,
        hash: Hash,
    },
    /// Decrypts; signs nothing.
    RsaOaep {
        bits: u16,
        hash: Hash,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    pub(crate) fn of(theirs: &Theirs) -> Result<Algorithm, NotAnAlgorithm> {
        use Hash::{Sha256, Sha512};
        Ok(match theirs {
            Theirs::EcSignP256Sha256 => Algorithm::EcP256Sha256,
            Theirs::EcSignP384Sha384 => Algorithm::EcP384Sha384,
            Theirs::RsaSignPss2048Sha256 => pss(2048, Sha256),
            Theirs::RsaSignPss3072Sha256 => pss(3072, Sha256),
            Theirs::RsaSignPss4096Sha256 => pss(4096, Sha256),
            Theirs::RsaSignPss4096Sha512 => pss(4096, Sha512),
            Theirs::RsaSignPkcs12048Sha256 => pkcs1(2048, Sha256),
            Theirs::RsaSignPkcs13072Sha256 => pkcs1(3072, Sha256),
            Theirs::RsaSignPkcs14096Sha256 => pkcs1(4096, Sha256),
            Theirs::RsaSignPkcs14096Sha512 => pkcs1(4096, Sha512),
            Theirs::RsaDecryptOaep2048Sha256 => oaep(2048, Sha256),
            Theirs::RsaDecryptOaep3072Sha256 => oaep(3072, Sha256),
            Theirs::RsaDecryptOaep4096Sha256 => oaep(4096, Sha256),
            Theirs::RsaDecryptOaep4096Sha512 => oaep(4096, Sha512),
            other => return Err(NotAnAlgorithm(other.name().unwrap_or("unknown").to_owned())),
        })
    }

    /// What a key signs a digest of, if it signs.
    pub fn signs(self) -> Option<Hash> {
        match self {
            Algorithm::EcP256Sha256 => Some(Hash::Sha256),
            Algorithm::EcP384Sha384 => Some(Hash::Sha384),
            Algorithm::RsaPss { hash, .. } | Algorithm::RsaPkcs1 { hash, .. } => Some(hash),
            Algorithm::RsaOaep { .. } => None,
        }
    }
}

fn pss(bits: u16, hash: Hash) -> Algorithm {
    Algorithm::RsaPss { bits, hash }
}

fn pkcs1(bits: u16, hash: Hash) -> Algorithm {
    Algorithm::RsaPkcs1 { bits, hash }
}

fn oaep(bits: u16, hash: Hash) -> Algorithm {
    Algorithm::RsaOaep { bits, hash }
}

/// As Google writes it: `EC_SIGN_P256_SHA256`.
impl Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Algorithm::EcP256Sha256 => f.write_str("EC_SIGN_P256_SHA256"),
            Algorithm::EcP384Sha384 => f.write_str("EC_SIGN_P384_SHA384"),
            Algorithm::RsaPss { bits, hash } => write!(f, "RSA_SIGN_PSS_{bits}_{hash}"),
            Algorithm::RsaPkcs1 { bits, hash } => write!(f, "RSA_SIGN_PKCS1_{bits}_{hash}"),
            Algorithm::RsaOaep { bits, hash } => write!(f, "RSA_DECRYPT_OAEP_{bits}_{hash}"),
        }
    }
}

impl Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Hash::Sha256 => "SHA256",
            Hash::Sha384 => "SHA384",
            Hash::Sha512 => "SHA512",
        })
    }
}

/// A key whose algorithm has no use here, as Google writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnAlgorithm(String);

impl Display for NotAnAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a key of the algorithm {} is of no use here", self.0)
    }
}

impl Error for NotAnAlgorithm {}

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Digest {
    Sha256([u8; 32]),
    Sha384([u8; 48]),
    Sha512([u8; 64]),
}

impl Digest {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Digest::Sha256(bytes) => bytes,
            Digest::Sha384(bytes) => bytes,
            Digest::Sha512(bytes) => bytes,
        }
    }

    pub(crate) fn theirs(&self) -> TheirDigest {
        let bytes = self.bytes().to_vec();
        match self {
            Digest::Sha256(_) => TheirDigest::new().set_sha256(bytes),
            Digest::Sha384(_) => TheirDigest::new().set_sha384(bytes),
            Digest::Sha512(_) => TheirDigest::new().set_sha512(bytes),
        }
    }
}

/// [Where a key is kept](https://docs.cloud.google.com/kms/docs/protection-levels).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    Software,
    Hsm,
    HsmSingleTenant,
    External,
    ExternalVpc,
}

const PROTECTIONS: [(&str, Protection); 5] = [
    ("software", Protection::Software),
    ("hsm", Protection::Hsm),
    ("hsm-single-tenant", Protection::HsmSingleTenant),
    ("external", Protection::External),
    ("external-vpc", Protection::ExternalVpc),
];

impl Protection {
    pub(crate) fn of(theirs: &ProtectionLevel) -> Option<Protection> {
        match theirs {
            ProtectionLevel::Software => Some(Protection::Software),
            ProtectionLevel::Hsm => Some(Protection::Hsm),
            ProtectionLevel::HsmSingleTenant => Some(Protection::HsmSingleTenant),
            ProtectionLevel::External => Some(Protection::External),
            ProtectionLevel::ExternalVpc => Some(Protection::ExternalVpc),
            _ => None,
        }
    }
}

impl FromStr for Protection {
    type Err = NotAProtection;

    fn from_str(text: &str) -> Result<Protection, NotAProtection> {
        let found = PROTECTIONS.iter().find(|(name, _)| *name == text);
        found.map(|(_, level)| *level).ok_or(NotAProtection)
    }
}

impl Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = PROTECTIONS.iter().find(|(_, level)| level == self);
        f.write_str(found.expect("each has a row").0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAProtection;

impl Display for NotAProtection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("none of software, hsm, hsm-single-tenant, external and external-vpc")
    }
}

impl Error for NotAProtection {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_s_names_are_read_and_written() {
        for name in [
            "EC_SIGN_P256_SHA256",
            "EC_SIGN_P384_SHA384",
            "RSA_SIGN_PSS_2048_SHA256",
            "RSA_SIGN_PSS_3072_SHA256",
            "RSA_SIGN_PSS_4096_SHA256",
            "RSA_SIGN_PSS_4096_SHA512",
            "RSA_SIGN_PKCS1_2048_SHA256",
            "RSA_SIGN_PKCS1_3072_SHA256",
            "RSA_SIGN_PKCS1_4096_SHA256",
            "RSA_SIGN_PKCS1_4096_SHA512",
            "RSA_DECRYPT_OAEP_2048_SHA256",
            "RSA_DECRYPT_OAEP_3072_SHA256",
            "RSA_DECRYPT_OAEP_4096_SHA256",
            "RSA_DECRYPT_OAEP_4096_SHA512",
        ] {
            let algorithm = Algorithm::of(&Theirs::from(name)).unwrap();
            assert_eq!(algorithm.to_string(), name);
        }
    }

    #[test]
    fn an_algorithm_without_a_use_is_refused() {
        for name in [
            "GOOGLE_SYMMETRIC_ENCRYPTION",
            "EC_SIGN_SECP256K1_SHA256",
            "RSA_SIGN_RAW_PKCS1_2048",
            "RSA_DECRYPT_OAEP_2048_SHA1",
            "HMAC_SHA256",
        ] {
            let refused = Algorithm::of(&Theirs::from(name)).unwrap_err();
            assert!(refused.to_string().contains(name), "{refused}");
        }
    }

    #[test]
    fn protection_levels_are_read_and_written() {
        for (name, level) in PROTECTIONS {
            assert_eq!(name.parse(), Ok(level));
            assert_eq!(level.to_string(), name);
        }
        for text in ["", "HSM", "none", "hsm "] {
            assert_eq!(text.parse::<Protection>(), Err(NotAProtection), "{text:?}");
        }
    }
}
