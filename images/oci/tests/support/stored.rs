//! An image beside the same one as another tool may store it.

use std::fs::File;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use mcbn_oci::digest::Digest;
use mcbn_oci::image::Image;
use mcbn_oci::{layout, spec};
use serde_json::{Value, json};

use super::{Bench, edit_index, edit_manifest, oci, put_blob, refused, report};

/// Our image as `a`, and once more as `image`, to be stored in another way.
pub fn two() -> (Bench, Image) {
    let bench = Bench::new();
    bench.assemble("a");
    bench.assemble("image");
    let image = layout::open(&bench.path("image")).unwrap();
    (bench, image)
}

/// What `oci diff` shows of `a` beside `other`.
pub fn shown(bench: &Bench, other: &str) -> String {
    match oci(&["diff", &bench.text("a"), &bench.text(other)]) {
        Ok(nothing) => {
            assert_eq!(nothing, "");
            nothing
        }
        Err(failure) => {
            let said = report(&failure);
            assert_eq!(failure.error.exit_code(), 1, "{said}");
            assert_ne!(failure.data, "", "a difference is shown");
            failure.data
        }
    }
}

/// Why `oci diff` does not read `other`.
pub fn reason_of(bench: &Bench, other: &str) -> String {
    let (code, report) = refused(&["diff", &bench.text("a"), &bench.text(other)]);
    assert_eq!(code, 65, "{report}");
    let path = bench.text(other.split('@').next().unwrap());
    let start = format!("oci: error: {path}: ");
    let reason = report.strip_prefix(&start).expect("the layout is named");
    reason.trim_end().to_owned()
}

pub fn reason(bench: &Bench) -> String {
    reason_of(bench, "image")
}

/// Lets the image have these layers: media type, bytes as stored, tar.
pub fn put_layers(bench: &Bench, image: &Image, layers: &[(&str, Vec<u8>, &[u8])]) {
    let descriptors: Vec<Value> = layers
        .iter()
        .map(|(kind, bytes, _)| {
            let (digest, size) = put_blob(bench, bytes);
            json!({"mediaType": kind, "digest": digest, "size": size})
        })
        .collect();
    let mut config: Value = serde_json::from_slice(&image.config_bytes).unwrap();
    let tars = layers.iter().map(|(_, _, tar)| json!(Digest::of(tar)));
    config["rootfs"]["diff_ids"] = tars.collect();
    let (digest, size) = put_blob(bench, config.to_string().as_bytes());
    edit_manifest(bench, image, |manifest| {
        manifest["layers"] = json!(descriptors);
        manifest["config"]["digest"] = digest;
        manifest["config"]["size"] = size;
    });
}

/// As a tool with another compressor would.
pub fn compressed_otherwise(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Another manifest of the same image, as a blob; its descriptor.
pub fn second_manifest(bench: &Bench, image: &Image) -> (Digest, Value) {
    let bytes = [&image.manifest_bytes[..], b"\n"].concat();
    let (digest, size) = put_blob(bench, &bytes);
    let descriptor = json!({"mediaType": spec::MANIFEST, "digest": digest, "size": size});
    (Digest::of(&bytes), descriptor)
}

pub fn add_to_index(bench: &Bench, descriptor: Value) {
    edit_index(bench, |index| {
        index["manifests"].as_array_mut().unwrap().push(descriptor);
    });
}

/// Moves what `index.json` lists into an index that it refers to.
pub fn nest(bench: &Bench) {
    let (digest, size) = put_blob(bench, &bench.read("image/index.json"));
    let descriptor = json!({"mediaType": spec::INDEX, "digest": digest, "size": size});
    let index = json!({"schemaVersion": 2, "manifests": [descriptor]});
    bench.put("image/index.json", index.to_string().as_bytes());
}

/// Packs the layout `image` as another tool would; `first` adds members before the layout's own.
pub fn pack(bench: &Bench, first: impl FnOnce(&mut tar::Builder<File>)) {
    let mut archive = tar::Builder::new(File::create(bench.path("image.tar")).unwrap());
    first(&mut archive);
    archive.append_dir_all(".", bench.path("image")).unwrap();
    archive.finish().unwrap();
}

/// A member whose path and link name are written as they are.
pub fn member(archive: &mut tar::Builder<File>, kind: tar::EntryType, path: &str, content: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    if kind.is_symlink() || kind.is_hard_link() {
        header.set_link_name("/etc/hostname").unwrap();
    }
    header.set_cksum();
    archive.append(&header, content).unwrap();
}
