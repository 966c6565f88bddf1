//! What a key is, in the names and numbers of the interface.

use openssl::hash::MessageDigest;
use openssl::nid::Nid;

use crate::google_cloud::wire::Enums;

/// The algorithm of an asymmetric key's version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    EcP256Sha256,
    EcP384Sha384,
    RsaPss2048Sha256,
    RsaPss3072Sha256,
    RsaPss4096Sha256,
    RsaPss4096Sha512,
    RsaPkcs1_2048Sha256,
    RsaPkcs1_3072Sha256,
    RsaPkcs1_4096Sha256,
    RsaPkcs1_4096Sha512,
    RsaOaep2048Sha256,
    RsaOaep3072Sha256,
    RsaOaep4096Sha256,
    RsaOaep4096Sha512,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(super) fn digest(self) -> MessageDigest {
        match self {
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }
}

/// What keys of an algorithm are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Family {
    Ec(Nid),
    /// Bits.
    Pss(u32),
    Pkcs1(u32),
    Oaep(u32),
}

/// One algorithm's row of the interface's table.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) number: u32,
    pub(super) family: Family,
    pub(super) hash: Hash,
}

impl Algorithm {
    pub const ALL: [Self; 14] = [
        Self::EcP256Sha256,
        Self::EcP384Sha384,
        Self::RsaPss2048Sha256,
        Self::RsaPss3072Sha256,
        Self::RsaPss4096Sha256,
        Self::RsaPss4096Sha512,
        Self::RsaPkcs1_2048Sha256,
        Self::RsaPkcs1_3072Sha256,
        Self::RsaPkcs1_4096Sha256,
        Self::RsaPkcs1_4096Sha512,
        Self::RsaOaep2048Sha256,
        Self::RsaOaep3072Sha256,
        Self::RsaOaep4096Sha256,
        Self::RsaOaep4096Sha512,
    ];

    pub(super) fn entry(self) -> Entry {
        use Family::{Ec, Oaep, Pkcs1, Pss};
        use Hash::{Sha256, Sha384, Sha512};
        let (name, number, family, hash) = match self {
            Self::EcP256Sha256 => ("EC_SIGN_P256_SHA256", 12, Ec(Nid::X9_62_PRIME256V1), Sha256),
            Self::EcP384Sha384 => ("EC_SIGN_P384_SHA384", 13, Ec(Nid::SECP384R1), Sha384),
            Self::RsaPss2048Sha256 => ("RSA_SIGN_PSS_2048_SHA256", 2, Pss(2048), Sha256),
            Self::RsaPss3072Sha256 => ("RSA_SIGN_PSS_3072_SHA256", 3, Pss(3072), Sha256),
            Self::RsaPss4096Sha256 => ("RSA_SIGN_PSS_4096_SHA256", 4, Pss(4096), Sha256),
            Self::RsaPss4096Sha512 => ("RSA_SIGN_PSS_4096_SHA512", 15, Pss(4096), Sha512),
            Self::RsaPkcs1_2048Sha256 => ("RSA_SIGN_PKCS1_2048_SHA256", 5, Pkcs1(2048), Sha256),
            Self::RsaPkcs1_3072Sha256 => ("RSA_SIGN_PKCS1_3072_SHA256", 6, Pkcs1(3072), Sha256),
            Self::RsaPkcs1_4096Sha256 => ("RSA_SIGN_PKCS1_4096_SHA256", 7, Pkcs1(4096), Sha256),
            Self::RsaPkcs1_4096Sha512 => ("RSA_SIGN_PKCS1_4096_SHA512", 16, Pkcs1(4096), Sha512),
            Self::RsaOaep2048Sha256 => ("RSA_DECRYPT_OAEP_2048_SHA256", 8, Oaep(2048), Sha256),
            Self::RsaOaep3072Sha256 => ("RSA_DECRYPT_OAEP_3072_SHA256", 9, Oaep(3072), Sha256),
            Self::RsaOaep4096Sha256 => ("RSA_DECRYPT_OAEP_4096_SHA256", 10, Oaep(4096), Sha256),
            Self::RsaOaep4096Sha512 => ("RSA_DECRYPT_OAEP_4096_SHA512", 17, Oaep(4096), Sha512),
        };
        Entry {
            name,
            number,
            family,
            hash,
        }
    }

    /// Its name in Cloud KMS.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    pub(super) fn write(self, enums: Enums) -> serde_json::Value {
        let entry = self.entry();
        enums.write(entry.name, entry.number)
    }
}

/// Where a version's key is kept, as the service says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protection {
    Software,
    Hsm,
    External,
    ExternalVpc,
    HsmSingleTenant,
}

impl Protection {
    pub(super) fn write(self, enums: Enums) -> serde_json::Value {
        let (name, number) = match self {
            Self::Software => ("SOFTWARE", 1),
            Self::Hsm => ("HSM", 2),
            Self::External => ("EXTERNAL", 3),
            Self::ExternalVpc => ("EXTERNAL_VPC", 4),
            Self::HsmSingleTenant => ("HSM_SINGLE_TENANT", 5),
        };
        enums.write(name, number)
    }

    /// One that it is not.
    pub(super) fn another(self) -> Self {
        match self {
            Self::Software => Self::Hsm,
            _ => Self::Software,
        }
    }
}
