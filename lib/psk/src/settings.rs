//! The settings of a key, which are the same for every program that uses one.

use std::fmt;
use std::str::FromStr;

use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_secret::Psk;
use mcbn_share::{
    ClaimedPlan, Derivation, ManifestDigest, NoKey, NoPlan, NotClaimed, Participant, Plan, Source,
    Threshold,
};

use crate::{Identity, Versions};

pub const SHARE: Setting = Setting::value(
    "share",
    "NAME=file:PATH|NAME=fd:N",
    "where a participant's share is read from, once, at the start; never the share itself",
)
.repeat()
.required()
.operator();

pub const DERIVATION: Setting = Setting::value(
    "derivation",
    "LABEL",
    "how shares become the key: hkdf-v1, sha256-concat-hex, hmac-chain-hex, xor-sha256 or shamir-v1",
)
.default("hkdf-v1")
.operator();

pub const THRESHOLD: Setting = Setting::value(
    "threshold",
    "T",
    "how many shares give the key; for shamir-v1 only",
)
.operator();

pub const MANIFEST_DIGEST: Setting = Setting::value(
    "manifest-digest",
    "HEX",
    "SHA-256 of the consent manifest: salts the key, so that another manifest means another key",
)
.operator();

pub const IDENTITY: Setting = Setting::value(
    "identity",
    "NAME",
    "the PSK identity: the name of the key on the wire, compared exactly, and part of hkdf-v1",
)
.default("Client1")
.operator();

pub const TLS12: Setting = Setting::switch(
    "tls12",
    "also speak TLS 1.2 with ECDHE-PSK, for peers that have no TLS 1.3",
);

/// All that the settings say about the key and the handshake.
#[derive(Clone, Debug)]
pub struct KeyConfig {
    plan: ClaimedPlan,
    manifest: Option<ManifestDigest>,
    identity: Identity,
    versions: Versions,
}

impl KeyConfig {
    /// Also takes the inherited descriptors, so this comes before the program opens anything itself.
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let plan = read_plan(given);
        let manifest = given.optional::<Digest>(&MANIFEST_DIGEST);
        let identity = given.one(&IDENTITY);
        let versions = match given.on(&TLS12) {
            true => Versions::Tls12And13,
            false => Versions::Tls13,
        };
        Ok(Self {
            plan: plan?,
            manifest: manifest?.map(|digest| digest.0),
            identity: identity?,
            versions,
        })
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    pub fn versions(&self) -> Versions {
        self.versions
    }

    /// Whose share is read from standard input, which then has nothing else to give.
    pub fn of_standard_input(&self) -> Option<&Participant> {
        self.plan.of_standard_input()
    }

    /// Reads the shares and makes the key. Waits while a pipe's writer is at work, and holds up nothing else.
    pub async fn make(&self) -> Result<Psk, KeyError> {
        let this = self.clone();
        match tokio::task::spawn_blocking(move || this.make_now()).await {
            Ok(made) => made,
            // It cannot be cancelled once it runs: this is a panic on its way.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    fn make_now(&self) -> Result<Psk, KeyError> {
        let shares = self.plan.read().map_err(KeyError)?;
        let combined = shares.combine(self.manifest.as_ref());
        let combined = combined.map_err(|refused| KeyError(refused.into()))?;
        let key = combined.tls_psk(self.identity.as_str().as_bytes());
        Ok(key.expect("an identity is shorter than a context may be"))
    }
}

fn read_plan(given: &mut Given) -> Result<ClaimedPlan, Reported> {
    let sources = given.all::<Source>(&SHARE);
    let derivation = given.one::<Derivation>(&DERIVATION);
    let threshold = given.optional::<Threshold>(&THRESHOLD);
    let plan = Plan::new(derivation?, threshold?, sources?).map_err(|fault| {
        let settings: &[&Setting] = match fault {
            NoPlan::TooFew { .. }
            | NoPlan::TooMany
            | NoPlan::NamedTwice(_)
            | NoPlan::OnePlaceForTwo(_) => &[&SHARE],
            NoPlan::NoThreshold | NoPlan::ThresholdForAll(_) => &[&DERIVATION, &THRESHOLD],
        };
        given.refuse(settings, fault)
    })?;
    plan.claim().map_err(|refused| {
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
    match std::error::Error::source(fault) {
        Some(source) => given.refuse(&[&SHARE], format_args!("{fault}: {source}")),
        None => given.refuse(&[&SHARE], fault),
    }
}

/// There is no key: a share is missing or refused.
#[derive(Debug)]
pub struct KeyError(NoKey);

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.0)
    }
}

impl Failure for KeyError {
    fn exit(&self) -> Exit {
        match &self.0 {
            NoKey::Unreadable(error) if error.is_about_permission() => Exit::Refused,
            NoKey::Unreadable(_) => Exit::Io,
            NoKey::Refused(_) => Exit::Refused,
        }
    }

    fn hint(&self) -> Option<String> {
        self.0.hint().map(str::to_owned)
    }
}

struct Digest(ManifestDigest);

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let mut bytes = [0; 32];
        match base16ct::lower::decode(text, &mut bytes) {
            Ok(all) if all.len() == 32 => Ok(Self(ManifestDigest(bytes))),
            _ => Err(NotADigest),
        }
    }
}

#[derive(Debug)]
struct NotADigest;

impl fmt::Display for NotADigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not 64 lower-case hex digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_of_another_form_is_refused() {
        let good = "0123456789abcdef".repeat(4);
        assert!(good.parse::<Digest>().is_ok());
        for bad in [
            "",
            &good[1..],
            &good[2..],
            &good.to_uppercase(),
            &format!("{good}00"),
            &format!("sha256:{good}"),
            &good.replace('0', "g"),
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
}
