//! The demands on the machine: what it is, what it booted, where it stands and for whom it acts.

use super::{ANYTHING, Case, Held, NOTHING, all_shown, listed, shown};
use mcbn_manifest::policy::{Hardware, Policy, Software, Support};

const DEBUG_OFF: &str = "disabled-since-boot";
/// Both spellings are published.
const DEBUG_ON: [&str; 2] = ["enabled", "enable"];

impl Case<'_> {
    fn policy(&self) -> &Policy {
        self.manifest.policy()
    }

    fn is_debug_image(&self) -> bool {
        let dbgstat = self.claims.dbgstat.as_deref();
        dbgstat.is_some_and(|dbgstat| DEBUG_ON.contains(&dbgstat))
    }

    pub fn debug(&self) -> Held {
        let dbgstat = self.claims.dbgstat.as_deref();
        let is_off = dbgstat == Some(DEBUG_OFF);
        match self.policy().insecure_debug {
            true => Held::when(
                is_off || self.is_debug_image(),
                format_args!("{DEBUG_OFF} or {} (insecure)", DEBUG_ON[0]),
                shown(dbgstat),
            ),
            false => Held::when(is_off, DEBUG_OFF, shown(dbgstat)),
        }
    }

    pub fn software(&self) -> Held {
        let demanded = &self.policy().software;
        let found = self.claims.swname.as_deref();
        let software: Option<Software> = found.and_then(|name| name.parse().ok());
        let holds = software.is_some_and(|software| demanded.contains(&software));
        Held::when(holds, listed(demanded), shown(found))
    }

    pub fn support(&self) -> Held {
        let demanded = &self.policy().support;
        let found = &self.claims.confidential_space.support_attributes;
        // No debug image is supported; a manifest that accepts one cannot mean this.
        if self.policy().insecure_debug && self.is_debug_image() {
            return Held::not_judged("(anything, of a debug image)", all_shown(found));
        }
        let holds = found
            .iter()
            .filter_map(|attribute| attribute.parse::<Support>().ok())
            .any(|attribute| demanded.contains(&attribute));
        let demanded = format!("any of {}", listed(demanded));
        Held::when(holds, demanded, all_shown(found))
    }

    pub fn hardware(&self) -> Held {
        let demanded = &self.policy().hardware;
        let found = self.claims.hwmodel.as_deref();
        let holds = found
            .and_then(Hardware::from_claim)
            .is_some_and(|model| demanded.contains(&model));
        Held::when(holds, listed(demanded), shown(found))
    }

    pub fn secure_boot(&self) -> Held {
        let found = self.claims.secboot;
        let shown = found.map_or(NOTHING, |on| if on { "on" } else { "off" });
        match self.policy().insecure_no_secure_boot {
            true => Held::not_judged("(anything, insecure)", shown.into()),
            false => Held::when(found == Some(true), "on", shown.into()),
        }
    }

    /// Of several versions the oldest counts.
    pub fn swversion(&self) -> Held {
        let found = &self.claims.swversion;
        let Some(minimum) = self.policy().minimum_swversion else {
            return Held::not_judged(ANYTHING, all_shown(found));
        };
        let is_recent = |version: &String| number(version).is_some_and(|n| n >= minimum);
        let holds = !found.is_empty() && found.iter().all(is_recent);
        let demanded = format_args!("at least {minimum}");
        Held::when(holds, demanded, all_shown(found))
    }

    pub fn project(&self) -> Held {
        let found = self.claims.gce.project_id.as_deref();
        named_in(self.policy().projects.as_deref(), found)
    }

    pub fn zone(&self) -> Held {
        let found = self.claims.gce.zone.as_deref();
        named_in(self.policy().zones.as_deref(), found)
    }

    pub fn service_accounts(&self) -> Held {
        let found = &self.claims.google_service_accounts;
        let Some(demanded) = &self.policy().service_accounts else {
            return Held::not_judged(ANYTHING, all_shown(found));
        };
        let holds = !found.is_empty() && found.iter().all(|account| demanded.contains(account));
        let demanded = format!("none but {}", listed(demanded));
        Held::when(holds, demanded, all_shown(found))
    }

    pub fn monitoring(&self) -> Held {
        let word = |on| if on { "memory" } else { "no memory" };
        let found = self.claims.confidential_space.monitoring_memory;
        let shown = found.map_or(NOTHING, word).into();
        match self.policy().memory_monitoring {
            None => Held::not_judged(ANYTHING, shown),
            Some(demanded) => Held::when(found == Some(demanded), word(demanded), shown),
        }
    }
}

fn named_in(demanded: Option<&[String]>, found: Option<&str>) -> Held {
    let Some(demanded) = demanded else {
        return Held::not_judged(ANYTHING, shown(found));
    };
    let holds = found.is_some_and(|found| demanded.iter().any(|name| name == found));
    Held::when(holds, listed(demanded), shown(found))
}

/// Digits only: a sign is another spelling.
fn number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}
