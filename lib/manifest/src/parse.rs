//! From bytes to a [`Manifest`], or to the list of all mistakes.
//!
//! The text is read to a tree of values with their places (`toml`), and the tree from the root on, each part by one
//! function. A part that is wrong is noted, and reading goes on, as far as what follows does not depend on it.

mod attestation;
mod members;
mod value;
mod workload;

use crate::mistake::{Mistakes, Noted, Notes, Shown};
use crate::{Manifest, Name, Rule};
use mcbn_share::{Derivation, Holders, Kind, ManifestDigest, Participant, Signers, Threshold};
use mcbn_threshold::{Group, PublicKey};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use toml::de::DeTable;
use value::{Table, Value};

const VERSION: u64 = 1;

/// x-coordinates of shares end there.
const MOST_PARTICIPANTS: usize = 255;

/// In seconds.
const LEASE: (u64, u64) = (10, 24 * 60 * 60);

pub(crate) fn manifest(bytes: &[u8]) -> Result<Manifest, Mistakes> {
    let text = text(bytes)?;
    let notes = Notes::new(text);
    let made = match root(text, &notes) {
        Ok(root) => Table::read(&root, 0, &notes, |table| document(table, bytes)),
        Err(noted) => Err(noted),
    };
    notes.settle(made)
}

fn text(bytes: &[u8]) -> Result<&str, Mistakes> {
    if bytes.len() > Manifest::MAX_LEN {
        let message = format!("a manifest is at most {} bytes", Manifest::MAX_LEN);
        return Err(Mistakes::one("", &message));
    }
    let text = str::from_utf8(bytes).map_err(|error| {
        let before = str::from_utf8(&bytes[..error.valid_up_to()]);
        Mistakes::one(before.expect("valid up to there"), "not UTF-8")
    })?;
    match text.starts_with('\u{feff}') {
        // It cannot be seen, and would be another manifest.
        true => Err(Mistakes::one("", "the file starts with a byte order mark")),
        false => Ok(text),
    }
}

/// Of a text that is no TOML, the first mistake alone: what follows mostly follows from it.
fn root<'d>(text: &'d str, notes: &Notes<'_>) -> Result<DeTable<'d>, Noted> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let place = |error: &toml::de::Error| error.span().map_or(text.len(), |span| span.start);
    match errors.iter().min_by_key(|error| place(error)) {
        None => Ok(root.into_inner()),
        Some(error) => Err(notes.add(place(error), error.message().escape_debug())),
    }
}

fn document(table: &mut Table<'_>, bytes: &[u8]) -> Result<Manifest, Noted> {
    // What another version's keys mean is not known here.
    if let Err(noted) = table.required("version", version) {
        table.leave_the_rest();
        return Err(noted);
    }
    let network = table.required("network", Value::parsed::<Name>);
    let rule = table.required("rule", rule);
    let derivation = table.optional("derivation", |value| derivation(value, rule.as_ref().ok()));
    let (shortest, longest) = LEASE;
    let lease = table.required("lease", |value| value.number(shortest, longest));
    let members = table.required("participant", |value| {
        let threshold = rule.as_ref().ok().and_then(Placed::threshold);
        members::members(value, network.as_ref().ok(), threshold)
    });
    let workloads = table.required("workload", workload::workloads);
    let policy = table.required("attestation", |value| value.table(attestation::policy));
    let commitments = table.optional("commitments", Commitments::read);
    let members_read = members.as_deref().ok();
    let endpoints = table.optional("google-cloud", |value| {
        members::endpoints(value, members_read)
    });
    let digest = ManifestDigest(Sha256::digest(bytes).into());
    let (members, rule) = (members?, rule?);
    let names = members.iter().map(|member| member.name.clone()).collect();
    let kind = kind(rule.rule, derivation?, commitments?, names, &digest);
    Ok(Manifest {
        digest,
        network: network?,
        members,
        rule: rule.rule,
        kind: kind?,
        lease: Duration::from_secs(lease?),
        workloads: workloads?,
        policy: policy?,
        endpoints: endpoints?.unwrap_or_default(),
    })
}

fn version(value: Value<'_>) -> Result<(), Noted> {
    match value.number(0, u64::MAX)? {
        VERSION => Ok(()),
        other => Err(value.note(format_args!(
            "version {other} is not known here; this program reads version {VERSION}"
        ))),
    }
}

/// A rule, and where a threshold would be too large.
#[derive(Clone, Copy)]
struct Placed<'d> {
    rule: Rule,
    value: Value<'d>,
}

impl<'d> Placed<'d> {
    fn threshold(&self) -> Option<(Threshold, Value<'d>)> {
        match self.rule {
            Rule::Unanimous => None,
            Rule::Threshold(threshold) => Some((threshold, self.value)),
        }
    }
}

