//! The bill of materials of one image: CycloneDX 1.6, JSON.
//!
//! CycloneDX and not SPDX, because SPDX requires the time of creation. Here the same inputs give
//! the same bytes, so the bill can be compared like everything else. `serialNumber` and
//! `timestamp` are left out: both are optional, and the digest of the bill is its identity.
//!
//! The list of crates comes from the build's own graph (what was linked), checksums come from
//! Cargo.lock; a crate that is in the one and not in the other is refused.
//!
//! [CycloneDX 1.6](https://cyclonedx.org/docs/1.6/json/)

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::settings::Settings;

pub const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";

/// What was linked, as the build wrote it down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linked {
    pub crates: BTreeSet<Crate>,
    pub sources: Vec<Source>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crate {
    pub name: String,
    pub version: String,
}

impl fmt::Display for Crate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// Something linked that is no crate of Cargo.lock: a C library, the compiler's own libraries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub name: String,
    pub version: String,
    /// An SPDX expression.
    pub license: String,
    pub purl: String,
    /// The name that vulnerability databases know it by, where they know it.
    pub cpe: Option<String>,
    /// Of the archive that it was built from or taken from, 64 hex digits.
    pub sha256: Option<String>,
}

#[derive(Debug)]
pub enum Unusable {
    Linked(serde_json::Error),
    LockVersion(Option<String>),
    NotLocked(Crate),
    Repeated(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linked(error) => write!(f, "not a list of what was linked: {error}"),
            Self::LockVersion(None) => f.write_str("Cargo.lock does not name its version"),
            Self::LockVersion(Some(v)) => write!(f, "Cargo.lock is of version {v}, 4 is known"),
            Self::NotLocked(krate) => write!(f, "{krate} was linked, but Cargo.lock lacks it"),
            Self::Repeated(purl) => write!(f, "{purl} is listed twice"),
        }
    }
}

impl std::error::Error for Unusable {}

impl Linked {
    pub fn parse(json: &[u8]) -> Result<Self, Unusable> {
        serde_json::from_slice(json).map_err(Unusable::Linked)
    }
}

/// Cargo.lock, as far as a bill needs it: each package with its checksum, which packages of the
/// workspace itself lack.
pub struct CargoLock(BTreeMap<Crate, Option<String>>);

impl CargoLock {
    /// Cargo writes one `key = "value"` a line, so that a TOML parser is not needed; the format's
    /// version says whether that still holds.
    pub fn parse(text: &str) -> Result<Self, Unusable> {
        let quoted = |line: &str, key: &str| {
            let value = line
                .strip_prefix(key)?
                .strip_prefix(" = \"")?
                .strip_suffix('"')?;
            Some(value.to_owned())
        };
        let (head, packages) = text.split_once("\n[[package]]\n").unwrap_or((text, ""));
        let version = head
            .lines()
            .find_map(|line| line.strip_prefix("version = "));
        if version != Some("4") {
            return Err(Unusable::LockVersion(version.map(str::to_owned)));
        }
        let mut locked = BTreeMap::new();
        for package in packages.split("\n[[package]]\n") {
            let field = |key| package.lines().find_map(|line| quoted(line, key));
            if let (Some(name), Some(version)) = (field("name"), field("version")) {
                locked.insert(Crate { name, version }, field("checksum"));
            }
        }
        Ok(Self(locked))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
}

#[derive(Serialize)]
struct Metadata {
    component: Component,
}

#[derive(Serialize)]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    reference: String,
    name: String,
    version: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<License>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpe: Option<String>,
    purl: String,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

impl Hash {
    fn sha256(hex: String) -> Self {
        Self {
            alg: "SHA-256",
            content: hex,
        }
    }
}

#[derive(Serialize)]
struct License {
    expression: String,
}

/// The bill of the program with these `settings`.
pub fn bill(
    settings: &Settings,
    licenses: &str,
    linked: Linked,
    lock: &CargoLock,
) -> Result<Vec<u8>, Unusable> {
    let mut components = BTreeMap::new();
    let mut add = |component: Component| {
        let purl = component.purl.clone();
        match components.insert(purl.clone(), component) {
            None => Ok(()),
            Some(_) => Err(Unusable::Repeated(purl)),
        }
    };
    for krate in linked.crates {
        let checksum = lock
            .0
            .get(&krate)
            .ok_or_else(|| Unusable::NotLocked(krate.clone()))?
            .clone();
        let purl = cargo_purl(&krate.name, &krate.version);
        add(Component {
            kind: "library",
            reference: purl.clone(),
            name: krate.name,
            version: krate.version,
            hashes: checksum.into_iter().map(Hash::sha256).collect(),
            licenses: Vec::new(),
            cpe: None,
            purl,
        })?;
    }
    for source in linked.sources {
        add(Component {
            kind: "library",
            reference: source.purl.clone(),
            name: source.name,
            version: source.version,
            hashes: source.sha256.into_iter().map(Hash::sha256).collect(),
            licenses: vec![License {
                expression: source.license,
            }],
            cpe: source.cpe,
            purl: source.purl,
        })?;
    }
    let name = settings.name.as_str();
    let bom = Bom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        version: 1,
        metadata: Metadata {
            component: Component {
                kind: "application",
                // Apart from every purl, also from that of the program's own crate below.
                reference: format!("image:{name}"),
                name: name.to_owned(),
                version: settings.version.clone(),
                hashes: Vec::new(),
                licenses: vec![License {
                    expression: licenses.to_owned(),
                }],
                cpe: None,
                purl: cargo_purl(name, &settings.version),
            },
        },
        components: components.into_values().collect(),
    };
    let mut json = serde_json::to_vec_pretty(&bom).expect("strings and lists become JSON");
    json.push(b'\n');
    Ok(json)
}

