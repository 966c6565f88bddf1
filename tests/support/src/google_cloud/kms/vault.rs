//! The keys by their names.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::algorithm::{Algorithm, Protection};
use super::material::{Material, SymmetricKey};
use crate::google_cloud::iam::Iam;
use crate::google_cloud::wire::Refusal;

/// What may be done with a version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Enabled,
    Disabled,
    Destroyed,
}

impl State {
    pub(in crate::google_cloud) fn name(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
            Self::Destroyed => "DESTROYED",
        }
    }
}

/// A version of an asymmetric key.
#[derive(Clone)]
pub(super) struct Version {
    pub(super) algorithm: Algorithm,
    pub(super) protection: Protection,
    pub(super) material: Arc<Material>,
    state: State,
}

/// A key by its kind: a name is of one only.
enum Key {
    Asymmetric(Vec<Version>),
    Symmetric(SymmetricKey, Protection, State),
}

pub(super) struct Vault {
    iam: Arc<Iam>,
    /// By their names with projects' numbers.
    keys: Mutex<HashMap<String, Key>>,
}

impl Vault {
    pub(super) fn new(iam: Arc<Iam>) -> Self {
        Self {
            iam,
            keys: Mutex::default(),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<String, Key>) -> T) -> T {
        act(&mut self.keys.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn add(
        &self,
        key: &str,
        algorithm: Algorithm,
        protection: Protection,
        material: Material,
    ) -> String {
        assert!(is_key(key), "{key} is no name of a key");
        let version = Version {
            algorithm,
            protection,
            material: Arc::new(material),
            state: State::Enabled,
        };
        let number = self.with(|keys| {
            let entry = keys.entry(self.iam.canonical(key));
            match entry.or_insert(Key::Asymmetric(Vec::new())) {
                Key::Asymmetric(versions) => {
                    versions.push(version);
                    Some(versions.len())
                }
                Key::Symmetric(..) => None,
            }
        });
        let number = number.unwrap_or_else(|| panic!("{key} is a symmetric key"));
        format!("{key}/cryptoKeyVersions/{number}")
    }

    pub(super) fn add_symmetric(&self, key: &str, protection: Protection) {
        assert!(is_key(key), "{key} is no name of a key");
        let name = self.iam.canonical(key);
        let made = Key::Symmetric(SymmetricKey::generate(), protection, State::Enabled);
        let before = self.with(|keys| keys.insert(name, made));
        assert!(before.is_none(), "there is a key {key} already");
    }

    pub(super) fn set_state(&self, version: &str, state: State) {
        let name = self.iam.canonical(version);
        let found = self.with(|keys| {
            let (key, number) = split(&name)?;
            match keys.get_mut(key)? {
                Key::Asymmetric(versions) => {
                    versions.get_mut(number.checked_sub(1)?)?.state = state
                }
                Key::Symmetric(_, _, of_primary) if number == 1 => *of_primary = state,
                Key::Symmetric(..) => return None,
            }
            Some(())
        });
        assert!(found.is_some(), "there is no version {version}");
    }

    /// A version that can be used.
    pub(super) fn version(&self, name: &str) -> Result<Version, Refusal> {
        let canonical = self.iam.canonical(name);
        let version = self.with(|keys| {
            let (key, number) = split(&canonical)?;
            match keys.get(key)? {
                Key::Asymmetric(versions) => {
                    versions.get(number.checked_sub(1)?).cloned().map(Some)
                }
                Key::Symmetric(..) => (number == 1).then_some(None),
            }
        });
        let version = version
            .ok_or_else(|| Refusal::not_found(format!("CryptoKeyVersion {name} not found.")))?
            .ok_or_else(|| wrong_purpose(name, "ENCRYPT_DECRYPT"))?;
        is_enabled(name, version.state)?;
        Ok(version)
    }

    /// The primary version of a symmetric key, if it can be used.
    pub(super) fn primary(&self, name: &str) -> Result<(SymmetricKey, Protection), Refusal> {
        let canonical = self.iam.canonical(name);
        let key = self.with(|keys| match keys.get(&canonical)? {
            Key::Asymmetric(_) => Some(None),
            Key::Symmetric(key, protection, state) => {
                Some(Some((key.clone(), *protection, *state)))
            }
        });
        let (key, protection, state) = key
            .ok_or_else(|| Refusal::not_found(format!("CryptoKey {name} not found.")))?
            .ok_or_else(|| wrong_purpose(name, "asymmetric"))?;
        is_enabled(&format!("{name}/cryptoKeyVersions/1"), state)?;
        Ok((key, protection))
    }
}

fn is_enabled(version: &str, state: State) -> Result<(), Refusal> {
    if state == State::Enabled {
        return Ok(());
    }
    Err(not_enabled(version, state))
}

pub(super) fn not_enabled(version: &str, state: State) -> Refusal {
    Refusal::precondition(format!(
        "{version} is not enabled, current state is: {}.",
        state.name()
    ))
}

pub(super) fn wrong_purpose(name: &str, purpose: &str) -> Refusal {
    Refusal::precondition(format!(
        "The operation does not fit {name}, whose purpose is: {purpose}."
    ))
}

/// A key's name and a version's number. A number has one form.
fn split(version: &str) -> Option<(&str, usize)> {
    let (key, number) = version.rsplit_once("/cryptoKeyVersions/")?;
    let parsed: usize = number.parse().ok()?;
    (parsed.to_string() == number).then_some((key, parsed))
}

/// Whether it is `projects/*/locations/*/keyRings/*/cryptoKeys/*`.
pub(super) fn is_key(name: &str) -> bool {
    let parts: Vec<_> = name.split('/').collect();
    let [projects, _, locations, _, rings, _, keys, _] = parts.as_slice() else {
        return false;
    };
    [*projects, *locations, *rings, *keys] == ["projects", "locations", "keyRings", "cryptoKeys"]
        && !parts.contains(&"")
}

/// Whether it is a key's name and `/cryptoKeyVersions/*`.
pub(super) fn is_version(name: &str) -> bool {
    name.rsplit_once("/cryptoKeyVersions/")
        .is_some_and(|(key, number)| is_key(key) && !number.is_empty() && !number.contains('/'))
}
