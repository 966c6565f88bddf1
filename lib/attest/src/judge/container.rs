//! The demands on what the machine runs, and how it was started.
//!
//! Arguments and variables come from the image, which its digest fixes, and from whoever starts the machine: what that
//! one gave is `cmd_override` and `env_override`, and there must be none but what the manifest lists.

use super::{ANYTHING, Case, Held, NOTHING, all_shown, listed, shown};
use crate::claims::Container;
use mcbn_manifest::KeyId;
use mcbn_manifest::policy::{Container as Demands, RestartPolicy};
use std::collections::{BTreeMap, BTreeSet};

/// The launcher adds this variable, with the machine's name: who starts the machine chooses it.
const HOSTNAME: &str = "HOSTNAME";

/// Said of demands that hang on a part that the image does not play.
const NO_PART: &str = "(unknown: the image plays no part)";

impl Case<'_> {
    fn container(&self) -> Option<&Container> {
        self.claims.container.as_ref()
    }

    pub fn image_digest(&self) -> Held {
        let images = self.manifest.workloads().iter().flat_map(|workload| {
            let name = &workload.name;
            workload
                .images
                .iter()
                .map(move |image| format!("{image} ({name})"))
        });
        let found = self.container().and_then(|c| c.image_digest.as_deref());
        Held::when(self.workload.is_some(), listed(images), shown(found))
    }

    /// Holds what was found in the container against what the workload demands.
    fn held(&self, found: String, hold: impl FnOnce(&Container, &Demands, String) -> Held) -> Held {
        match (self.container(), self.workload) {
            (Some(container), Some(workload)) => hold(container, &workload.container, found),
            _ => Held::not_judged(NO_PART, found),
        }
    }

    pub fn cmd_override(&self) -> Held {
        let found = self.container().map(|c| c.cmd_override.as_slice());
        self.held(arguments(found), |container, demands, found| {
            let demanded = &demands.cmd_override;
            let holds = container.cmd_override == *demanded;
            Held::when(holds, arguments(Some(demanded)), found)
        })
    }

    pub fn env_override(&self) -> Held {
        let found = self.container().map(|c| &c.env_override);
        self.held(variables(found), |container, demands, found| {
            let demanded = &demands.env_override;
            let given = container.env_override.iter();
            let holds = given.filter(|given| !self.is_manifest(given)).eq(demanded);
            Held::when(holds, variables(Some(demanded)), found)
        })
    }

    /// The manifest cannot list its own text. It needs no listing: its digest says that it is this one.
    fn is_manifest(&self, (name, value): &(&String, &String)) -> bool {
        self.manifest.is_carried_by(name, value)
    }

    pub fn args(&self) -> Held {
        let found = self.container().and_then(|c| c.args.as_deref());
        self.held(arguments(found), |container, demands, found| {
            let Some(demanded) = &demands.args else {
                return Held::not_judged(ANYTHING, found);
            };
            let holds = container.args.as_ref() == Some(demanded);
            Held::when(holds, arguments(Some(demanded)), found)
        })
    }

    pub fn env(&self) -> Held {
        let found = self.container().and_then(|c| c.env.as_ref());
        self.held(variables(found), |container, demands, found| {
            let Some(demanded) = &demands.env else {
                return Held::not_judged(ANYTHING, found);
            };
            let holds = container.env.as_ref().is_some_and(|env| {
                let added = |name: &str| name == HOSTNAME && !demanded.contains_key(HOSTNAME);
                env.iter()
                    .filter(|given| !added(given.0) && !self.is_manifest(given))
                    .eq(demanded)
            });
            Held::when(holds, variables(Some(demanded)), found)
        })
    }

    pub fn restart_policy(&self) -> Held {
        let found = self.container().and_then(|c| c.restart_policy.as_deref());
        let Some(demanded) = &self.manifest.policy().restart_policy else {
            return Held::not_judged(ANYTHING, shown(found));
        };
        let policy: Option<RestartPolicy> = found.and_then(|name| name.parse().ok());
        let holds = policy.is_some_and(|policy| demanded.contains(&policy));
        Held::when(holds, listed(demanded), shown(found))
    }

    /// The signatures themselves are not in a form to verify here: the issuer did that, and a key's id in the token is
    /// its word for it. Which signatures it looked for is the operator's choice, so one may be missing; none is there
    /// that does not verify. What is counted are distinct keys: a key counts once, however often it signed.
    pub fn signatures(&self) -> Held {
        let signatures = self.container().map(|c| c.image_signatures.as_slice());
        let ids = signatures.unwrap_or_default().iter();
        let found: Vec<String> = ids
            .filter_map(|signature| signature.key_id.clone())
            .collect();
        let Some(demanded) = &self.manifest.policy().signatures else {
            return Held::not_judged(ANYTHING, all_shown(&found));
        };
        let vouching: BTreeSet<KeyId> = found
            .iter()
            .filter_map(|id| id.parse().ok())
            .filter(|id| demanded.keys.contains(id))
            .collect();
        let holds = vouching.len() >= usize::from(demanded.threshold.get());
        let demanded = format!("{} of {}", demanded.threshold, listed(&demanded.keys));
        Held::when(holds, demanded, all_shown(&found))
    }
}

fn arguments(list: Option<&[String]>) -> String {
    match list {
        None => NOTHING.into(),
        Some([]) => "none".into(),
        Some(some) => format!("[{}]", listed(some.iter().map(|text| quoted(text)))),
    }
}

fn variables(map: Option<&BTreeMap<String, String>>) -> String {
    match map {
        None => NOTHING.into(),
        Some(map) if map.is_empty() => "none".into(),
        Some(map) => {
            let pair =
                |(name, value): (&String, &String)| format!("{}={}", quoted(name), quoted(value));
            format!("[{}]", listed(map.iter().map(pair)))
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_default())
}