/// The name of the image that a bill is about.
pub fn subject(bill: &[u8]) -> Result<String, serde_json::Error> {
    #[derive(Deserialize)]
    struct Read {
        metadata: ReadMetadata,
    }
    #[derive(Deserialize)]
    struct ReadMetadata {
        component: ReadComponent,
    }
    #[derive(Deserialize)]
    struct ReadComponent {
        name: String,
    }
    serde_json::from_slice(bill).map(|read: Read| read.metadata.component.name)
}

/// [purl: cargo](https://github.com/package-url/purl-spec): `+` of build metadata is escaped.
fn cargo_purl(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    const LOCK: &str = r#"# This file is automatically @generated by Cargo.
# It is not intended for manual editing.
version = 4

[[package]]
name = "openssl-src"
version = "300.5.4+3.5.4"
source = "registry+somewhere"
checksum = "1111111111111111111111111111111111111111111111111111111111111111"
dependencies = [
 "cc",
]

[[package]]
name = "psk-server"
version = "0.1.0"
dependencies = [
 "tokio",
]

[[package]]
name = "tokio"
version = "1.0.0"
source = "registry+somewhere"
checksum = "2222222222222222222222222222222222222222222222222222222222222222"

[[package]]
name = "unused"
version = "9.9.9"
source = "registry+somewhere"
checksum = "3333333333333333333333333333333333333333333333333333333333333333"
"#;

    const LINKED: &str = r#"{
        "crates": [
            {"name": "tokio", "version": "1.0.0"},
            {"name": "psk-server", "version": "0.1.0"},
            {"name": "openssl-src", "version": "300.5.4+3.5.4"},
            {"name": "tokio", "version": "1.0.0"}
        ],
        "sources": [{
            "name": "openssl", "version": "3.6.3", "license": "Apache-2.0",
            "purl": "pkg:generic/openssl@3.6.3",
            "cpe": "cpe:2.3:a:openssl:openssl:3.6.3:*:*:*:*:*:*:*",
            "sha256": "4444444444444444444444444444444444444444444444444444444444444444"
        }]
    }"#;

    fn settings() -> Settings {
        let json = r#"{"name":"psk-server","version":"0.1.0","ports":[],"settings":[]}"#;
        Settings::parse(json.as_bytes()).unwrap()
    }

    fn made(linked: &str, lock: &str) -> Result<Vec<u8>, Unusable> {
        bill(
            &settings(),
            "Apache-2.0",
            Linked::parse(linked.as_bytes())?,
            &CargoLock::parse(lock)?,
        )
    }

    #[test]
    fn the_bill_of_fixed_inputs_is_fixed() {
        assert_eq!(
            Digest::of(&made(LINKED, LOCK).unwrap()).to_string(),
            "sha256:ad4bda086802f0da620ffc9abdd7d4d855bb5b8d84626974f04307d24ac3b416"
        );
    }

    #[test]
    fn exactly_what_was_linked_is_listed_once_with_its_checksum() {
        let bill: serde_json::Value = serde_json::from_slice(&made(LINKED, LOCK).unwrap()).unwrap();
        let components = bill["components"].as_array().unwrap();
        let purls: Vec<&str> = components
            .iter()
            .map(|component| component["purl"].as_str().unwrap())
            .collect();
        assert_eq!(
            purls,
            [
                "pkg:cargo/openssl-src@300.5.4%2B3.5.4",
                "pkg:cargo/psk-server@0.1.0",
                "pkg:cargo/tokio@1.0.0",
                "pkg:generic/openssl@3.6.3",
            ]
        );
        assert_eq!(components[2]["hashes"][0]["content"], "2".repeat(64));
        assert!(components[1].get("hashes").is_none());
        assert_eq!(components[3]["licenses"][0]["expression"], "Apache-2.0");
        assert_eq!(bill["metadata"]["component"]["name"], "psk-server");
    }

    #[test]
    fn a_bill_names_its_subject() {
        assert_eq!(subject(&made(LINKED, LOCK).unwrap()).unwrap(), "psk-server");
        assert!(subject(b"{}").is_err());
    }

    #[test]
    fn a_linked_crate_that_is_not_locked_is_refused() {
        let error = made(&LINKED.replace("1.0.0", "1.0.1"), LOCK).unwrap_err();
        assert_eq!(
            error.to_string(),
            "tokio 1.0.1 was linked, but Cargo.lock lacks it"
        );
    }

    #[test]
    fn a_lock_of_another_version_is_refused() {
        let error = made(LINKED, &LOCK.replace("version = 4", "version = 5")).unwrap_err();
        assert_eq!(error.to_string(), "Cargo.lock is of version 5, 4 is known");
        let error = made(LINKED, "").unwrap_err();
        assert_eq!(error.to_string(), "Cargo.lock does not name its version");
    }

    #[test]
    fn a_repeated_source_is_refused() {
        let twice = LINKED.replace("pkg:generic/openssl@3.6.3", "pkg:cargo/tokio@1.0.0");
        let error = made(&twice, LOCK).unwrap_err();
        assert_eq!(error.to_string(), "pkg:cargo/tokio@1.0.0 is listed twice");
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        assert!(made(&LINKED.replace("\"cpe\"", "\"cpi\""), LOCK).is_err());
    }
}
