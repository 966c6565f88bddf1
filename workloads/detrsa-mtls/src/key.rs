//! The settings of the key, and the key.

use std::net::SocketAddr;

use mcbn_consent::lease::Consent;
use mcbn_consent::settings::ShareConfig;
use mcbn_detrsa::{Algorithm, RsaKey, Size};
use mcbn_pinned::gather;
use mcbn_pinned_openssl::OpenSsl;
use mcbn_runtime::admin::Admin;
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_share::Inheritance;

use crate::error::Error;

pub const ALGORITHM: Setting = Setting::value(
    "algorithm",
    "LABEL",
    "how the seed becomes an RSA key: chacha20-v1, hash-drbg-sha256 or provable-fips186",
)
.default("chacha20-v1")
.operator();

pub const BITS: Setting = Setting::value(
    "bits",
    "N",
    "the size of the RSA key: 2048, 3072 or 4096; part of hkdf-v1",
)
.default("3072")
.operator();

/// All that the settings say about the key.
#[derive(Clone, Debug)]
pub struct KeyConfig {
    shares: ShareConfig,
    algorithm: Algorithm,
    size: Size,
}

impl KeyConfig {
    /// Also reads the manifest, and takes the inherited descriptors, so this comes before the program opens anything
    /// itself.
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let shares = ShareConfig::read(given, &mut Inheritance::new());
        let algorithm = given.one(&ALGORITHM);
        let size = given.one(&BITS);
        Ok(Self {
            shares: shares?,
            algorithm: algorithm?,
            size: size?,
        })
    }

    /// What is read from standard input, which then has nothing else to give, and the row that says so.
    pub fn of_standard_input(&self) -> Option<(&'static Setting, String)> {
        self.shares.of_standard_input()
    }

    /// Gathers the shares and makes the key, which is to be used for as long as there is consent. Waits while a pipe's
    /// writer is at work, and while a person is to approve; holds up nothing else.
    pub async fn make(
        &self,
        dns_server: Option<SocketAddr>,
        admin: &Admin,
    ) -> Result<(RsaKey, Consent), Error> {
        let gathered = gather::<OpenSsl>(&self.shares, dns_server, admin).await;
        let (combined, consent) = gathered.map_err(Error::Shares)?;
        let seed = combined.detrsa_seed(self.size.bits());
        let (algorithm, size) = (self.algorithm, self.size);
        // Primes are searched for longer than others may wait.
        let made =
            tokio::task::spawn_blocking(move || mcbn_detrsa::generate(algorithm, size, &seed));
        let key = made
            .await
            .expect("the search does not panic, and nobody stops it")
            .map_err(Error::Key)?;
        Ok((key, consent))
    }
}
