//! Whether a token vouches for a machine that may have the share.

use super::ledger::entry::{Finding, demand};
use mcbn_attest::{Expected, KeysFault, Refused, UnixTime, Verifier, judge};
use mcbn_consent::message::Reason;
use mcbn_manifest::{ImageDigest, Manifest, Name};

/// Verifies a token and judges what it says. May block, while keys are fetched.
pub trait Verify: Send + Sync {
    /// # Errors
    ///
    /// [`Doubt`]
    fn verify(&self, token: &str, expected: &Expected<'_>) -> Result<Vouched, Doubt>;

    /// Makes ready what can be made ready before the first token comes.
    ///
    /// # Errors
    ///
    /// It will have to be tried again when one comes.
    fn warm(&self, now: UnixTime) -> Result<(), KeysFault>;
}

/// A machine that meets every demand of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    pub workload: Name,
    pub image: ImageDigest,
    /// The machine, as the issuer names it.
    pub subject: String,
    pub findings: Vec<Finding>,
}

/// Why a token is not enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It is not genuine, not timely, or not for this.
    Token(Reason),
    /// The keys to verify it are being fetched.
    KeysBusy(Reason),
    /// They cannot be had.
    NoKeys(Reason),
    /// It is genuine, and the machine does not meet these demands.
    Policy {
        failed: Vec<Reason>,
        subject: String,
        image: Option<ImageDigest>,
        findings: Vec<Finding>,
    },
}

/// With the issuer's keys, against the manifest.
pub struct Attested {
    pub verifier: Verifier,
    pub manifest: Manifest,
}

impl Verify for Attested {
    fn verify(&self, token: &str, expected: &Expected<'_>) -> Result<Vouched, Doubt> {
        let token = self.verifier.verify(token, expected).map_err(doubt)?;
        match judge(&token, &self.manifest) {
            Ok(accepted) => Ok(Vouched {
                workload: accepted.workload().clone(),
                image: accepted.image(),
                subject: accepted.instance().to_owned(),
                findings: Finding::all_of(accepted.report()),
            }),
            Err(report) => {
                let claims = token.claims();
                let image = claims.container.as_ref();
                let image = image.and_then(|container| container.image_digest.as_deref());
                Err(Doubt::Policy {
                    failed: report.failed().map(demand).collect(),
                    subject: claims.sub.clone(),
                    image: image.and_then(|digest| digest.parse().ok()),
                    findings: Finding::all_of(&report),
                })
            }
        }
    }

    fn warm(&self, now: UnixTime) -> Result<(), KeysFault> {
        self.verifier.warm(now)
    }
}

fn doubt(refused: Refused) -> Doubt {
    let reason = refused.reason().parse();
    let reason = reason.expect("a reason is made of letters and '-'");
    match refused {
        Refused::Token(_) => Doubt::Token(reason),
        Refused::Keys(KeysFault::Busy) => Doubt::KeysBusy(reason),
        Refused::Keys(_) => Doubt::NoKeys(reason),
    }
}
