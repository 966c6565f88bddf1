//! A bill of materials as an OCI referrer: an artifact manifest whose `subject` is the image.
//!
//! The image does not know of it, so attaching one changes no digest that is pinned.
//!
//! [OCI image spec, artifact usage](https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage)

use std::collections::BTreeMap;

use crate::image::Image;
use crate::sbom;
use crate::spec::{self, Descriptor, Manifest};

/// The content of the blob that stands where an artifact needs no configuration.
pub const EMPTY: &[u8] = b"{}";

pub struct Referrer {
    /// As it stands in an index of referrers: with the artifact's type.
    pub descriptor: Descriptor,
    pub manifest_bytes: Vec<u8>,
    pub bill: Vec<u8>,
}

impl Referrer {
    pub fn new(image: &Image, bill: Vec<u8>) -> Self {
        let mut layer = Descriptor::of(sbom::MEDIA_TYPE, &bill);
        layer.annotations.insert(
            "org.opencontainers.image.title".to_owned(),
            format!("{}.cdx.json", image.name),
        );
        let manifest = Manifest {
            schema_version: 2,
            media_type: spec::MANIFEST.to_owned(),
            artifact_type: Some(sbom::MEDIA_TYPE.to_owned()),
            config: Descriptor::of(spec::EMPTY, EMPTY),
            layers: vec![layer],
            subject: Some(Descriptor::of(spec::MANIFEST, &image.manifest_bytes)),
            annotations: BTreeMap::new(),
        };
        let manifest_bytes = serde_json::to_vec(&manifest).expect("strings and maps become JSON");
        let mut descriptor = Descriptor::of(spec::MANIFEST, &manifest_bytes);
        descriptor.artifact_type = manifest.artifact_type;
        Self {
            descriptor,
            manifest_bytes,
            bill,
        }
    }
}
