//! The settings of shares and of consent to use them, which are the same for every program that makes a key of shares.
//!
//! A program that signs with the shares themselves, which their owners reveal to it, has [`RevealConfig`] in place of
//! [`ShareConfig`]. The manifest's derivation says which of the two it is for, and neither takes a manifest of the other.

mod gathering;
mod manifest;
mod origin;
mod reveal;
mod settled;

use crate::cloud::Fetch;
use crate::connect::Connect;
use crate::lease::{Consent, NoConsent};
use crate::metrics::Metrics;
use gathering::{Asking, Gathering};
pub use manifest::read_manifest;
use mcbn_launcher::Launcher;
use mcbn_manifest::{Endpoints, Member};
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_share::{Combined, Inheritance, ManifestDigest};
use origin::Origin;
pub use reveal::RevealConfig;
use settled::Settled;

pub const SHARE: Setting = Setting::value(
    "share",
    "NAME=file:PATH|NAME=fd:N|NAME=keeper",
    "where a participant's share comes from, once, at the start; never the share itself; with a manifest, \
     participants are asked for those that are not given",
)
.repeat()
.operator();

pub const MANIFEST: Setting = Setting::value(
    "manifest",
    "file:PATH|text:BASE64URL",
    "the consent manifest: who takes part, where their consent is asked for, and how shares become the key; it salts the key, so \
     that another manifest means another key",
)
.operator();

pub const DERIVATION: Setting = Setting::value(
    "derivation",
    "LABEL",
    "how shares become the key: hkdf-v1, sha256-concat-hex, hmac-chain-hex, xor-sha256 or shamir-v1; a manifest says it \
     itself, and may say bls-prf-v1, where participants sign and keep their shares",
)
.default("hkdf-v1")
.operator();

pub const THRESHOLD: Setting = Setting::value(
    "threshold",
    "T",
    "how many shares give the key; for shamir-v1 only",
)
.operator();

pub const MANIFEST_DIGEST: Setting = Setting::value(
    "manifest-digest",
    "HEX",
    "SHA-256 of the consent manifest, where it is not given itself: salts the key",
)
.operator();

pub const CONSENT_TIMEOUT: Setting = Setting::value(
    "consent-timeout",
    "TIME",
    "how long to go on asking participants at the start, and so how long a person has to approve",
)
.default("10m")
.operator();

pub const TOKEN_SOCKET: Setting = Setting::value(
    "token-socket",
    "PATH",
    "the socket on which the launcher gives attestation tokens, which participants ask for",
)
.default(mcbn_launcher::SOCKET);

/// Where the shares come from, and what becomes of them.
#[derive(Clone, Debug)]
pub struct ShareConfig(Gathering);

impl ShareConfig {
    /// Also reads the manifest, and takes the inherited descriptors, so this comes before the program opens anything
    /// itself. The inheritance is that of the program's other secrets, too.
    pub fn read(given: &mut Given, inheritance: &mut Inheritance) -> Result<Self, Reported> {
        let origins = given.all::<Origin>(&SHARE);
        let settled = match manifest::read(given) {
            Ok(Some(manifest)) => Settled::by_manifest(given, inheritance, origins, &manifest),
            Ok(None) => Settled::by_settings(given, inheritance, origins),
            Err(reported) => {
                // What they may be depends on a manifest that cannot be read.
                for setting in [&DERIVATION, &THRESHOLD, &MANIFEST_DIGEST] {
                    given.is_given(setting);
                }
                Err(reported)
            }
        };
        let asking = Asking::read(given);
        let needless = [&CONSENT_TIMEOUT, &TOKEN_SOCKET];
        Gathering::new(given, settled?, asking?, &needless).map(Self)
    }

    /// What is read from standard input, which then has nothing else to give, and the row that says so.
    pub fn of_standard_input(&self) -> Option<(&'static Setting, String)> {
        self.0.of_standard_input()
    }

    /// Those who are asked.
    pub fn members(&self) -> &[Member] {
        self.0.members()
    }

    /// Reads the shares that are here, asks for the others, and combines them. Waits while a pipe's writer is at
    /// work, and while a person is to approve.
    pub async fn gather<C: Connect, F: Fetch>(
        &self,
        connect: C,
        cloud: impl FnOnce(Launcher, ManifestDigest, &Endpoints) -> F,
        metrics: Metrics,
    ) -> Result<(Combined, Consent), NoConsent> {
        let (shares, consent) = self.0.gather(connect, cloud, metrics).await?;
        let combined = shares.combine(self.0.manifest());
        let combined = combined.map_err(|refused| NoConsent::Share(refused.into()))?;
        Ok((combined, consent))
    }
}

#[cfg(test)]
mod tests;
