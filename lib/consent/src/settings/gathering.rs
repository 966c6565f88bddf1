//! Shares from where the settings say, whatever becomes of them.

use super::settled::{Network, Settled};
use super::{CONSENT_TIMEOUT, SHARE, TOKEN_SOCKET};
use crate::ask::Everyone;
use crate::client::Client;
use crate::clock::Boottime;
use crate::cloud::{Fetch, InCloud};
use crate::connect::Connect;
use crate::lease::{self, Consent, NoConsent, Terms, system_lots};
use crate::metrics::Metrics;
use mcbn_launcher::{Launcher, TokenType};
use mcbn_manifest::{Endpoints, Member};
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_runtime::units::Period;
use mcbn_share::{ClaimedPlan, Contributions, Kind, ManifestDigest};
use std::path::PathBuf;
use std::time::Duration;

/// Where shares come from.
#[derive(Clone, Debug)]
pub(super) struct Gathering {
    plan: ClaimedPlan,
    manifest: Option<ManifestDigest>,
    pub(super) others: Option<OthersConfig>,
}

/// How those are asked whose shares are not here.
#[derive(Clone, Debug)]
pub(super) struct OthersConfig {
    pub(super) terms: Terms,
    kind: Kind,
    endpoints: Endpoints,
    pub(super) token_type: TokenType,
    pub(super) launcher: Launcher,
}

/// Of one token. A question that waits for it longer fails anyway.
const TOKEN_DEADLINE: Duration = Duration::from_secs(25);

impl Gathering {
    /// `needless` are the rows that are refused where nobody is asked.
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
                    let reason = "there is nobody that would be asked";
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
            others: network.map(|network| asking.of(network)),
        })
    }

    pub(super) fn of_standard_input(&self) -> Option<(&'static Setting, String)> {
        let participant = self.plan.of_standard_input()?;
        Some((&SHARE, format!("the share of {participant}")))
    }

    pub(super) fn members(&self) -> &[Member] {
        self.others
            .as_ref()
            .map_or(&[], |others| &others.terms.members)
    }

    pub(super) fn manifest(&self) -> Option<&ManifestDigest> {
        self.manifest.as_ref()
    }

    /// Reads the shares that are here, and asks for the others, until there are enough. `cloud` makes the way to those that
    /// are in Google Cloud, if there are any.
    pub(super) async fn gather<C: Connect, F: Fetch>(
        &self,
        connect: C,
        cloud: impl FnOnce(Launcher, ManifestDigest, &Endpoints) -> F,
        metrics: Metrics,
    ) -> Result<(Contributions, Consent), NoConsent> {
        let plan = self.plan.clone();
        let read = tokio::task::spawn_blocking(move || plan.read()).await;
        // It cannot be cancelled once it runs: this is a panic on its way.
        let read = read.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        let shares = read.map_err(NoConsent::Share)?;
        let (Some(others), Some(manifest)) = (&self.others, &self.manifest) else {
            let consent = Consent::without_leases(Boottime, &shares, metrics);
            return Ok((shares, consent));
        };
        let everyone = Everyone {
            keepers: Client {
                connect,
                tokens: others.launcher.clone(),
                token_type: others.token_type,
                manifest: *manifest,
            },
            cloud: InCloud {
                fetch: cloud(others.launcher.clone(), *manifest, &others.endpoints),
                kind: others.kind.clone(),
                lease: others.terms.longest_lease,
            },
        };
        let lots = system_lots();
        lease::gather(everyone, Boottime, lots, &others.terms, shares, metrics).await
    }
}

/// The settings that are of use where somebody is asked.
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

    fn of(self, network: Network) -> OthersConfig {
        OthersConfig {
            terms: Terms {
                members: network.members,
                longest_lease: network.lease,
                timeout: self.timeout,
            },
            kind: network.kind,
            endpoints: network.endpoints,
            token_type: network.token_type,
            launcher: Launcher::at(self.socket, TOKEN_DEADLINE),
        }
    }
}
