//! An image as any tool may store it: what the comparison reads, since one side of it is often
//! what a registry sent to `skopeo copy`.
//!
//! White space, optional fields, names and further fields are free here, as the specification has
//! them; the comparison shows those that are part of the image. Not free: every blob hashes to what
//! refers to it, and no input decides how much memory is taken.
//!
//! [OCI image layout](https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md)

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::blobs::{
    Files, LARGEST_DOCUMENT, LARGEST_LAYERS, blob, document, expect_digest, expect_kind, json,
};
use crate::digest::Digest;
use crate::fault::{Fault, Unreadable};
use crate::gzip;
use crate::spec;
use crate::tree::{self, Entry};

/// Of indexes in `index.json`, in those, and so on.
const DEEPEST: usize = 4;

/// Of what all indexes of a layout list together.
const MOST: usize = 4096;

/// A value exists only when manifest, configuration, layers and their contents hash to what refers
/// to them.
pub struct Stored {
    pub manifest: Value,
    pub manifest_bytes: Vec<u8>,
    pub config: Value,
    pub config_bytes: Vec<u8>,
    pub layers: Vec<Layer>,
}

pub struct Layer {
    /// As stored and sent, mostly gzip.
    pub bytes: Vec<u8>,
    /// Unfolded.
    pub tar: Vec<u8>,
    pub entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LayoutFile {
    image_layout_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u32,
    media_type: Option<String>,
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: Digest,
    size: u64,
    artifact_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u32,
    media_type: Option<String>,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

impl Stored {
    /// The image with the digest `wanted`, else the only one.
    pub fn read(files: &dyn Files, wanted: Option<Digest>) -> Result<Self, Unreadable> {
        let layout: LayoutFile = json("oci-layout", &document(files, "oci-layout")?)?;
        if !is_version_1(&layout.image_layout_version) {
            return Err(Fault::LayoutVersion(layout.image_layout_version).into());
        }
        let described = chosen(files, wanted)?;
        let manifest_bytes = small(files, "manifest", &described)?;
        let manifest: Manifest = json("manifest", &manifest_bytes)?;
        expect_form(
            "manifest",
            spec::MANIFEST,
            manifest.schema_version,
            manifest.media_type.as_deref(),
        )?;
        expect_kind("configuration", spec::CONFIG, &manifest.config.media_type)?;
        let config_bytes = small(files, "configuration", &manifest.config)?;
        let config: Config = json("configuration", &config_bytes)?;
        Ok(Self {
            layers: layers(files, &manifest.layers, &config.rootfs.diff_ids)?,
            manifest: json("manifest", &manifest_bytes)?,
            manifest_bytes,
            config: json("configuration", &config_bytes)?,
            config_bytes,
        })
    }
}

/// `1.MINOR.PATCH`
fn is_version_1(version: &str) -> bool {
    let numbers: Vec<&str> = version.split('.').collect();
    let number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.len() == 3 && numbers[0] == "1" && numbers.iter().all(number)
}

/// The image that is meant, of those that `index.json` and the indexes in it list.
fn chosen(files: &dyn Files, wanted: Option<Digest>) -> Result<Descriptor, Unreadable> {
    let mut listed = Listed::default();
    listed.walk(files, &document(files, "index.json")?, 1)?;
    let Listed {
        mut images, others, ..
    } = listed;
    let found: Vec<Digest> = images.keys().copied().collect();
    let digest = match (wanted, found.as_slice()) {
        (_, []) => return Err(Fault::NoImage(others.into_iter().collect()).into()),
        (None, [digest]) => *digest,
        (None, _) => return Err(Fault::SeveralImages(found).into()),
        (Some(wanted), _) => wanted,
    };
    let chosen = images.remove(&digest);
    chosen.ok_or_else(|| {
        Fault::NotThisImage {
            wanted: digest,
            found,
        }
        .into()
    })
}

#[derive(Default)]
struct Listed {
    images: BTreeMap<Digest, Descriptor>,
    /// Media or artifact types of the rest.
    others: BTreeSet<String>,
    indexes: BTreeSet<Digest>,
    count: usize,
}

impl Listed {
    fn walk(&mut self, files: &dyn Files, index: &[u8], depth: usize) -> Result<(), Unreadable> {
        if depth > DEEPEST {
            return Err(Fault::TooDeep(DEEPEST).into());
        }
        let index: Index = json("index", index)?;
        let kind = index.media_type.as_deref();
        expect_form("index", spec::INDEX, index.schema_version, kind)?;
        self.count += index.manifests.len();
        if self.count > MOST {
            return Err(Fault::TooMany(MOST).into());
        }
        for descriptor in index.manifests {
            let kind = descriptor.media_type.as_str();
            if kind == spec::INDEX {
                if self.indexes.insert(descriptor.digest) {
                    self.walk(files, &small(files, "index", &descriptor)?, depth + 1)?;
                }
            } else if kind == spec::MANIFEST && is_image(&descriptor) {
                self.images.insert(descriptor.digest, descriptor);
            } else {
                // The specification: what is not known is passed over, it is no error.
                let kind = descriptor.artifact_type.unwrap_or(descriptor.media_type);
                self.others.insert(kind);
            }
        }
        Ok(())
    }
}

/// Signatures and bills of materials are manifests too, and say so.
fn is_image(descriptor: &Descriptor) -> bool {
    let artifact = descriptor.artifact_type.as_deref();
    artifact.is_none_or(|kind| kind.is_empty() || kind == spec::CONFIG)
}

fn layers(
    files: &dyn Files,
    described: &[Descriptor],
    diff_ids: &[Digest],
) -> Result<Vec<Layer>, Unreadable> {
    if described.len() != diff_ids.len() {
        let (manifest, config) = (described.len(), diff_ids.len());
        return Err(Fault::LayerCount { manifest, config }.into());
    }
    let (mut stored, mut unfolded) = (LARGEST_LAYERS, LARGEST_LAYERS);
    let mut layers = Vec::new();
    for (descriptor, diff_id) in described.iter().zip(diff_ids) {
        let kind = descriptor.media_type.as_str();
        let is_gzip = match kind {
            spec::LAYER => true,
            spec::LAYER_TAR => false,
            spec::LAYER_ZSTD => return Err(Fault::Zstd.into()),
            _ => {
                let (part, found) = ("layer", kind.to_owned());
                return Err(Fault::Kind { part, found }.into());
            }
        };
        let bytes = blob(files, "layer", &descriptor.digest, descriptor.size, stored)?;
        let tar = if is_gzip {
            gzip::decompress_any(&bytes, unfolded).map_err(Fault::Gzip)?
        } else {
            bytes.clone()
        };
        stored -= bytes.len() as u64;
        unfolded = unfolded.saturating_sub(tar.len() as u64);
        expect_digest("layer's content", diff_id, &tar)?;
        let entries = tree::read(&tar).map_err(Fault::Tar)?;
        layers.push(Layer {
            bytes,
            tar,
            entries,
        });
    }
    Ok(layers)
}

/// A document's blob.
fn small(
    files: &dyn Files,
    part: &'static str,
    descriptor: &Descriptor,
) -> Result<Vec<u8>, Unreadable> {
    blob(
        files,
        part,
        &descriptor.digest,
        descriptor.size,
        LARGEST_DOCUMENT,
    )
}

/// Media type and schema version as a document says them of itself.
fn expect_form(
    part: &'static str,
    kind: &str,
    schema: u32,
    found: Option<&str>,
) -> Result<(), Fault> {
    if schema != 2 {
        return Err(Fault::Schema {
            part,
            found: schema,
        });
    }
    expect_kind(part, kind, found.unwrap_or(kind))
}
