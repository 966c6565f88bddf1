//! What differs between two images, down to the file and its first byte: what to look at when
//! someone rebuilds and gets another digest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::digest::Digest;
use crate::image::Image;
use crate::spec::{self, Descriptor, Manifest};
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
    /// The tar streams differ where their entries do not: order, padding or owner names.
    Tar(Bytes),
    /// A field of a JSON document, as a path of keys, `null` where it is absent.
    Field {
        document: &'static str,
        field: String,
        a: String,
        b: String,
    },
    /// Same content, other bytes of the compressed layer: another compressor.
    Compression(Bytes),
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
            Self::Header { path, a, b } => write!(f, "/{path}: header\n  a: {a}\n  b: {b}"),
            Self::Content { path, at } => write!(f, "/{path}: {at}"),
            Self::Tar(at) => write!(f, "the layer's tar form: {at}"),
            Self::Field {
                document,
                field,
                a,
                b,
            } => {
                write!(f, "{document}: {field}\n  a: {a}\n  b: {b}")
            }
            Self::Compression(at) => write!(f, "the layer's compression: {at}"),
        }
    }
}

/// Every difference between two images; none means the same manifest digest.
pub fn diff(a: &Image, b: &Image) -> Vec<Difference> {
    let mut found = files(&a.entries, &b.entries);
    if let (true, Some(at)) = (found.is_empty(), first_difference(&a.tar, &b.tar)) {
        found.push(Difference::Tar(at));
    }
    let same_files = found.is_empty();
    // The digest of the layer follows from the files: it is no difference of its own.
    let config = |image: &Image| {
        let mut config = image.config.clone();
        config.rootfs.diff_ids.clear();
        config
    };
    fields("configuration", &config(a), &config(b), &mut found);
    if let (true, Some(at)) = (same_files, first_difference(&a.layer, &b.layer)) {
        found.push(Difference::Compression(at));
    }
    let manifest = |image: &Image| Manifest {
        layers: Vec::new(),
        config: Descriptor::of(spec::CONFIG, b""),
        ..image.manifest.clone()
    };
    fields("manifest", &manifest(a), &manifest(b), &mut found);
    // JSON of the same value in another spelling, or another name of the same image.
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

fn files(a: &[Entry], b: &[Entry]) -> Vec<Difference> {
    let by_path = |entries: &[Entry]| -> BTreeMap<String, Vec<Entry>> {
        let mut map: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for entry in entries {
            map.entry(entry.path.clone())
                .or_default()
                .push(entry.clone());
        }
        map
    };
    let (a, b) = (by_path(a), by_path(b));
    let paths: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let mut found = Vec::new();
    for path in paths {
        let none = Vec::new();
        let (a, b) = (a.get(path).unwrap_or(&none), b.get(path).unwrap_or(&none));
        for place in 0..a.len().max(b.len()) {
            match (a.get(place), b.get(place)) {
                (Some(a), Some(b)) => entry(a, b, &mut found),
                (Some(a), None) => {
                    found.push(Difference::Only {
                        side: Side::A,
                        entry: a.to_string(),
                    });
                }
                (None, Some(b)) => {
                    found.push(Difference::Only {
                        side: Side::B,
                        entry: b.to_string(),
                    });
                }
                (None, None) => {}
            }
        }
    }
    found
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

fn fields<T: Serialize>(document: &'static str, a: &T, b: &T, found: &mut Vec<Difference>) {
    let value = |part| serde_json::to_value(part).expect("strings and maps become JSON");
    walk(document, "", &value(a), &value(b), found);
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
