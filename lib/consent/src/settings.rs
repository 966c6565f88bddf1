//! The settings of shares and of consent to use them, which are the same for every program that makes a key of shares.

mod manifest;
mod origin;
mod settled;

use crate::client::Client;
use crate::clock::Boottime;
use crate::connect::Connect;
use crate::lease::{self, Consent, NoConsent, Terms, system_lots};
use crate::metrics::Metrics;
pub use manifest::read_manifest;
use mcbn_launcher::{Launcher, TokenType};
use mcbn_manifest::Member;
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_runtime::units::Period;
use mcbn_share::{ClaimedPlan, Combined, Inheritance, ManifestDigest};
use origin::Origin;
use settled::{Network, Settled};
use std::path::PathBuf;
use std::time::Duration;

pub const SHARE: Setting = Setting::value(
    "share",
    "NAME=file:PATH|NAME=fd:N|NAME=keeper",
    "where a participant's share comes from, once, at the start; never the share itself; with a manifest, keepers are \
     asked for those that are not given",
)
.repeat()
.operator();

pub const MANIFEST: Setting = Setting::value(
    "manifest",
    "file:PATH|text:BASE64URL",
    "the consent manifest: who takes part, where the keepers are, and how shares become the key; it salts the key, so \
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
    "how long to go on asking keepers at the start, and so how long a person has to approve",
)
.default("10m")
.operator();

pub const TOKEN_SOCKET: Setting = Setting::value(
    "token-socket",
    "PATH",
    "the socket on which the launcher gives attestation tokens, which keepers ask for",
)
.default(mcbn_launcher::SOCKET);

/// Where the shares come from, and what becomes of them.
#[derive(Clone, Debug)]
pub struct ShareConfig {
    plan: ClaimedPlan,
    manifest: Option<ManifestDigest>,
    keepers: Option<KeeperConfig>,
}

/// How keepers are asked.
#[derive(Clone, Debug)]
struct KeeperConfig {
    terms: Terms,
    token_type: TokenType,
    launcher: Launcher,
}

/// Of one token. An exchange that waits for it longer fails anyway.
const TOKEN_DEADLINE: Duration = Duration::from_secs(25);

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
        let (settled, asking) = (settled?, asking?);
        Ok(Self {
            plan: settled.plan,
            manifest: settled.digest,
            keepers: asking.of(given, settled.network)?,
        })
    }

    /// What is read from standard input, which then has nothing else to give, and the row that says so.
    pub fn of_standard_input(&self) -> Option<(&'static Setting, String)> {
        let participant = self.plan.of_standard_input()?;
        Some((&SHARE, format!("the share of {participant}")))
    }

    /// Those whose keepers are asked.
    pub fn members(&self) -> &[Member] {
        self.keepers
            .as_ref()
            .map_or(&[], |keepers| &keepers.terms.members)
    }

    /// Reads the shares that are here, asks keepers for the others, and combines them. Waits while a pipe's writer is at
    /// work, and while a person is to approve.
    pub async fn gather<C: Connect>(
        &self,
        connect: C,
        metrics: Metrics,
    ) -> Result<(Combined, Consent), NoConsent> {
        let plan = self.plan.clone();
        let read = tokio::task::spawn_blocking(move || plan.read()).await;
        // It cannot be cancelled once it runs: this is a panic on its way.
        let read = read.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        let shares = read.map_err(NoConsent::Share)?;
        let (shares, consent) = match (&self.keepers, &self.manifest) {
            (Some(keepers), Some(manifest)) => {
                let client = Client {
                    connect,
                    tokens: keepers.launcher.clone(),
                    token_type: keepers.token_type,
                    manifest: *manifest,
                };
                let lots = system_lots();
                lease::gather(client, Boottime, lots, &keepers.terms, shares, metrics).await?
            }
            _ => {
                let consent = Consent::without_leases(Boottime, &shares, metrics);
                (shares, consent)
            }
        };
        let combined = shares.combine(self.manifest.as_ref());
        let combined = combined.map_err(|refused| NoConsent::Share(refused.into()))?;
        Ok((combined, consent))
    }
}

/// The settings that are of use where a keeper is asked.
struct Asking {
    timeout: Duration,
    socket: PathBuf,
}

impl Asking {
    fn read(given: &mut Given) -> Result<Asking, Reported> {
        let timeout = given.one::<Period>(&CONSENT_TIMEOUT);
        let socket = given.one::<PathBuf>(&TOKEN_SOCKET);
        Ok(Asking {
            timeout: timeout?.get(),
            socket: socket?,
        })
    }

    fn of(
        self,
        given: &mut Given,
        network: Option<Network>,
    ) -> Result<Option<KeeperConfig>, Reported> {
        match network {
            Some(network) => Ok(Some(KeeperConfig {
                terms: Terms {
                    members: network.members,
                    longest_lease: network.lease,
                    timeout: self.timeout,
                },
                token_type: network.token_type,
                launcher: Launcher::at(self.socket, TOKEN_DEADLINE),
            })),
            None => {
                let mut refused = Ok(None);
                for setting in [&CONSENT_TIMEOUT, &TOKEN_SOCKET] {
                    if given.is_given(setting) {
                        let reason = "there is no keeper that would be asked";
                        refused = Err(given.refuse(&[setting], reason));
                    }
                }
                refused
            }
        }
    }
}

#[cfg(test)]
mod tests;
