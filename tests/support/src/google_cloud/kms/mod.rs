//! Cloud KMS: keys made per run, which sign and decrypt for whoever may use them.
//!
//! Versions are numbered from 1 as they are added. A symmetric key has one, its primary.

mod algorithm;
mod desk;
mod import;
mod material;
mod messages;
mod oaep;
mod signers;
mod vault;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio_rustls::TlsAcceptor;

pub use algorithm::{Algorithm, Protection};
use desk::Desk;
pub use import::{BadBlob, ImportJob};
use material::Material;
use signers::Signers;
pub use vault::State;
use vault::Vault;

use super::iam::Iam;
use super::service::Service;

pub struct Kms {
    service: Service,
    vault: Arc<Vault>,
    signers: Arc<Signers>,
}

impl Deref for Kms {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl Kms {
    pub(super) fn start(iam: Arc<Iam>, acceptor: Option<&TlsAcceptor>) -> Self {
        let vault = Arc::new(Vault::new(Arc::clone(&iam)));
        let signers = Arc::new(Signers::new());
        let service = Service::start(acceptor, |front| {
            let desk = Desk {
                front,
                iam,
                vault: Arc::clone(&vault),
                signers: Arc::clone(&signers),
            };
            Router::new()
                .fallback(desk::answer)
                .with_state(Arc::new(desk))
        });
        Self {
            service,
            vault,
            signers,
        }
    }

    /// Makes a version of an asymmetric key, which is made with its first one, and returns the version's name.
    ///
    /// `key` is `projects/P/locations/L/keyRings/R/cryptoKeys/K`. RSA keys take their time.
    pub fn add_key(&self, key: &str, algorithm: Algorithm, protection: Protection) -> String {
        let material = Material::generate(algorithm);
        self.vault.add(key, algorithm, protection, material)
    }

    /// The same, with a key that was imported: PKCS#8 in DER, wrapped for the job.
    pub fn import_key(
        &self,
        key: &str,
        algorithm: Algorithm,
        protection: Protection,
        job: &ImportJob,
        wrapped: &[u8],
    ) -> Result<String, BadBlob> {
        let material = Material::import(algorithm, &job.unwrap(wrapped)?)?;
        Ok(self.vault.add(key, algorithm, protection, material))
    }

    /// Makes a symmetric key, for [`Self::encrypt`] and its reverse.
    pub fn add_symmetric_key(&self, key: &str, protection: Protection) {
        self.vault.add_symmetric(key, protection);
    }

    /// Encrypts as the service would, without a request.
    pub fn encrypt(&self, key: &str, plaintext: &[u8], additional_data: &[u8]) -> Vec<u8> {
        let (secret, ..) = self
            .vault
            .primary(key)
            .unwrap_or_else(|refusal| panic!("cannot encrypt with {key}: {refusal:?}"));
        secret.encrypt(plaintext, additional_data)
    }

    /// Encrypts to the public half of a version that is for RSA-OAEP, as whoever has it does.
    pub fn encrypt_to(&self, version: &str, plaintext: &[u8]) -> Vec<u8> {
        let version = self
            .vault
            .version(version)
            .unwrap_or_else(|refusal| panic!("cannot encrypt to {version}: {refusal:?}"));
        let ciphertext = version
            .material
            .encrypt(version.algorithm.entry(), plaintext);
        ciphertext.expect("the plaintext is short")
    }

    /// The public half of a version, as PEM.
    pub fn public_key_pem(&self, version: &str) -> String {
        let version = self
            .vault
            .version(version)
            .unwrap_or_else(|refusal| panic!("no public key of {version}: {refusal:?}"));
        version.material.public_pem()
    }

    /// Disables a version, or enables it, or destroys it. Of a symmetric key, its version 1.
    pub fn set_state(&self, version: &str, state: State) {
        self.vault.set_state(version, state);
    }

    /// How many signatures are made at one time, and how long each takes. More requests wait their turn.
    pub fn set_signers(&self, count: usize, each: Duration) {
        self.signers.set(count, each);
    }

    /// How many requests for a signature are being served now.
    pub fn signing(&self) -> u64 {
        self.signers.in_flight().now
    }

    /// The most that there were at one time.
    pub fn most_signing(&self) -> u64 {
        self.signers.in_flight().most
    }

    /// Blocks until so many are being served at one time, and fails the test at [`crate::DEADLINE`].
    pub fn wait_for_signing(&self, count: u64) {
        self.signers.wait_until(|in_flight| in_flight.now >= count);
    }

    /// Blocks until none is, as when whoever asked has gone, and fails the test at [`crate::DEADLINE`].
    pub fn wait_for_quiet(&self) {
        self.signers.wait_until(|in_flight| in_flight.now == 0);
    }
}
