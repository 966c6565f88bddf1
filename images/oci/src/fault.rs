//! What can be wrong with an image that is read.

use std::fmt;
use std::io;

use crate::digest::Digest;
use crate::name::NotAName;
use crate::spec::{self, Platform};

/// A layout could not be read, or what was read is no image that is taken.
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

#[derive(Debug)]
pub enum Fault {
    Missing(String),
    /// Of a layout in our own form, which is one fixed string.
    NotALayout,
    /// Of a layout in any form.
    LayoutVersion(String),
    Schema {
        part: &'static str,
        found: u32,
    },
    Json {
        part: &'static str,
        error: serde_json::Error,
    },
    /// A second image in a layout of ours could be the one that another tool picks.
    NotOneImage(usize),
    /// Media types that the index lists instead.
    NoImage(Vec<String>),
    SeveralImages(Vec<Digest>),
    NotThisImage {
        wanted: Digest,
        found: Vec<Digest>,
    },
    /// Indexes within indexes, and how many may be.
    TooDeep(usize),
    /// Of what the indexes list.
    TooMany(usize),
    NotOneLayer(usize),
    LayerCount {
        manifest: usize,
        config: usize,
    },
    NoName,
    Name(NotAName),
    Kind {
        part: &'static str,
        found: String,
    },
    Zstd,
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
    /// Refused before it is read.
    TooLarge {
        what: String,
        limit: u64,
    },
    /// A link, a device or a folder where a file of the layout should be.
    NotAFile(String),
    /// A path of an archive that leads out of it.
    Outside(String),
    /// Two members of an archive have one path: another tool may take the other one.
    Twice(String),
    Archive(io::Error),
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
            Self::LayoutVersion(found) => {
                write!(f, "oci-layout says version {found:?}, only 1 is read")
            }
            Self::Schema { part, found } => {
                write!(f, "the {part} has schema version {found}, only 2 is read")
            }
            // The error may quote the document, and the document may come from anybody.
            Self::Json { part, error } => {
                let error = Printable(&error.to_string()).to_string();
                write!(f, "the {part} is not readable: {error}")
            }
            Self::NotOneImage(n) => write!(f, "the index lists {n} images, it should list one"),
            Self::NoImage(kinds) if kinds.is_empty() => f.write_str("the index lists no image"),
            Self::NoImage(kinds) => write!(f, "the index lists no image, but {}", some(kinds)),
            Self::SeveralImages(found) => {
                let (n, found) = (found.len(), some(found));
                write!(
                    f,
                    "the layout holds {n} images, choose one with LAYOUT@DIGEST: {found}"
                )
            }
            Self::NotThisImage { wanted, found } => {
                write!(
                    f,
                    "the layout does not hold image {wanted}, but {}",
                    some(found)
                )
            }
            Self::TooDeep(limit) => write!(f, "indexes are nested more than {limit} deep"),
            Self::TooMany(limit) => write!(f, "the indexes list more than {limit} entries"),
            Self::NotOneLayer(n) => write!(f, "the image has {n} layers, it should have one"),
            Self::LayerCount { manifest, config } => write!(
                f,
                "the manifest lists {manifest} layers, the configuration {config}"
            ),
            Self::NoName => write!(f, "the index does not name its image ({})", spec::REF_NAME),
            Self::Name(error) => error.fmt(f),
            Self::Kind { part, found } => write!(f, "the {part} is of an unknown kind, {found:?}"),
            Self::Zstd => f.write_str(
                "the layer is compressed with zstd, which is not read: \
                 skopeo copy --dest-compress --dest-compress-format gzip makes a copy that is",
            ),
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
            Self::TooLarge { what, limit } => {
                write!(
                    f,
                    "the {what} is larger than {limit} bytes, so it is not read"
                )
            }
            Self::NotAFile(path) => write!(f, "{path:?} is no plain file"),
            Self::Outside(path) => write!(f, "the archive's path {path:?} leads out of it"),
            Self::Twice(path) => write!(f, "the archive has {path:?} twice"),
            Self::Archive(error) => write!(f, "the archive is not a readable tar: {error}"),
            Self::Gzip(error) => write!(f, "the layer does not decompress: {error}"),
            Self::Tar(error) => write!(f, "the layer is not a readable tar: {error}"),
            Self::NoProgram(path) => write!(f, "the entrypoint {path:?} is no file of the image"),
        }
    }
}

impl std::error::Error for Fault {}

/// The first few of a list that another wrote.
fn some<T: fmt::Display>(list: &[T]) -> String {
    const SHOWN: usize = 8;
    let shown = list.iter().take(SHOWN).map(|one| one.to_string());
    let mut text = Printable(&shown.collect::<Vec<_>>().join(", ")).to_string();
    if list.len() > SHOWN {
        text.push_str(", …");
    }
    text
}

/// Text from an image of anybody's, without what could rule the reader's terminal.
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            if letter == ' ' || letter.is_ascii_graphic() {
                write!(f, "{letter}")?;
            } else {
                write!(f, "{}", letter.escape_unicode())?;
            }
        }
        Ok(())
    }
}
