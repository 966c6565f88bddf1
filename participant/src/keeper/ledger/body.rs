//! An entry as its bytes stand in the ledger: one JSON object, fields in one order, absent where they say nothing.

use super::entry::{By, Entry, Event, Finding, Kind, Time};
use super::instance::{Instance, InstanceId, LeaseId};
use mcbn_consent::message::{Code, Reason};
use mcbn_manifest::{ImageDigest, Pin};
use mcbn_share::{ManifestDigest, Participant};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::Display;
use std::str::FromStr;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    time: Time,
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance: Option<InstanceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease: Option<LeaseId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<Code>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reasons: Option<Vec<Reason>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    participant: Option<Text<Participant>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<Text<Pin>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    manifest: Option<Text<Hex>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workload: Option<Text<mcbn_manifest::Name>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<Text<ImageDigest>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<Finding>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<By>,
}

impl Entry {
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&Body::of(self)).expect("its fields are texts and numbers")
    }

    /// None unless these are the very bytes that the entry is written in.
    pub fn from_bytes(bytes: &[u8]) -> Option<Entry> {
        let body: Body = serde_json::from_slice(bytes).ok()?;
        let entry = body.into_entry()?;
        (entry.to_bytes() == bytes).then_some(entry)
    }
}

impl Body {
    fn empty(time: Time, kind: Kind) -> Body {
        Body {
            time,
            kind,
            instance: None,
            lease: None,
            until: None,
            refused: None,
            reasons: None,
            count: None,
            since: None,
            participant: None,
            pin: None,
            manifest: None,
            workload: None,
            image: None,
            subject: None,
            findings: None,
            by: None,
        }
    }

    fn of(Entry { time, event }: &Entry) -> Body {
        let empty = Body::empty(*time, event.kind());
        match event.clone() {
            Event::Started {
                participant,
                pin,
                manifest,
            } => Body {
                participant: Some(Text(participant)),
                pin: Some(Text(pin)),
                manifest: Some(Text(Hex(manifest))),
                ..empty
            },
            Event::Refused {
                code,
                reasons,
                subject,
                image,
                findings,
            } => Body {
                refused: Some(code),
                reasons: Some(reasons),
                subject,
                image: image.map(Text),
                findings: Some(findings),
                ..empty
            },
            Event::Counted {
                code,
                reasons,
                count,
                since,
            } => Body {
                refused: Some(code),
                reasons: Some(reasons),
                count: Some(count),
                since: Some(since),
                ..empty
            },
            Event::Pending { instance, findings } => Body {
                findings: Some(findings),
                ..empty.with(instance)
            },
            Event::Released {
                instance,
                lease,
                until,
                findings,
            } => Body {
                lease: Some(lease),
                until: Some(until),
                findings: Some(findings),
                ..empty.with(instance)
            },
            Event::Renewed {
                instance,
                lease,
                until,
            } => Body {
                instance: Some(instance),
                lease: Some(lease),
                until: Some(until),
                ..empty
            },
            Event::Approved { instance, by }
            | Event::Denied { instance, by }
            | Event::Revoked { instance, by } => Body {
                instance: Some(instance),
                by: Some(by),
                ..empty
            },
            Event::Withdrawn { by } | Event::Restored { by } => Body {
                by: Some(by),
                ..empty
            },
        }
    }

    fn with(self, instance: Instance) -> Body {
        Body {
            instance: Some(instance.id()),
            manifest: Some(Text(Hex(instance.manifest))),
            workload: Some(Text(instance.workload)),
            image: Some(Text(instance.image)),
            subject: Some(instance.subject),
            ..self
        }
    }

    /// Fields that do not belong to the kind are lost here: writing the entry again shows it.
    fn into_entry(self) -> Option<Entry> {
        let time = self.time;
        let event = match self.kind {
            Kind::Started => Event::Started {
                participant: self.participant?.0,
                pin: self.pin?.0,
                manifest: self.manifest?.0.0,
            },
            Kind::Refused => Event::Refused {
                code: self.refused?,
                reasons: self.reasons?,
                subject: self.subject,
                image: self.image.map(|image| image.0),
                findings: self.findings?,
            },
            Kind::Counted => Event::Counted {
                code: self.refused?,
                reasons: self.reasons?,
                count: self.count?,
                since: self.since?,
            },
            Kind::Pending => Event::Pending {
                findings: self.findings.clone()?,
                instance: self.into_instance()?,
            },
            Kind::Released => Event::Released {
                lease: self.lease?,
                until: self.until?,
                findings: self.findings.clone()?,
                instance: self.into_instance()?,
            },
            Kind::Renewed => Event::Renewed {
                instance: self.instance?,
                lease: self.lease?,
                until: self.until?,
            },
            Kind::Approved => Event::Approved {
                instance: self.instance?,
                by: self.by?,
            },
            Kind::Denied => Event::Denied {
                instance: self.instance?,
                by: self.by?,
            },
            Kind::Revoked => Event::Revoked {
                instance: self.instance?,
                by: self.by?,
            },
            Kind::Withdrawn => Event::Withdrawn { by: self.by? },
            Kind::Restored => Event::Restored { by: self.by? },
        };
        Some(Entry { time, event })
    }

    fn into_instance(self) -> Option<Instance> {
        Some(Instance {
            manifest: self.manifest?.0.0,
            subject: self.subject?,
            image: self.image?.0,
            workload: self.workload?.0,
        })
    }
}

/// As it is displayed.
struct Text<T>(T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Text<T>, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map(Text).map_err(D::Error::custom)
    }
}

/// A manifest's digest, as `sha256sum` writes it.
pub struct Hex(pub ManifestDigest);

impl Display for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.0.0))
    }
}

impl FromStr for Hex {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Hex, &'static str> {
        let mut bytes = [0; 32];
        match base16ct::lower::decode(text, &mut bytes) {
            Ok(all) if all.len() == 32 => Ok(Hex(ManifestDigest(bytes))),
            _ => Err("not 64 lower-case hex digits"),
        }
    }
}
