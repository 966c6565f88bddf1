//! What the manifest, or else the settings, say of the key.

use super::origin::{Origin, apart};
use super::{DERIVATION, MANIFEST, MANIFEST_DIGEST, SHARE, THRESHOLD};
use mcbn_launcher::TokenType;
use mcbn_manifest::policy::TokenKind;
use mcbn_manifest::{Endpoints, Manifest, Member, Rule};
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_share::{
    ClaimedPlan, Derivation, Inheritance, Kind, ManifestDigest, NoPlan, NotClaimed, Participant,
    Plan, Source, Threshold,
};
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Settled {
    pub(super) plan: ClaimedPlan,
    pub(super) digest: Option<ManifestDigest>,
    /// None where nobody is asked.
    pub(super) network: Option<Network>,
}

/// Those that are to be asked.
pub(super) struct Network {
    pub(super) members: Vec<Member>,
    /// What each of them has.
    pub(super) kind: Kind,
    /// Where Google's services are.
    pub(super) endpoints: Endpoints,
    /// What tokens keepers want.
    pub(super) token_type: TokenType,
    /// For how long they agree at most.
    pub(super) lease: Duration,
}

impl Settled {
    pub(super) fn by_settings(
        given: &mut Given,
        inheritance: &mut Inheritance,
        origins: Result<Vec<Origin>, Reported>,
    ) -> Result<Settled, Reported> {
        let derivation = given.one::<Derivation>(&DERIVATION);
        let threshold = given.optional::<Threshold>(&THRESHOLD);
        let digest = given.optional::<ManifestDigest>(&MANIFEST_DIGEST);
        let (sources, keepers) = apart(origins?);
        if let Some(participant) = keepers.first() {
            let reason = format_args!(
                "a manifest must say where the keeper of {participant} is, and there is none"
            );
            return Err(given.refuse(&[&SHARE, &MANIFEST], reason));
        }
        if sources.is_empty() {
            return Err(given.refuse(&[&SHARE, &MANIFEST], "one of them is needed"));
        }
        let plan = Plan::new(derivation?, threshold?, sources);
        Ok(Settled {
            plan: claim(given, inheritance, plan)?,
            digest: digest?,
            network: None,
        })
    }

    pub(super) fn by_manifest(
        given: &mut Given,
        inheritance: &mut Inheritance,
        origins: Result<Vec<Origin>, Reported>,
        manifest: &Manifest,
    ) -> Result<Settled, Reported> {
        let mut refused = None;
        for setting in [&DERIVATION, &THRESHOLD, &MANIFEST_DIGEST] {
            if given.is_given(setting) {
                refused = Some(given.refuse(&[setting, &MANIFEST], "it follows from the manifest"));
            }
        }
        let parted = Parted::new(given, &MANIFEST, origins?, manifest);
        if let Some(refused) = refused {
            return Err(refused);
        }
        let Parted {
            sources,
            asked,
            network,
        } = parted?;
        let plan = match (manifest.kind(), manifest.rule()) {
            (Kind::Reveal(_), _) => return Err(given.refuse(&[&MANIFEST], NoPlan::NoKey)),
            (Kind::Consent(signers), _) => Plan::signed(Arc::clone(signers), sources, asked),
            (Kind::Share | Kind::Shamir, rule) => {
                let threshold = match rule {
                    Rule::Unanimous => None,
                    Rule::Threshold(threshold) => Some(threshold),
                };
                Plan::with_others(manifest.derivation(), threshold, sources, asked)
            }
        };
        Ok(Settled {
            plan: claim(given, inheritance, plan)?,
            digest: Some(manifest.digest()),
            network,
        })
    }

