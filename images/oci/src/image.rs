//! One image in memory, every digest in it checked.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use crate::digest::Digest;
use crate::gzip;
use crate::name::{Name, NotAName};
use crate::spec::{self, Config, Descriptor, Index, Manifest, Platform};
use crate::tree::{self, Entry, Kind};

/// No layer of ours comes near; a layer that unfolds beyond is not one of ours.
const LARGEST_LAYER: u64 = 512 << 20;

/// An image of one layer, as assembled or as read. A value exists only when manifest,
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

/// What is wrong with an image that was read.
#[derive(Debug)]
pub enum Fault {
    Missing(String),
    NotALayout,
    Json {
        part: &'static str,
        error: serde_json::Error,
    },
    /// A second image in a layout could be the one that another tool picks.
    NotOneImage(usize),
    NotOneLayer(usize),
    NoName,
    Name(NotAName),
    Kind {
        part: &'static str,
        found: String,
    },
    Platform(String),
    Digest {
        part: &'static str,
        named: Digest,
        found: Digest,
    },
    Size {
        part: &'static str,
        named: u64,
        found: u64,
    },
    Gzip(io::Error),
    Tar(io::Error),
    /// The entrypoint names no file of the image.
    NoProgram(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "no file {path} in the layout"),
            Self::NotALayout => f.write_str("oci-layout does not say version 1.0.0"),
            Self::Json { part, error } => write!(f, "the {part} is not readable: {error}"),
            Self::NotOneImage(n) => write!(f, "the index lists {n} images, it should list one"),
            Self::NotOneLayer(n) => write!(f, "the image has {n} layers, it should have one"),
            Self::NoName => write!(f, "the index does not name its image ({})", spec::REF_NAME),
            Self::Name(error) => error.fmt(f),
            Self::Kind { part, found } => write!(f, "the {part} is of an unknown kind, {found:?}"),
            Self::Platform(found) => {
                write!(
                    f,
                    "the platform is {found}, it should be {}",
                    Platform::linux_amd64()
                )
            }
            Self::Digest { part, named, found } => {
                write!(
                    f,
                    "the {part} is damaged: {named} is named, its bytes give {found}"
                )
            }
            Self::Size { part, named, found } => {
                write!(
                    f,
                    "the {part} is damaged: {named} bytes are named, it has {found}"
                )
            }
            Self::Gzip(error) => write!(f, "the layer does not decompress: {error}"),
            Self::Tar(error) => write!(f, "the layer is not a readable tar: {error}"),
            Self::NoProgram(path) => write!(f, "the entrypoint {path:?} is no file of the image"),
        }
    }
}

impl std::error::Error for Fault {}

/// The files of a layout, by their path inside it.
pub trait Files {
    /// `None` where the layout has no such file.
    fn get(&self, path: &str) -> io::Result<Option<Vec<u8>>>;
}

impl Files for BTreeMap<String, Vec<u8>> {
    fn get(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(BTreeMap::get(self, path).cloned())
    }
}

/// A layout could not be read, or what was read is no image of ours.
#[derive(Debug)]
pub enum Unreadable {
    Io(io::Error),
    Fault(Fault),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Fault> for Unreadable {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
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

    pub fn read(files: &impl Files) -> Result<Self, Unreadable> {
        let file = |path: &str| match files.get(path)? {
            Some(bytes) => Ok(bytes),
            None => Err(Unreadable::from(Fault::Missing(path.to_owned()))),
        };
        let blob = |part, kind, descriptor: &Descriptor| {
            expect_kind(part, kind, &descriptor.media_type)?;
            let bytes = file(&blob_path(&descriptor.digest))?;
            expect_content(part, descriptor, &bytes)?;
            Ok::<_, Unreadable>(bytes)
        };

        if file("oci-layout")? != spec::LAYOUT_FILE.as_bytes() {
            return Err(Fault::NotALayout.into());
        }
        let index_bytes = file("index.json")?;
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

        let manifest_bytes = blob("manifest", spec::MANIFEST, described)?;
        let manifest: Manifest = json("manifest", &manifest_bytes)?;
        expect_kind("manifest", spec::MANIFEST, &manifest.media_type)?;
        let config_bytes = blob("configuration", spec::CONFIG, &manifest.config)?;
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
        let layer = blob("layer", spec::LAYER, layer)?;
        let tar = gzip::decompress(&layer, LARGEST_LAYER).map_err(Fault::Gzip)?;
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

/// Where a blob lies in a layout.
pub fn blob_path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn json<T: serde::de::DeserializeOwned>(part: &'static str, bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|error| Fault::Json { part, error })
}

fn expect_kind(part: &'static str, kind: &str, found: &str) -> Result<(), Fault> {
    if found == kind {
        Ok(())
    } else {
        Err(Fault::Kind {
            part,
            found: found.to_owned(),
        })
    }
}

fn expect_digest(part: &'static str, named: &Digest, bytes: &[u8]) -> Result<(), Fault> {
    let found = Digest::of(bytes);
    if found == *named {
        Ok(())
    } else {
        Err(Fault::Digest {
            part,
            named: *named,
            found,
        })
    }
}

fn expect_content(part: &'static str, named: &Descriptor, bytes: &[u8]) -> Result<(), Fault> {
    expect_digest(part, &named.digest, bytes)?;
    let found = bytes.len() as u64;
    if found == named.size {
        Ok(())
    } else {
        Err(Fault::Size {
            part,
            named: named.size,
            found,
        })
    }
}
