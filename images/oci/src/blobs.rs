//! Reading files of a layout: bounded before they are held, and blobs only as their digest says.

use std::io::Read;

use crate::digest::Digest;
use crate::fault::{Fault, Unreadable};

/// Of an index, a manifest or a configuration, in bytes: what registries take at most.
pub const LARGEST_DOCUMENT: u64 = 4 << 20;

/// Of all layers of an image together, in bytes, as stored and unfolded. No image of ours comes near.
pub const LARGEST_LAYERS: u64 = 256 << 20;

/// The files of a layout, by their path inside it.
pub trait Files {
    /// `None` where the layout has no such file; a file of more than `limit` bytes is refused.
    fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Unreadable>;
}

/// Where a blob lies in a layout.
pub fn blob_path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// Reads no more than `limit` bytes of `path`.
pub fn bounded(reader: impl Read, path: &str, limit: u64) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(format!("file {path}"), limit));
    }
    Ok(bytes)
}

/// A file that the layout must have.
pub fn document(files: &dyn Files, path: &str) -> Result<Vec<u8>, Unreadable> {
    file(files, path, LARGEST_DOCUMENT)
}

/// The blob of a descriptor, of the digest and size that stand there.
pub fn blob(
    files: &dyn Files,
    part: &'static str,
    digest: &Digest,
    size: u64,
    limit: u64,
) -> Result<Vec<u8>, Unreadable> {
    if size > limit {
        return Err(too_large(part.to_owned(), limit));
    }
    let bytes = file(files, &blob_path(digest), limit)?;
    expect_digest(part, digest, &bytes)?;
    let found = bytes.len() as u64;
    if found == size {
        Ok(bytes)
    } else {
        let named = size;
        Err(Fault::Size { part, named, found }.into())
    }
}

fn file(files: &dyn Files, path: &str, limit: u64) -> Result<Vec<u8>, Unreadable> {
    let missing = || Fault::Missing(path.to_owned()).into();
    files.get(path, limit)?.ok_or_else(missing)
}

fn too_large(what: String, limit: u64) -> Unreadable {
    Fault::TooLarge { what, limit }.into()
}

pub fn json<T: serde::de::DeserializeOwned>(part: &'static str, bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|error| Fault::Json { part, error })
}

pub fn expect_kind(part: &'static str, kind: &str, found: &str) -> Result<(), Fault> {
    if found == kind {
        Ok(())
    } else {
        Err(Fault::Kind {
            part,
            found: found.to_owned(),
        })
    }
}

pub fn expect_digest(part: &'static str, named: &Digest, bytes: &[u8]) -> Result<(), Fault> {
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