fn rule(value: Value<'_>) -> Result<Placed<'_>, Noted> {
    if value.is_table() {
        return value.table(|table| table.required("threshold", threshold));
    }
    let rule = Rule::Unanimous;
    match value.text_or("\"unanimous\" or { threshold = NUMBER }")? {
        "unanimous" => Ok(Placed { rule, value }),
        other => Err(value.note(format_args!(
            "a rule is \"unanimous\" or {{ threshold = NUMBER }}, not {}",
            Shown(other)
        ))),
    }
}

fn threshold(value: Value<'_>) -> Result<Placed<'_>, Noted> {
    let number = value.number(2, MOST_PARTICIPANTS as u64)?;
    let number = u8::try_from(number).expect("at most 255");
    let threshold = Threshold::new(number).expect("at least 2");
    let rule = Rule::Threshold(threshold);
    Ok(Placed { rule, value })
}

/// A derivation that does not contradict the rule, and where it stands.
struct Label<'d> {
    derivation: Derivation,
    value: Value<'d>,
}

/// It may be left out where the rule says it.
fn derivation<'d>(value: Value<'d>, rule: Option<&Placed<'_>>) -> Result<Label<'d>, Noted> {
    let label = value.text()?;
    let refuse = |why: &str| Err(value.note(why));
    match (label.parse(), rule.map(|placed| placed.rule)) {
        (Ok(derivation @ Derivation::HkdfV1), None | Some(Rule::Unanimous))
        | (
            Ok(
                derivation
                @ (Derivation::ShamirV1 | Derivation::BlsPrfV1 | Derivation::BlsRevealV1),
            ),
            None | Some(Rule::Threshold(_)),
        ) => Ok(Label { derivation, value }),
        (Ok(Derivation::HkdfV1), Some(Rule::Threshold(_))) => refuse(
            "hkdf-v1 contradicts the rule: it needs every share; a threshold needs shamir-v1, bls-prf-v1 or bls-reveal-v1",
        ),
        (
            Ok(
                derivation
                @ (Derivation::ShamirV1 | Derivation::BlsPrfV1 | Derivation::BlsRevealV1),
            ),
            Some(Rule::Unanimous),
        ) => Err(value.note(format_args!(
            "{derivation} contradicts the rule: it is for a threshold; unanimous needs hkdf-v1"
        ))),
        (Ok(published), _) => Err(value.note(format_args!(
            "{published} takes no salt, so the manifest would not be bound to the key"
        ))),
        (Err(_), _) => Err(value.note(format_args!(
            "a derivation is hkdf-v1, shamir-v1, bls-prf-v1 or bls-reveal-v1 in a manifest, not {}",
            Shown(label)
        ))),
    }
}

/// What a group's key was dealt with, and where it stands.
struct Commitments<'d> {
    keys: Vec<PublicKey>,
    value: Value<'d>,
}

impl<'d> Commitments<'d> {
    fn read(value: Value<'d>) -> Result<Self, Noted> {
        let keys = value.some(Value::parsed::<PublicKey>)?;
        Ok(Commitments { keys, value })
    }
}

/// What participants do with their shares of a group's key.
enum OfGroup {
    Sign,
    Reveal,
}

impl OfGroup {
    fn of(derivation: Derivation) -> Option<OfGroup> {
        match derivation {
            Derivation::BlsPrfV1 => Some(OfGroup::Sign),
            Derivation::BlsRevealV1 => Some(OfGroup::Reveal),
            _ => None,
        }
    }
}

/// What the network's participants contribute.
fn kind(
    rule: Rule,
    label: Option<Label<'_>>,
    commitments: Option<Commitments<'_>>,
    names: Vec<Participant>,
    manifest: &ManifestDigest,
) -> Result<Kind, Noted> {
    let label = label.and_then(|label| Some((OfGroup::of(label.derivation)?, label)));
    let (threshold, (of_group, _), Commitments { keys, value }) = match (rule, label, commitments) {
        (Rule::Unanimous, None, None) => return Ok(Kind::Share),
        (Rule::Threshold(_), None, None) => return Ok(Kind::Shamir),
        (_, None, Some(commitments)) => {
            let why = "commitments are for the derivations bls-prf-v1 and bls-reveal-v1, neither of which stands here";
            return Err(commitments.value.note(why));
        }
        (Rule::Threshold(threshold), Some(label), Some(commitments)) => {
            (threshold, label, commitments)
        }
        (_, Some((_, Label { derivation, value })), _) => {
            return Err(value.note(format_args!(
                "{derivation} needs 'commitments': they come from the making of the shares"
            )));
        }
    };
    if keys.len() != threshold.get() {
        return Err(value.note(format_args!(
            "{} commitments; there are as many as the threshold, {}",
            keys.len(),
            threshold.get()
        )));
    }
    let count = u8::try_from(names.len()).expect("at most 255");
    let group = Group::new(keys, count).map_err(|error| value.note(error))?;
    let holders = Holders::new(group, names);
    Ok(match of_group {
        OfGroup::Sign => Kind::Consent(Arc::new(Signers::new(holders, manifest))),
        OfGroup::Reveal => Kind::Reveal(Arc::new(holders)),
    })
}

/// Values of which each may stand once.
struct Distinct<T>(BTreeMap<T, usize>);

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Distinct(BTreeMap::new())
    }
}

impl<T: Ord + Clone> Distinct<T> {
    /// `what` is what the values are called.
    fn admit(&mut self, value: Value<'_>, what: &str, item: T) -> Result<T, Noted> {
        match self.0.get(&item) {
            Some(line) => Err(value.note(format_args!(
                "the same {what} already stands in line {line}"
            ))),
            None => {
                self.0.insert(item.clone(), value.line());
                Ok(item)
            }
        }
    }

    fn parsed(&mut self, value: Value<'_>, what: &str) -> Result<T, Noted>
    where
        T: FromStr<Err: Display>,
    {
        self.admit(value, what, value.parsed()?)
    }
}

#[cfg(test)]
mod tests;
