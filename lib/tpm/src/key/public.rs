//! The public part of a key: what it is for, and its name.

use std::fmt;

use sha2::{Digest, Sha256};
use tss_esapi::attributes::ObjectAttributes;
use tss_esapi::interface_types::algorithm::HashingAlgorithm;
use tss_esapi::structures::{self, KeyedHashScheme, PublicKeyedHashParameters};
use tss_esapi::traits::{Marshall, UnMarshall};

/// Of a keyed-hash object that computes HMAC-SHA256.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Public {
    bytes: Vec<u8>,
    parsed: structures::Public,
    attributes: ObjectAttributes,
    policy: Vec<u8>,
}

/// What the TPM calls an object: the algorithm and the digest of its public part.
#[derive(Clone, PartialEq, Eq)]
pub struct Name([u8; 2 + 32]);

/// `TPM2_ALG_SHA256`.
const SHA256: [u8; 2] = [0, 0x0b];

impl Public {
    /// A marshalled TPMT_PUBLIC.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotForThis> {
        let parsed = structures::Public::unmarshall(bytes).map_err(|_| NotForThis::Malformed)?;
        // Bytes after it, or another way to write it.
        if parsed.marshall().ok().as_deref() != Some(bytes) {
            return Err(NotForThis::Malformed);
        }
        Self::of(parsed)
    }

    pub(crate) fn of(parsed: structures::Public) -> Result<Self, NotForThis> {
        let structures::Public::KeyedHash {
            object_attributes,
            name_hashing_algorithm,
            ref auth_policy,
            parameters,
            ..
        } = parsed
        else {
            return Err(NotForThis::Type);
        };
        if name_hashing_algorithm != HashingAlgorithm::Sha256 {
            return Err(NotForThis::NameAlgorithm);
        }
        if parameters != PublicKeyedHashParameters::new(KeyedHashScheme::HMAC_SHA_256) {
            return Err(NotForThis::Scheme);
        }
        if !object_attributes.sign_encrypt()
            || object_attributes.decrypt()
            || object_attributes.restricted()
        {
            return Err(NotForThis::Attributes);
        }
        let bytes = parsed.marshall().map_err(|_| NotForThis::Malformed)?;
        Ok(Self {
            bytes,
            attributes: object_attributes,
            policy: auth_policy.value().to_vec(),
            parsed,
        })
    }

    pub(crate) fn parsed(&self) -> structures::Public {
        self.parsed.clone()
    }

    /// The marshalled TPMT_PUBLIC.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn name(&self) -> Name {
        let mut name = [0; 34];
        let (algorithm, digest) = name.split_at_mut(SHA256.len());
        algorithm.copy_from_slice(&SHA256);
        digest.copy_from_slice(&Sha256::digest(&self.bytes));
        Name(name)
    }

    /// Whether the key's use needs a policy.
    pub fn has_policy(&self) -> bool {
        !self.policy.is_empty()
    }

    /// Whether the authorization value alone opens it.
    pub fn is_opened_by_auth(&self) -> bool {
        self.attributes.user_with_auth()
    }

    /// Its attributes, by their names in the TPM's specification.
    pub fn attributes(&self) -> impl Iterator<Item = &'static str> {
        let all = &self.attributes;
        [
            (all.fixed_tpm(), "fixedTPM"),
            (all.st_clear(), "stClear"),
            (all.fixed_parent(), "fixedParent"),
            (all.sensitive_data_origin(), "sensitiveDataOrigin"),
            (all.user_with_auth(), "userWithAuth"),
            (all.admin_with_policy(), "adminWithPolicy"),
            (all.no_da(), "noDA"),
            (all.encrypted_duplication(), "encryptedDuplication"),
            (all.sign_encrypt(), "sign"),
        ]
        .into_iter()
        .filter_map(|(set, name)| set.then_some(name))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

/// Why an object of a TPM is no permanent key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotForThis {
    Malformed,
    Type,
    NameAlgorithm,
    Scheme,
    Attributes,
    Policy,
}

impl fmt::Display for NotForThis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "its public part is malformed",
            Self::Type => "it is not a keyed-hash object",
            Self::NameAlgorithm => "its name is not made with SHA-256",
            Self::Scheme => "it is not made for HMAC with SHA-256",
            Self::Policy => "it needs a policy, which only a key's file can tell",
            Self::Attributes => "it cannot sign, or is restricted or for decryption",
        })
    }
}

impl std::error::Error for NotForThis {}
