//! What was demanded, beside what was found.

use mcbn_manifest::policy::Demand;
use serde::{Serialize, Serializer};

/// Every demand that a manifest can make, in one order, with what this manifest demanded and this token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    findings: Vec<Finding>,
}

/// One demand, held against a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    #[serde(serialize_with = "by_name")]
    pub demand: Demand,
    pub verdict: Verdict,
    /// For people: one line of printable ASCII, at most [`Finding::MAX_TEXT`] characters.
    pub demanded: String,
    /// The same, though whoever starts a machine chooses some of it.
    pub found: String,
}

/// Whether a demand is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Holds,
    Fails,
    /// The manifest does not make this demand, or another one that fails must hold for it to mean something.
    NotJudged,
}

impl Report {
    pub(crate) fn new(findings: impl Iterator<Item = Finding>) -> Report {
        Report {
            findings: findings.collect(),
        }
    }

    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The demands that are not met.
    pub fn failed(&self) -> impl Iterator<Item = Demand> {
        let failed = |finding: &&Finding| finding.verdict == Verdict::Fails;
        self.findings.iter().filter(failed).map(|f| f.demand)
    }

    /// No demand fails. Not a proof: that is [`crate::Accepted`].
    pub fn is_clean(&self) -> bool {
        self.failed().next().is_none()
    }
}

impl Finding {
    pub const MAX_TEXT: usize = 1024;

    pub(crate) fn new(demand: Demand, verdict: Verdict, demanded: &str, found: &str) -> Finding {
        Finding {
            demand,
            verdict,
            demanded: bounded(demanded),
            found: bounded(found),
        }
    }
}

/// What is shown is ASCII: a byte is a character.
fn bounded(text: &str) -> String {
    const CUT: &str = "...";
    match text.get(..Finding::MAX_TEXT) {
        Some(start) if start.len() < text.len() => {
            format!("{}{CUT}", &start[..Finding::MAX_TEXT - CUT.len()])
        }
        _ => text.into(),
    }
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::NotJudged => "not-judged",
        }
    }
}

fn by_name<S: Serializer>(demand: &Demand, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(demand.as_str())
}
