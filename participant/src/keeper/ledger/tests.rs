use super::decide::{Decision, Terms, Unsaid, Wish, Word, decide, say};
use super::entry::{By, Finding, Via};
use super::instance::{Instance, InstanceId, LeaseId};
use super::*;
use mcbn_consent::message::Code;
use mcbn_manifest::ImageDigest;
use mcbn_share::ManifestDigest;
use std::time::Duration;
use tempfile::TempDir;

mod crash;
mod file;
mod rules;
mod verify;

const TERMS: Terms = Terms {
    lease: Duration::from_secs(300),
    ask: false,
};

const ASKING: Terms = Terms { ask: true, ..TERMS };

const BY: By = By {
    via: Via::Command,
    uid: 1000,
};

/// In milliseconds.
const MINUTE: u64 = 60_000;

fn instance(name: &str) -> Instance {
    Instance {
        manifest: ManifestDigest([1; 32]),
        subject: format!(
            "https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/{name}"
        ),
        image: ImageDigest([2; 32]),
        workload: "psk-server".parse().unwrap(),
    }
}

fn lease(number: u8) -> LeaseId {
    LeaseId::from(mcbn_consent::message::Lease([number; 16]))
}

fn findings() -> Vec<Finding> {
    vec![Finding {
        demand: "hardware".parse().unwrap(),
        holds: true,
        demanded: "GCP_AMD_SEV_SNP or GCP_INTEL_TDX".into(),
        found: "GCP_INTEL_TDX".into(),
    }]
}

/// A ledger in a folder of its own.
struct Kept {
    folder: TempDir,
    ledger: Ledger,
}

impl Kept {
    fn new() -> Kept {
        let folder = TempDir::new().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger"), Open::OrCreate).unwrap();
        Kept { folder, ledger }
    }

    /// As another process would open it.
    fn again(&self) -> Ledger {
        Ledger::open(&self.folder.path().join("ledger"), Open::Existing).unwrap()
    }

    fn decide(&mut self, minute: u64, terms: &Terms, wish: Wish) -> Decision {
        let now = Time(minute * MINUTE);
        self.ledger
            .append(now, |page| decide(page, wish, terms))
            .unwrap()
    }

    fn release(&mut self, minute: u64, name: &str, number: u8) -> Decision {
        self.decide(minute, &TERMS, release(name, number))
    }

    fn renew(&mut self, minute: u64, name: &str, number: u8) -> Decision {
        self.decide(minute, &TERMS, renew(name, number))
    }

    fn say(&mut self, word: &Word) -> Result<Option<InstanceId>, Unsaid> {
        let said = |page: &mut Page<'_>| say(page, word, BY);
        self.ledger.append(Time(0), said).unwrap()
    }

    /// The last entry that this process knows.
    fn head(&self) -> Head {
        self.ledger.seen
    }

    fn kinds(&self) -> Vec<&'static str> {
        let entries = state::after(self.ledger.read(), 0, 1000).unwrap();
        let kind = |placed: &state::Placed| placed.entry.event.kind().as_str();
        entries.iter().map(kind).collect()
    }
}

fn release(name: &str, number: u8) -> Wish {
    Wish::Release {
        instance: instance(name),
        findings: findings(),
        lease: lease(number),
    }
}

fn renew(name: &str, number: u8) -> Wish {
    Wish::Renew {
        instance: instance(name),
        lease: lease(number),
    }
}

/// The lease is five minutes.
fn granted(minute: u64) -> Decision {
    Decision::Granted(Time((minute + 5) * MINUTE))
}

fn named<T>(word: fn(instance::Beginning) -> T, name: impl Display) -> T {
    word(name.to_string().parse().unwrap())
}
