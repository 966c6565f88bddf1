//! A token's claims held against a consent manifest.
//!
//! Every demand that there is gets its finding, whatever the others say: people decide by the whole list. What the
//! manifest demands and the token does not say, fails.
//!
//! What a finding rests on is the issuer's word. It measured the image that was booted and what the launcher wrote
//! into the machine's state; the launcher's own words (image, arguments, variables, signatures) count for as much as
//! the image that `support`, `debug` and `secure-boot` speak of.

mod container;
mod machine;

use crate::claims::Claims;
use crate::report::{Finding, Report, Verdict};
use crate::verifier::VerifiedToken;
use mcbn_manifest::policy::{Demand, TokenKind};
use mcbn_manifest::{ImageDigest, Manifest, Name, Workload};
use std::fmt::Display;

/// The proof that a verified token meets every demand of a manifest.
#[derive(Clone, Debug)]
pub struct Accepted {
    workload: Name,
    image: ImageDigest,
    instance: String,
    report: Report,
}

/// # Errors
///
/// At least one demand fails; the report lists all of them.
pub fn judge(token: &VerifiedToken, manifest: &Manifest) -> Result<Accepted, Report> {
    let claims = token.claims();
    let report = examine(claims, token.kind(), manifest);
    match played(claims, manifest) {
        Some((image, workload)) if report.is_clean() => Ok(Accepted {
            workload: workload.name.clone(),
            image,
            instance: claims.sub.clone(),
            report,
        }),
        _ => Err(report),
    }
}

/// What [`judge`] would say of these claims, wherever they come from. Proves nothing: for people to look at.
pub fn examine(claims: &Claims, kind: TokenKind, manifest: &Manifest) -> Report {
    let case = Case {
        claims,
        kind,
        manifest,
        workload: played(claims, manifest).map(|(_, workload)| workload),
    };
    Report::new(Demand::ALL.iter().map(|demand| case.find(*demand)))
}

/// The image that runs, if it plays a part.
fn played<'a>(claims: &Claims, manifest: &'a Manifest) -> Option<(ImageDigest, &'a Workload)> {
    let digest = claims.container.as_ref()?.image_digest.as_ref()?;
    let digest = digest.parse().ok()?;
    Some((digest, manifest.workload_of(&digest)?))
}

struct Case<'a> {
    claims: &'a Claims,
    kind: TokenKind,
    manifest: &'a Manifest,
    /// The part that the image plays.
    workload: Option<&'a Workload>,
}

/// What becomes of one demand.
struct Held {
    verdict: Verdict,
    demanded: String,
    found: String,
}

impl Case<'_> {
    fn find(&self, demand: Demand) -> Finding {
        let held = match demand {
            Demand::Token => self.token(),
            Demand::ImageDigest => self.image_digest(),
            Demand::Debug => self.debug(),
            Demand::Software => self.software(),
            Demand::Support => self.support(),
            Demand::Hardware => self.hardware(),
            Demand::SecureBoot => self.secure_boot(),
            Demand::Swversion => self.swversion(),
            Demand::Project => self.project(),
            Demand::Zone => self.zone(),
            Demand::ServiceAccounts => self.service_accounts(),
            Demand::RestartPolicy => self.restart_policy(),
            Demand::CmdOverride => self.cmd_override(),
            Demand::EnvOverride => self.env_override(),
            Demand::Args => self.args(),
            Demand::Env => self.env(),
            Demand::Monitoring => self.monitoring(),
            Demand::Signatures => self.signatures(),
        };
        Finding::new(demand, held.verdict, &held.demanded, &held.found)
    }

    fn token(&self) -> Held {
        let demanded = self.manifest.policy().token;
        Held::when(self.kind == demanded, demanded, self.kind.to_string())
    }
}

impl Held {
    fn when(holds: bool, demanded: impl Display, found: String) -> Held {
        Held {
            verdict: match holds {
                true => Verdict::Holds,
                false => Verdict::Fails,
            },
            demanded: demanded.to_string(),
            found,
        }
    }

    fn not_judged(why: &str, found: String) -> Held {
        Held {
            verdict: Verdict::NotJudged,
            demanded: why.into(),
            found,
        }
    }
}

/// Said of what the manifest leaves open.
const ANYTHING: &str = "(anything)";
/// Said of what the token does not say.
const NOTHING: &str = "(nothing)";

/// A claim as people see it, in printable ASCII: it neither acts on a terminal nor looks like what it is not.
fn shown(claim: Option<&str>) -> String {
    claim.map_or_else(|| NOTHING.into(), |text| text.escape_default().to_string())
}

fn all_shown(claims: &[String]) -> String {
    match claims {
        [] => NOTHING.into(),
        some => listed(some.iter().map(|text| text.escape_default())),
    }
}

fn listed<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(", ")
}

impl Accepted {
    /// The part that the image plays.
    pub fn workload(&self) -> &Name {
        &self.workload
    }

    pub fn image(&self) -> ImageDigest {
        self.image
    }

    /// The machine, as its issuer names it (`sub`): 1 to 1024 printable ASCII characters.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// The demands that it meets.
    pub fn report(&self) -> &Report {
        &self.report
    }
}
