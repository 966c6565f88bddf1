//! What stands in the ledger: who asked, what was decided and why, and what a person said.
//!
//! An entry is written in one way only, as JSON with its fields in one order, so that its bytes can be checked against
//! its meaning.

use super::instance::{Instance, InstanceId, LeaseId};
use mcbn_attest::{Report, Verdict};
use mcbn_consent::message::{Code, Reason};
use mcbn_manifest::{ImageDigest, Pin};
use mcbn_share::{ManifestDigest, Participant};
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970, in UTC, as the keeper's machine has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub u64);

/// What happened, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub time: Time,
    pub event: Event,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A keeper began to answer.
    Started {
        participant: Participant,
        pin: Pin,
        manifest: ManifestDigest,
    },
    /// A genuine token, and no share.
    Refused {
        code: Code,
        reasons: Vec<Reason>,
        /// The machine of the token, and the image that it runs as far as it is one of the manifest's.
        subject: Option<String>,
        image: Option<ImageDigest>,
        findings: Vec<Finding>,
    },
    /// Refusals that have no entry of their own: a stranger must not be able to fill the disk.
    Counted {
        code: Code,
        reasons: Vec<Reason>,
        count: u64,
        since: Time,
    },
    /// A person must decide.
    Pending {
        instance: Instance,
        findings: Vec<Finding>,
    },
    Released {
        instance: Instance,
        lease: LeaseId,
        until: Time,
        findings: Vec<Finding>,
    },
    Renewed {
        instance: InstanceId,
        lease: LeaseId,
        until: Time,
    },
    Approved {
        instance: InstanceId,
        by: By,
    },
    Denied {
        instance: InstanceId,
        by: By,
    },
    /// What an instance had is taken back, and it gets no more until it is approved.
    Revoked {
        instance: InstanceId,
        by: By,
    },
    /// Consent is taken back from every instance, until it is restored.
    Withdrawn {
        by: By,
    },
    Restored {
        by: By,
    },
}

/// One line a kind: its name in Rust and in the ledger.
macro_rules! kinds {
    ($($kind:ident = $name:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Kind {
            $(#[serde(rename = $name)] $kind,)*
        }

        impl Kind {
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Kind::$kind => $name,)*
                }
            }

            pub fn named(name: &str) -> Option<Kind> {
                match name {
                    $($name => Some(Kind::$kind),)*
                    _ => None,
                }
            }
        }

        impl Event {
            pub const fn kind(&self) -> Kind {
                match self {
                    $(Event::$kind { .. } => Kind::$kind,)*
                }
            }
        }
    };
}

kinds! {
    Started = "started";
    Refused = "refused";
    Counted = "counted";
    Pending = "pending";
    Released = "released";
    Renewed = "renewed";
    Approved = "approved";
    Denied = "denied";
    Revoked = "revoked";
    Withdrawn = "withdrawn";
    Restored = "restored";
}

/// Through what a person spoke, and as which user of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct By {
    pub via: Via,
    pub uid: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    Command,
    Page,
}

/// One demand of the policy, beside what the token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    pub demand: Reason,
    pub holds: bool,
    pub demanded: String,
    pub found: String,
}

impl Finding {
    /// Characters of a text that are kept: who starts a machine chooses some of them.
    const KEPT: usize = 256;

    /// The demands that the manifest makes; what it does not judge is left out.
    pub fn all_of(report: &Report) -> Vec<Finding> {
        let judged = |finding: &&mcbn_attest::Finding| finding.verdict != Verdict::NotJudged;
        let kept = |text: &str| match text.char_indices().nth(Finding::KEPT) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
        };
        let findings = report.findings().iter().filter(judged);
        findings
            .map(|finding| Finding {
                demand: demand(finding.demand),
                holds: finding.verdict == Verdict::Holds,
                demanded: kept(&finding.demanded),
                found: kept(&finding.found),
            })
            .collect()
    }
}

/// A demand's name, as an answer gives it.
pub fn demand(demand: mcbn_attest::Demand) -> Reason {
    let reason = demand.as_str().parse();
    reason.expect("a demand's name is made of letters and '-'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcbn_attest::Demand;

    #[test]
    fn every_demand_is_a_reason() {
        for one in Demand::ALL {
            assert_eq!(demand(*one).as_str(), one.as_str());
        }
    }
}
