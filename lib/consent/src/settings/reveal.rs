//! Shares of a group's key that their owners reveal to the program: it signs with them as the group does.
//!
//! They come as shares that make a key do, under the same leases, each verified against the manifest's commitments. What
//! is another is what the program can do: with as many as the threshold says it needs nobody any more, for as long as it
//! has them in memory. So a manifest must say so (`bls-reveal-v1`), and one that says anything else is refused.

use super::gathering::{Asking, Gathering};
use super::origin::Origin;
use super::settled::Settled;
use super::{CONSENT_TIMEOUT, SHARE};
use crate::cloud::Fetch;
use crate::connect::Connect;
use crate::lease::{Consent, NoConsent};
use crate::metrics::Metrics;
use mcbn_launcher::Launcher;
use mcbn_manifest::{Endpoints, Manifest, Member};
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_share::{Inheritance, KeyShare, ManifestDigest};

/// Where the shares come from that are signed with.
#[derive(Clone, Debug)]
pub struct RevealConfig(Gathering);

impl RevealConfig {
    /// From the rows [`SHARE`], [`CONSENT_TIMEOUT`] and
    /// [`TOKEN_SOCKET`](super::TOKEN_SOCKET); the program has use for the last in any case. `row` is where it has the
    /// manifest from.
    ///
    /// Takes the inherited descriptors, so this comes before the program opens anything itself. The inheritance is that
    /// of the program's other secrets, too.
    pub fn read(
        given: &mut Given,
        inheritance: &mut Inheritance,
        row: &Setting,
        manifest: &Manifest,
    ) -> Result<Self, Reported> {
        let origins = given.all::<Origin>(&SHARE);
        let settled = Settled::revealed(given, inheritance, origins, row, manifest);
        let asking = Asking::read(given);
        let needless = [&CONSENT_TIMEOUT];
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

    /// Reads the shares that are here, and asks for the others. Gives as many as the threshold says, or more,
    /// each verified. Waits while a pipe's writer is at work, and while a person is to approve.
    ///
    /// They are to be wiped when consent is [lost](Consent::lost). Where more than enough agree, that is not yet so when
    /// one of them does no more: the group's signature is the same one, whoever's shares make it.
    pub async fn gather<C: Connect, F: Fetch>(
        &self,
        connect: C,
        cloud: impl FnOnce(Launcher, ManifestDigest, &Endpoints) -> F,
        metrics: Metrics,
    ) -> Result<(Vec<KeyShare>, Consent), NoConsent> {
        let (shares, consent) = self.0.gather(connect, cloud, metrics).await?;
        Ok((shares.into_key_shares(), consent))
    }
}

#[cfg(test)]
mod tests;
