//! Shares from where the settings say, whatever becomes of them.

use super::settled::{Network, Settled};
use super::{CONSENT_TIMEOUT, SHARE, TOKEN_SOCKET};
use crate::client::Client;
use crate::clock::Boottime;
use crate::connect::Connect;
use crate::lease::{self, Consent, NoConsent, Terms, system_lots};
use crate::metrics::Metrics;
use mcbn_launcher::{Launcher, TokenType};
use mcbn_manifest::Member;
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_runtime::units::Period;
use mcbn_share::{ClaimedPlan, Contributions, ManifestDigest};
use std::path::PathBuf;
use std::time::Duration;

/// Where shares come from.
#[derive(Clone, Debug)]
pub(super) struct Gathering {
    plan: ClaimedPlan,
    manifest: Option<ManifestDigest>,
    pub(super) keepers: Option<KeeperConfig>,
}

/// How keepers are asked.
#[derive(Clone, Debug)]
pub(super) struct KeeperConfig {
    pub(super) terms: Terms,
    pub(super) token_type: TokenType,
    pub(super) launcher: Launcher,
}

/// Of one token. An exchange that waits for it longer fails anyway.
const TOKEN_DEADLINE: Duration = Duration::from_secs(25);

impl Gathering {
    /// `needless` are the rows that are refused where no keeper is asked.
    pub(super) fn new(
        given: &mut Given,
        settled: Settled,
        asking: Asking,
        needless: &[&Setting],
    ) -> Result<Self, Reported> {
        let Settled {
            plan,
            digest,
            network,
        } = settled;
        let mut refused = None;
        if network.is_none() {
            for row in needless {
                if given.is_given(row) {
                    let reason = "there is no keeper that would be asked";
                    refused = Some(given.refuse(&[row], reason));
                }
            }
        }
        if let Some(refused) = refused {
            return Err(refused);
        }
        Ok(Self {
            plan,
            manifest: digest,
            keepers: network.map(|network| asking.of(network)),
        })
    }

    pub(super) fn of_standard_input(&self) -> Option<(&'static Setting, String)> {
        let participant = self.plan.of_standard_input()?;
        Some((&SHARE, format!("the share of {participant}")))
    }

    pub(super) fn members(&self) -> &[Member] {
        self.keepers
            .as_ref()
            .map_or(&[], |keepers| &keepers.terms.members)
    }

    pub(super) fn manifest(&self) -> Option<&ManifestDigest> {
        self.manifest.as_ref()
    }

    /// Reads the shares that are here, and asks keepers for the others, until there are enough.
    pub(super) async fn gather<C: Connect>(
        &self,
        connect: C,
        metrics: Metrics,
    ) -> Result<(Contributions, Consent), NoConsent> {
        let plan = self.plan.clone();
        let read = tokio::task::spawn_blocking(move || plan.read()).await;
        // It cannot be cancelled once it runs: this is a panic on its way.
        let read = read.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        let shares = read.map_err(NoConsent::Share)?;
        let (Some(keepers), Some(manifest)) = (&self.keepers, &self.manifest) else {
            let consent = Consent::without_leases(Boottime, &shares, metrics);
            return Ok((shares, consent));
        };
        let client = Client {
            connect,
            tokens: keepers.launcher.clone(),
            token_type: keepers.token_type,
            manifest: *manifest,
        };
        let lots = system_lots();
        lease::gather(client, Boottime, lots, &keepers.terms, shares, metrics).await
    }
}

/// The settings that are of use where a keeper is asked.
pub(super) struct Asking {
    timeout: Duration,
    socket: PathBuf,
}

impl Asking {
    pub(super) fn read(given: &mut Given) -> Result<Asking, Reported> {
        let timeout = given.one::<Period>(&CONSENT_TIMEOUT);
        let socket = given.one::<PathBuf>(&TOKEN_SOCKET);
        Ok(Asking {
            timeout: timeout?.get(),
            socket: socket?,
        })
    }

    fn of(self, network: Network) -> KeeperConfig {
        KeeperConfig {
            terms: Terms {
                members: network.members,
                longest_lease: network.lease,
                timeout: self.timeout,
            },
            token_type: network.token_type,
            launcher: Launcher::at(self.socket, TOKEN_DEADLINE),
        }
    }
}
