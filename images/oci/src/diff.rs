//! What differs between two images, down to the file and its first byte: what to look at when
//! someone rebuilds and gets another digest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use crate::digest::Digest;
use crate::fault::Printable;
use crate::stored::{Layer, Stored};
use crate::tree::Entry;

/// One difference, from the inside (files) out (manifest).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A path that only the first or only the second image has, as its header says.
    Only {
        side: Side,
        entry: String,
    },
    /// Mode, owner, kind or time of one path.
    Header {
        path: String,
        a: String,
        b: String,
    },
    Content {
        path: String,
        at: Bytes,
    },
    /// The tar streams differ where their entries do not: order, padding, owner names, what a link
    /// points to.
    Tar {
        layer: String,
        /// The member of the first that the place belongs to.
        member: Option<String>,
        at: Bytes,
    },
    /// A field of a JSON document, as a path of keys, `null` where it is absent.
    Field {
        document: &'static str,
        field: String,
        a: String,
        b: String,
    },
    /// Same content, other bytes of the compressed layer: another compressor.
    Compression {
        layer: String,
        at: Bytes,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    A,
    B,
}

/// The first place where two byte strings part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes {
    pub offset: usize,
    /// Up to 16 bytes of each from there; fewer at an end.
    pub a: Vec<u8>,
    pub b: Vec<u8>,
    pub sizes: (usize, usize),
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (a, b) = self.sizes;
        writeln!(
            f,
            "first differing byte at {} ({a} and {b} bytes)",
            self.offset
        )?;
        writeln!(f, "  a: {}", shown(&self.a))?;
        write!(f, "  b: {}", shown(&self.b))
    }
}

/// Hex, then the printable characters: a build path shows itself.
fn shown(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "(end)".to_owned();
    }
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x} ")).collect();
    let text: String = bytes
        .iter()
        .map(|byte| {
            if byte.is_ascii_graphic() || *byte == b' ' {
                char::from(*byte)
            } else {
                '.'
            }
        })
        .collect();
    format!("{hex:48} {text}")
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only {
                side: Side::A,
                entry,
            } => write!(f, "only in a: {entry}"),
            Self::Only {
                side: Side::B,
                entry,
            } => write!(f, "only in b: {entry}"),
            Self::Header { path, a, b } => {
                write!(f, "/{}: header\n  a: {a}\n  b: {b}", Printable(path))
            }
            Self::Content { path, at } => write!(f, "/{}: {at}", Printable(path)),
            Self::Tar { layer, member, at } => match member {
                Some(path) => write!(f, "{layer}'s tar form, at /{}: {at}", Printable(path)),
                None => write!(f, "{layer}'s tar form, behind its files: {at}"),
            },
            Self::Field {
                document,
                field,
                a,
                b,
            } => {
                let (field, a, b) = (Printable(field), Printable(a), Printable(b));
                write!(f, "{document}: {field}\n  a: {a}\n  b: {b}")
            }
            Self::Compression { layer, at } => {
                write!(f, "{layer} differs in its compression alone: {at}")
            }
        }
    }
}

/// Every difference between two images; none means the same manifest digest.
pub fn diff(a: &Stored, b: &Stored) -> Vec<Difference> {
    let mut found = files(&a.layers, &b.layers);
    if found.is_empty() {
        layers(&a.layers, &b.layers, &mut found);
    }
    let (before, after) = (underived_config(&a.config), underived_config(&b.config));
    walk("configuration", "", &before, &after, &mut found);
    let (before, after) = (underived_manifest(a), underived_manifest(b));
    walk("manifest", "", &before, &after, &mut found);
    // JSON of the same value in another spelling.
    if found.is_empty() {
        let raw = |document, a: &[u8], b: &[u8]| {
            first_difference(a, b).map(|at| Difference::Field {
                document,
                field: format!("spelling, at byte {}", at.offset),
                a: Digest::of(a).to_string(),
                b: Digest::of(b).to_string(),
            })
        };
        found.extend(raw("configuration", &a.config_bytes, &b.config_bytes));
        found.extend(raw("manifest", &a.manifest_bytes, &b.manifest_bytes));
    }
    found
}

/// Without the digests of layers: they follow from the files, and are no difference of their own.
fn underived_config(config: &Value) -> Value {
    let mut config = config.clone();
    if let Some(rootfs) = config.get_mut("rootfs").and_then(Value::as_object_mut) {
        rootfs.remove("diff_ids");
    }
    config
}

