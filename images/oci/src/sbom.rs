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

use crate::cargo_lock::{CargoLock, Crate};
use crate::settings::Settings;

pub const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";

/// What was linked, as the build wrote it down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linked {
    pub crates: BTreeSet<Crate>,
    pub sources: Vec<Source>,
}

/// Something linked that is no crate of Cargo.lock: a C library, the compiler's own libraries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub name: String,
    pub origin: Origin,
    /// An SPDX expression.
    pub license: String,
    /// `{version}` in it stands for the version.
    pub purl: String,
    /// The name that vulnerability databases know it by, where they know it; `{version}` as above.
    pub cpe: Option<String>,
}

/// What a source was built or taken from.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Origin {
    /// A crate that carries it: version (the part after `+`) and checksum stand in Cargo.lock.
    Crate(String),
    /// An archive, by the SHA-256 that the build accepts it by, 64 hex digits.
    Archive { version: String, sha256: String },
}

#[derive(Debug)]
pub enum Unusable {
    Linked(serde_json::Error),
    NotLocked(Crate),
    /// Cargo.lock has no crate, or several, of the name that carries a source.
    NoCarrier(String),
    Repeated(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linked(error) => write!(f, "not a list of what was linked: {error}"),
            Self::NotLocked(krate) => write!(f, "{krate} was linked, but Cargo.lock lacks it"),
            Self::NoCarrier(name) => {
                write!(
                    f,
                    "Cargo.lock should have one crate {name} with +VERSION, it has not"
                )
            }
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
        let checksum = lock.checksum(&krate);
        let checksum = checksum.ok_or_else(|| Unusable::NotLocked(krate.clone()))?;
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
        let (version, sha256) = match source.origin {
            Origin::Crate(name) => lock.carried(&name).ok_or(Unusable::NoCarrier(name))?,
            Origin::Archive { version, sha256 } => (version, Some(sha256)),
        };
        let purl = source.purl.replace("{version}", &version);
        add(Component {
            kind: "library",
            reference: purl.clone(),
            name: source.name,
            hashes: sha256.into_iter().map(Hash::sha256).collect(),
            licenses: vec![License {
                expression: source.license,
            }],
            cpe: source.cpe.map(|cpe| cpe.replace("{version}", &version)),
            version,
            purl,
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
    use crate::cargo_lock::sample::LOCK;
    use crate::digest::Digest;

    const LINKED: &str = r#"{
        "crates": [
            {"name": "tokio", "version": "1.0.0"},
            {"name": "psk-server", "version": "0.1.0"},
            {"name": "zstd-sys", "version": "2.0.1+zstd.1.5.5"},
            {"name": "tokio", "version": "1.0.0"}
        ],
        "sources": [
            {
                "name": "openssl", "origin": {"crate": "openssl-src"}, "license": "Apache-2.0",
                "purl": "pkg:generic/openssl@{version}",
                "cpe": "cpe:2.3:a:openssl:openssl:{version}:*:*:*:*:*:*:*"
            },
            {
                "name": "glibc", "license": "LGPL-2.1-or-later",
                "origin": {"archive": {"version": "2.36-9", "sha256": "5555"}},
                "purl": "pkg:deb/debian/libc6-dev@{version}"
            },
            {
                "name": "std", "origin": {"archive": {"version": "1.95.0", "sha256": "6666"}},
                "license": "MIT OR Apache-2.0", "purl": "pkg:generic/rust-std@{version}"
            }
        ]
    }"#;

    fn settings() -> Settings {
        let json = r#"{"name":"psk-server","version":"0.1.0","ports":[],"settings":[]}"#;
        Settings::parse(json.as_bytes()).unwrap()
    }

    fn made(linked: &str, lock: &str) -> Result<Vec<u8>, Unusable> {
        let lock = CargoLock::parse(lock).unwrap();
        bill(
            &settings(),
            "Apache-2.0",
            Linked::parse(linked.as_bytes())?,
            &lock,
        )
    }

    #[test]
    fn the_bill_of_fixed_inputs_is_fixed() {
        assert_eq!(
            Digest::of(&made(LINKED, LOCK).unwrap()).to_string(),
            "sha256:46f92025fa6c26dee906d888b6168488294b522e0c1ab6a587fef6079fa997ee"
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
                "pkg:cargo/psk-server@0.1.0",
                "pkg:cargo/tokio@1.0.0",
                "pkg:cargo/zstd-sys@2.0.1%2Bzstd.1.5.5",
                "pkg:deb/debian/libc6-dev@2.36-9",
                "pkg:generic/openssl@3.5.4",
                "pkg:generic/rust-std@1.95.0",
            ]
        );
        assert_eq!(components[1]["hashes"][0]["content"], "2".repeat(64));
        assert!(components[0].get("hashes").is_none());
        assert_eq!(components[3]["hashes"][0]["content"], "5555");
        let openssl = &components[4];
        assert_eq!(openssl["version"], "3.5.4");
        assert_eq!(
            openssl["cpe"],
            "cpe:2.3:a:openssl:openssl:3.5.4:*:*:*:*:*:*:*"
        );
        assert_eq!(openssl["hashes"][0]["content"], "1".repeat(64));
        assert_eq!(openssl["licenses"][0]["expression"], "Apache-2.0");
        assert_eq!(components[5]["hashes"][0]["content"], "6666");
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
    fn a_repeated_source_is_refused() {
        let twice = LINKED.replace("pkg:generic/openssl@{version}", "pkg:cargo/tokio@1.0.0");
        let error = made(&twice, LOCK).unwrap_err();
        assert_eq!(error.to_string(), "pkg:cargo/tokio@1.0.0 is listed twice");
    }

    #[test]
    fn a_source_without_its_one_carrier_is_refused() {
        for (from, to) in [
            ("name = \"openssl-src\"", "name = \"other\""),
            ("name = \"unused\"", "name = \"openssl-src\""),
        ] {
            let error = made(LINKED, &LOCK.replace(from, to)).unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with("Cargo.lock should have one crate openssl-src")
            );
        }
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        assert!(made(&LINKED.replace("\"cpe\"", "\"cpi\""), LOCK).is_err());
    }
}
