//! The bodies of requests. A field that is not here is refused.

use serde::Deserialize;

use super::algorithm::Hash;
use crate::google_cloud::wire::{Bytes, Checksum, Refusal};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SignRequest {
    pub(super) digest: Option<Digest>,
    pub(super) digest_crc32c: Option<Checksum>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Digest {
    sha256: Option<Bytes>,
    sha384: Option<Bytes>,
    sha512: Option<Bytes>,
}

impl Digest {
    /// The digest, if it is of this hash, of its length, and the only one.
    pub(super) fn of(self, hash: Hash) -> Result<Vec<u8>, Refusal> {
        let (which, digest) = match (self.sha256, self.sha384, self.sha512) {
            (Some(digest), None, None) => (Hash::Sha256, digest),
            (None, Some(digest), None) => (Hash::Sha384, digest),
            (None, None, Some(digest)) => (Hash::Sha512, digest),
            _ => return Err(Refusal::invalid("There must be one digest.")),
        };
        if which != hash || digest.0.len() != hash.digest().size() {
            return Err(Refusal::invalid(format!(
                "The digest is not one of the algorithm's hash, {hash:?}."
            )));
        }
        Ok(digest.0)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AsymmetricDecryptRequest {
    #[serde(default)]
    pub(super) ciphertext: Bytes,
    pub(super) ciphertext_crc32c: Option<Checksum>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DecryptRequest {
    #[serde(default)]
    pub(super) ciphertext: Bytes,
    pub(super) ciphertext_crc32c: Option<Checksum>,
    #[serde(default)]
    pub(super) additional_authenticated_data: Bytes,
    pub(super) additional_authenticated_data_crc32c: Option<Checksum>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EncryptRequest {
    #[serde(default)]
    pub(super) plaintext: Bytes,
    pub(super) plaintext_crc32c: Option<Checksum>,
    #[serde(default)]
    pub(super) additional_authenticated_data: Bytes,
    pub(super) additional_authenticated_data_crc32c: Option<Checksum>,
}