fn underived_manifest(image: &Stored) -> Value {
    let mut manifest = image.manifest.clone();
    let strip = |descriptor: &mut Value| {
        if let Some(descriptor) = descriptor.as_object_mut() {
            descriptor.remove("digest");
            descriptor.remove("size");
        }
    };
    manifest.get_mut("config").map(strip);
    let layers = manifest.get_mut("layers").and_then(Value::as_array_mut);
    layers.into_iter().flatten().for_each(strip);
    manifest
}

/// What the layers differ in where their files do not.
fn layers(a: &[Layer], b: &[Layer], found: &mut Vec<Difference>) {
    let single = a.len() == 1 && b.len() == 1;
    for (place, (a, b)) in a.iter().zip(b).enumerate() {
        let layer = if single {
            "the layer".to_owned()
        } else {
            format!("layer {}", place + 1)
        };
        if let Some(at) = first_difference(&a.tar, &b.tar) {
            let member = member_at(&a.entries, at.offset);
            found.push(Difference::Tar { layer, member, at });
        } else if let Some(at) = first_difference(&a.bytes, &b.bytes) {
            found.push(Difference::Compression { layer, at });
        }
    }
}

/// The member whose header, content or padding has this place of the tar stream.
fn member_at(entries: &[Entry], offset: usize) -> Option<String> {
    const BLOCK: usize = 512;
    let mut end = 0;
    let holds = |entry: &&Entry| {
        end += BLOCK + entry.content.len().next_multiple_of(BLOCK);
        offset < end
    };
    entries.iter().find(holds).map(|entry| entry.path.clone())
}

fn files(a: &[Layer], b: &[Layer]) -> Vec<Difference> {
    let (a, b) = (by_path(a), by_path(b));
    let paths: BTreeSet<&str> = a.keys().chain(b.keys()).copied().collect();
    let none = Vec::new();
    let mut found = Vec::new();
    for path in paths {
        let (a, b) = (a.get(path).unwrap_or(&none), b.get(path).unwrap_or(&none));
        for place in 0..a.len().max(b.len()) {
            let only = |side, entry: &Entry| Difference::Only {
                side,
                entry: entry.to_string(),
            };
            match (a.get(place), b.get(place)) {
                (Some(a), Some(b)) => entry(a, b, &mut found),
                (Some(a), None) => found.push(only(Side::A, a)),
                (None, Some(b)) => found.push(only(Side::B, b)),
                (None, None) => {}
            }
        }
    }
    found
}

/// A path may be there more than once, and other tools write `./etc` or `/etc/` for `etc`.
fn by_path(layers: &[Layer]) -> BTreeMap<&str, Vec<&Entry>> {
    let mut map: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in layers.iter().flat_map(|layer| &layer.entries) {
        let path = entry
            .path
            .strip_prefix('.')
            .filter(|path| path.starts_with('/'));
        let path = path.unwrap_or(&entry.path).trim_matches('/');
        map.entry(path).or_default().push(entry);
    }
    map
}

fn entry(a: &Entry, b: &Entry, found: &mut Vec<Difference>) {
    let header = |entry: &Entry| format!("{entry} time={}", entry.mtime);
    if header(a) != header(b) || a.kind != b.kind {
        found.push(Difference::Header {
            path: a.path.clone(),
            a: header(a),
            b: header(b),
        });
    }
    if let Some(at) = first_difference(&a.content, &b.content) {
        found.push(Difference::Content {
            path: a.path.clone(),
            at,
        });
    }
}

fn first_difference(a: &[u8], b: &[u8]) -> Option<Bytes> {
    if a == b {
        return None;
    }
    let offset = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let excerpt = |bytes: &[u8]| bytes[offset..].iter().take(16).copied().collect();
    Some(Bytes {
        offset,
        a: excerpt(a),
        b: excerpt(b),
        sizes: (a.len(), b.len()),
    })
}

fn walk(document: &'static str, at: &str, a: &Value, b: &Value, found: &mut Vec<Difference>) {
    if a == b {
        return;
    }
    if let (Value::Object(a), Value::Object(b)) = (a, b) {
        let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        for key in keys {
            let (a, b) = (
                a.get(key).unwrap_or(&Value::Null),
                b.get(key).unwrap_or(&Value::Null),
            );
            let inner = if at.is_empty() {
                key.clone()
            } else {
                format!("{at} > {key}")
            };
            walk(document, &inner, a, b, found);
        }
        return;
    }
    found.push(Difference::Field {
        document,
        field: at.to_owned(),
        a: a.to_string(),
        b: b.to_string(),
    });
}
