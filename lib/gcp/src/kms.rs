//! Cloud KMS.

use crate::access::{Access, Service};
use crate::algorithm::{Algorithm, Digest, NotAnAlgorithm, Protection};
use google_cloud_auth::credentials::Credentials;
use google_cloud_gax::client_builder::Error as NotBuilt;
use google_cloud_kms_v1::client::KeyManagementService;
use google_cloud_kms_v1::model::ProtectionLevel;
use mcbn_gcp_answer::SecretBytes;
use mcbn_gcp_answer::checksum;
use mcbn_gcp_answer::{Corrupt, Failure};
use mcbn_gcp_name::KeyVersionName;
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;

/// Clones share connections and credentials.
#[derive(Clone, Debug)]
pub struct Kms(pub(crate) Access<KeyManagementService>);

impl Service for KeyManagementService {
    async fn build(credentials: Credentials, endpoint: Option<&str>) -> Result<Self, NotBuilt> {
        let mut builder = KeyManagementService::builder().with_credentials(credentials);
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        builder.build().await
    }
}

/// The public half of an asymmetric key, and what is known of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// SubjectPublicKeyInfo, DER.
    pub spki: Vec<u8>,
    /// Or the name of one that is not known here.
    pub algorithm: Result<Algorithm, NotAnAlgorithm>,
    pub protection: Protection,
}

impl Kms {
    pub async fn public_key(&self, name: &KeyVersionName) -> Result<PublicKey, Failure> {
        let answer = self.0.ask(|client| {
            let request = client.get_public_key().set_name(name.as_str());
            self.0.options(request).send()
        });
        let answer = answer.await?;
        checksum::check(answer.pem.as_bytes(), answer.pem_crc32c)?;
        is_of(name, &answer.name)?;
        let spki = SubjectPublicKeyInfoDer::from_pem_slice(answer.pem.as_bytes());
        Ok(PublicKey {
            spki: spki.map_err(|_| Failure::Corrupt(Corrupt::Form))?.to_vec(),
            algorithm: Algorithm::of(&answer.algorithm),
            protection: protection(&answer.protection_level)?,
        })
    }

    /// A signature by a key that is kept like this.
    pub async fn sign(
        &self,
        name: &KeyVersionName,
        digest: &Digest,
        kept: Protection,
    ) -> Result<Vec<u8>, Failure> {
        let answer = self.0.ask(|client| {
            let request = client
                .asymmetric_sign()
                .set_name(name.as_str())
                .set_digest(digest.theirs())
                .set_digest_crc32c(checksum::of(digest.bytes()));
            self.0.options(request).send()
        });
        let answer = answer.await?;
        checksum::was_verified(answer.verified_digest_crc32c)?;
        checksum::check(&answer.signature, answer.signature_crc32c)?;
        is_of(name, &answer.name)?;
        is_kept(kept, &answer.protection_level)?;
        Ok(answer.signature.to_vec())
    }

    /// Decrypts with the private key of a key that is kept like this.
    pub async fn asymmetric_decrypt(
        &self,
        name: &KeyVersionName,
        ciphertext: &[u8],
        kept: Protection,
    ) -> Result<SecretBytes, Failure> {
        let answer = self.0.ask(|client| {
            let request = client
                .asymmetric_decrypt()
                .set_name(name.as_str())
                .set_ciphertext(ciphertext.to_vec())
                .set_ciphertext_crc32c(checksum::of(ciphertext));
            self.0.options(request).send()
        });
        let answer = answer.await?;
        // Taken at once, so that it is wiped whatever the checks say.
        let plaintext = SecretBytes::taken_from(answer.plaintext);
        checksum::was_verified(answer.verified_ciphertext_crc32c)?;
        // To see whether it is whole.
        checksum::check(plaintext.expose_secret(), answer.plaintext_crc32c)?;
        is_kept(kept, &answer.protection_level)?;
        Ok(plaintext)
    }
}

fn is_of(asked: &KeyVersionName, answered: &str) -> Result<(), Failure> {
    match asked.as_str() == answered {
        true => Ok(()),
        false => Err(Failure::Corrupt(Corrupt::Name)),
    }
}

fn is_kept(kept: Protection, answered: &ProtectionLevel) -> Result<(), Failure> {
    match protection(answered)? == kept {
        true => Ok(()),
        false => Err(Failure::Corrupt(Corrupt::Protection)),
    }
}

fn protection(answered: &ProtectionLevel) -> Result<Protection, Failure> {
    Protection::of(answered).ok_or(Failure::Corrupt(Corrupt::Protection))
}