    /// `row` is where the manifest comes from.
    pub(super) fn revealed(
        given: &mut Given,
        inheritance: &mut Inheritance,
        origins: Result<Vec<Origin>, Reported>,
        row: &Setting,
        manifest: &Manifest,
    ) -> Result<Settled, Reported> {
        let holders = match manifest.kind() {
            Kind::Reveal(holders) => Ok(holders),
            Kind::Share | Kind::Shamir | Kind::Consent(_) => {
                let reason = format_args!(
                    "shares are revealed under {} alone, and its derivation is {}",
                    Derivation::BlsRevealV1,
                    manifest.derivation()
                );
                Err(given.refuse(&[row], reason))
            }
        };
        let parted = Parted::new(given, row, origins?, manifest);
        let Parted {
            sources,
            asked,
            network,
        } = parted?;
        let plan = Plan::revealed(Arc::clone(holders?), sources, asked);
        Ok(Settled {
            plan: claim(given, inheritance, plan)?,
            digest: Some(manifest.digest()),
            network,
        })
    }
}

/// Shares that are read here, and those that are asked for.
struct Parted {
    sources: Vec<Source>,
    asked: Vec<Participant>,
    /// None where nobody is asked.
    network: Option<Network>,
}

impl Parted {
    fn new(
        given: &mut Given,
        row: &Setting,
        origins: Vec<Origin>,
        manifest: &Manifest,
    ) -> Result<Parted, Reported> {
        let (sources, keepers) = apart(origins);
        let here = sources.iter().map(Source::participant);
        let named: Vec<Participant> = here.chain(&keepers).cloned().collect();
        let members = manifest.participants();
        let mut refused = None;
        for participant in &named {
            if !members.iter().any(|member| member.name == *participant) {
                let reason = format_args!("{participant} is not a participant of the manifest");
                refused = Some(given.refuse(&[&SHARE, row], reason));
            }
        }
        let in_cloud = members.iter().filter(|member| member.cloud().is_some());
        for member in in_cloud.filter(|member| keepers.contains(&member.name)) {
            let reason = format_args!(
                "{} has no keeper: by the manifest, their share is in Google Cloud, and it is asked for there",
                member.name
            );
            refused = Some(given.refuse(&[&SHARE, row], reason));
        }
        if let Some(refused) = refused {
            return Err(refused);
        }
        let others = members.iter().map(|member| &member.name);
        let unnamed = others.filter(|name| !named.contains(name)).cloned();
        let asked: Vec<Participant> = keepers.iter().cloned().chain(unnamed).collect();
        let to_ask = members.iter().filter(|member| asked.contains(&member.name));
        let network = Network {
            members: to_ask.cloned().collect(),
            token_type: match manifest.policy().token {
                TokenKind::Oidc => TokenType::Oidc,
                TokenKind::Pki => TokenType::Pki,
            },
            lease: manifest.lease(),
            kind: manifest.kind().clone(),
            endpoints: manifest.endpoints().clone(),
        };
        Ok(Parted {
            sources,
            asked,
            network: (!network.members.is_empty()).then_some(network),
        })
    }
}

fn claim(
    given: &mut Given,
    inheritance: &mut Inheritance,
    plan: Result<Plan, NoPlan>,
) -> Result<ClaimedPlan, Reported> {
    let plan = plan.map_err(|fault| {
        let settings: &[&Setting] = match fault {
            NoPlan::TooFew { .. }
            | NoPlan::TooMany
            | NoPlan::NamedTwice(_)
            | NoPlan::OnePlaceForTwo(_) => &[&SHARE],
            NoPlan::NoThreshold | NoPlan::ThresholdForAll(_) => &[&DERIVATION, &THRESHOLD],
            NoPlan::NoGroup => &[&DERIVATION, &MANIFEST],
            NoPlan::NoKey => &[&DERIVATION],
        };
        given.refuse(settings, fault)
    })?;
    plan.claim(inheritance).map_err(|refused| {
        refused
            .into_iter()
            .map(|fault| not_claimed(given, &fault))
            .reduce(|_, last| last)
            .expect("a claim that fails says of which descriptors")
    })
}

fn not_claimed(given: &mut Given, fault: &NotClaimed) -> Reported {
    if let Some(hint) = fault.hint() {
        given.hint(hint);
    }
    given.refuse_because(&[&SHARE], fault)
}
