//! `[attestation]`: the demands on the machine. What is not written is demanded in its strictest form.

use super::Distinct;
use super::value::{Table, Value};
use crate::KeyId;
use crate::mistake::{Noted, Shown};
use crate::policy::{
    Hardware, Policy, RestartPolicy, Signatures, Software, Support, TokenKind, Unknown,
};
use std::fmt::Display;
use std::num::NonZeroU8;
use std::str::FromStr;

pub(super) fn policy(table: &mut Table<'_>) -> Result<Policy, Noted> {
    let token = table.optional("token", |value| one_of(value, TokenKind::ALL));
    let software = table.optional("software", |value| each(value, software));
    let debug = table.never(
        "debug",
        "there is no key 'debug': debug images are refused, unless 'insecure-debug' is true",
    );
    let insecure_debug = table.optional("insecure-debug", Value::boolean);
    let support = table.required("support", |value| {
        each(value, |item| one_of(item, Support::ALL))
    });
    let hardware = table.required("hardware", |value| each(value, hardware));
    let insecure_no_secure_boot = table.optional("insecure-no-secure-boot", Value::boolean);
    let secure_boot = table.optional("secure-boot", |value| {
        secure_boot(
            value,
            insecure_no_secure_boot.as_ref().ok().copied().flatten(),
        )
    });
    let minimum_swversion = table.optional("minimum-swversion", |value| value.number(1, u64::MAX));
    let projects = table.optional("projects", |value| each(value, label));
    let zones = table.optional("zones", |value| each(value, label));
    let service_accounts = table.optional("service-accounts", |value| each(value, label));
    let restart_policy = table.optional("restart-policy", |value| {
        each(value, |item| one_of(item, RestartPolicy::ALL))
    });
    let memory_monitoring = table.optional("memory-monitoring", Value::boolean);
    let signatures = table.optional("signatures", |value| value.table(signatures));
    debug?;
    secure_boot?;
    Ok(Policy {
        token: token?.unwrap_or(TokenKind::Oidc),
        software: software?.unwrap_or_else(|| vec![Software::ConfidentialSpace]),
        insecure_debug: insecure_debug?.unwrap_or(false),
        support: support?,
        hardware: hardware?,
        insecure_no_secure_boot: insecure_no_secure_boot?.unwrap_or(false),
        minimum_swversion: minimum_swversion?,
        projects: projects?,
        zones: zones?,
        service_accounts: service_accounts?,
        restart_policy: restart_policy?,
        memory_monitoring: memory_monitoring?,
        signatures: signatures?,
    })
}

/// A list that has an item, and none twice.
fn each<T: Ord + Clone>(
    value: Value<'_>,
    read: impl Fn(Value<'_>) -> Result<T, Noted>,
) -> Result<Vec<T>, Noted> {
    let mut seen = Distinct::default();
    value.some(|item| seen.admit(item, "value", read(item)?))
}

/// `all` is what the message names.
fn one_of<T>(value: Value<'_>, all: &[T]) -> Result<T, Noted>
where
    T: FromStr<Err = Unknown> + Display,
{
    let text = value.text()?;
    text.parse().map_err(|Unknown| {
        let all: Vec<_> = all.iter().map(T::to_string).collect();
        value.note(format_args!(
            "{} is none of {}",
            Shown(text),
            all.join(", ")
        ))
    })
}

fn software(value: Value<'_>) -> Result<Software, Noted> {
    match one_of(value, &[Software::ConfidentialSpace])? {
        Software::Gce => {
            Err(value.note("GCE is any machine; its tokens tell nothing of a container"))
        }
        software => Ok(software),
    }
}

const CONFIDENTIAL: &[Hardware] = &[
    Hardware::AmdSev,
    Hardware::AmdSevEs,
    Hardware::AmdSevSnp,
    Hardware::IntelTdx,
];

fn hardware(value: Value<'_>) -> Result<Hardware, Noted> {
    // Written as in a token, which has two spellings of one model.
    if let Some(hardware) = Hardware::from_claim(value.text()?) {
        return match hardware {
            Hardware::ShieldedVm => Err(value
                .note("GCP_SHIELDED_VM does not encrypt memory: its host could read every share")),
            hardware => Ok(hardware),
        };
    }
    one_of(value, CONFIDENTIAL)
}

fn secure_boot(value: Value<'_>, insecure: Option<bool>) -> Result<(), Noted> {
    match (value.boolean()?, insecure) {
        (false, _) => {
            Err(value
                .note("secure boot is always demanded, unless 'insecure-no-secure-boot' is true"))
        }
        (true, Some(true)) => {
            Err(value.note("'secure-boot' contradicts 'insecure-no-secure-boot'"))
        }
        (true, _) => Ok(()),
    }
}

/// What Google Cloud calls things: ids, places, accounts.
fn label(value: Value<'_>) -> Result<String, Noted> {
    let text = value.text()?;
    match (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
        true => Ok(text.into()),
        false => Err(value.note(format_args!(
            "1 to 255 printable ASCII characters without spaces are expected, not {}",
            Shown(text)
        ))),
    }
}

fn signatures(table: &mut Table<'_>) -> Result<Signatures, Noted> {
    let keys = table.required("keys", |value| {
        let mut seen = Distinct::<KeyId>::default();
        value.some(|item| seen.parsed(item, "key"))
    });
    let threshold = table.required("threshold", |value| {
        let threshold = value.number(1, u64::from(u8::MAX))?;
        match &keys {
            Ok(keys) if threshold > keys.len() as u64 => Err(value.note(format_args!(
                "a threshold of {threshold} cannot be reached by {} key{}",
                keys.len(),
                if keys.len() == 1 { "" } else { "s" },
            ))),
            _ => Ok(threshold),
        }
    });
    let threshold = u8::try_from(threshold?).expect("at most 255");
    Ok(Signatures {
        threshold: NonZeroU8::new(threshold).expect("at least 1"),
        keys: keys?.into_iter().collect(),
    })
}
