//! One image in memory, every digest in it checked.

use std::collections::BTreeMap;

use crate::blobs::{
    Files, LARGEST_DOCUMENT, LARGEST_LAYERS, blob, blob_path, document, expect_digest, expect_kind,
    json,
};
use crate::digest::Digest;
use crate::fault::{Fault, Unreadable};
use crate::gzip;
use crate::name::Name;
use crate::spec::{self, Config, Descriptor, Index, Manifest, Platform};
use crate::tree::{self, Entry, Kind};

/// An image of one layer in this project's own form, as assembled or as read. Layouts in the forms
/// of other tools are [`crate::stored`]. A value exists only when manifest,
/// configuration, layer and the layer's content hash to what refers to them.
pub struct Image {
    pub name: Name,
    pub index_bytes: Vec<u8>,
    pub manifest: Manifest,
    pub manifest_bytes: Vec<u8>,
    pub config: Config,
    pub config_bytes: Vec<u8>,
    /// The layer as stored and sent, gzip.
    pub layer: Vec<u8>,
    /// The layer unfolded.
    pub tar: Vec<u8>,
    pub entries: Vec<Entry>,
}

impl Image {
    /// The index that lists one image under its names, and nothing else: with two entries, tools
    /// that are given the bare layout would pick one by their own rules, or push the index.
    pub fn index(manifest_bytes: &[u8], names: &[(&str, &str)]) -> Vec<u8> {
        let mut descriptor = Descriptor::of(spec::MANIFEST, manifest_bytes);
        descriptor.platform = Some(Platform::linux_amd64());
        for (key, name) in names {
            let (key, name) = ((*key).to_owned(), (*name).to_owned());
            descriptor.annotations.insert(key, name);
        }
        serde_json::to_vec(&Index::of(vec![descriptor])).expect("strings and maps become JSON")
    }

    pub fn read(files: &dyn Files) -> Result<Self, Unreadable> {
        let blob = |part, kind, descriptor: &Descriptor, limit| {
            expect_kind(part, kind, &descriptor.media_type)?;
            blob(files, part, &descriptor.digest, descriptor.size, limit)
        };

        if document(files, "oci-layout")? != spec::LAYOUT_FILE.as_bytes() {
            return Err(Fault::NotALayout.into());
        }
        let index_bytes = document(files, "index.json")?;
        let index: Index = json("index", &index_bytes)?;
        expect_kind("index", spec::INDEX, &index.media_type)?;
        let [described] = index.manifests.as_slice() else {
            return Err(Fault::NotOneImage(index.manifests.len()).into());
        };
        let name = described
            .annotations
            .get(spec::REF_NAME)
            .ok_or(Fault::NoName)?;
        let name = name.parse().map_err(Fault::Name)?;

        let manifest_bytes = blob("manifest", spec::MANIFEST, described, LARGEST_DOCUMENT)?;
        let manifest: Manifest = json("manifest", &manifest_bytes)?;
        expect_kind("manifest", spec::MANIFEST, &manifest.media_type)?;
        let config_bytes = blob(
            "configuration",
            spec::CONFIG,
            &manifest.config,
            LARGEST_DOCUMENT,
        )?;
        let config: Config = json("configuration", &config_bytes)?;
        let platform = Platform {
            architecture: config.architecture.clone(),
            os: config.os.clone(),
        };
        for found in [Some(&platform), described.platform.as_ref()]
            .into_iter()
            .flatten()
        {
            if *found != Platform::linux_amd64() {
                return Err(Fault::Platform(found.to_string()).into());
            }
        }

        let ([layer], [diff_id]) = (
            manifest.layers.as_slice(),
            config.rootfs.diff_ids.as_slice(),
        ) else {
            return Err(Fault::NotOneLayer(manifest.layers.len()).into());
        };
        let layer = blob("layer", spec::LAYER, layer, LARGEST_LAYERS)?;
        let tar = gzip::decompress(&layer, LARGEST_LAYERS).map_err(Fault::Gzip)?;
        expect_digest("layer's content", diff_id, &tar)?;
        let entries = tree::read(&tar).map_err(Fault::Tar)?;
        Ok(Self {
            name,
            index_bytes,
            manifest,
            manifest_bytes,
            config,
            config_bytes,
            layer,
            tar,
            entries,
        })
    }

    /// Every file of the image's layout, by path: the inverse of [`Image::read`].
    pub fn files(&self) -> BTreeMap<String, &[u8]> {
        BTreeMap::from([
            ("oci-layout".to_owned(), spec::LAYOUT_FILE.as_bytes()),
            ("index.json".to_owned(), &self.index_bytes[..]),
            (blob_path(&self.manifest_digest()), &self.manifest_bytes[..]),
            (blob_path(&self.config_digest()), &self.config_bytes[..]),
            (blob_path(&self.layer_digest()), &self.layer[..]),
        ])
    }

    /// What is pinned, pushed and attested.
    pub fn manifest_digest(&self) -> Digest {
        Digest::of(&self.manifest_bytes)
    }

    pub fn config_digest(&self) -> Digest {
        self.manifest.config.digest
    }

    pub fn layer_digest(&self) -> Digest {
        self.manifest.layers[0].digest
    }

    /// The digest of the unfolded layer: it stands for paths, modes, owners and contents.
    pub fn diff_id(&self) -> Digest {
        self.config.rootfs.diff_ids[0]
    }

    pub fn platform(&self) -> Platform {
        Platform {
            architecture: self.config.architecture.clone(),
            os: self.config.os.clone(),
        }
    }

    /// The file that the entrypoint starts.
    pub fn program(&self) -> Result<&Entry, Fault> {
        let entrypoint = self
            .config
            .config
            .entrypoint
            .first()
            .map_or("", String::as_str);
        self.entries
            .iter()
            .find(|entry| entry.kind == Kind::File && format!("/{}", entry.path) == entrypoint)
            .ok_or_else(|| Fault::NoProgram(entrypoint.to_owned()))
    }
}
