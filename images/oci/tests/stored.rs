//! `oci diff` reads what any tool stored, shows what differs in it, and refuses the rest by name.

mod support;

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;

use flate2::Compression;
use flate2::write::GzEncoder;
use mcbn_oci::blobs::{LARGEST_DOCUMENT, LARGEST_LAYERS, blob_path};
use mcbn_oci::digest::Digest;
use mcbn_oci::image::Image;
use mcbn_oci::{gzip, layout, spec};
use serde_json::{Value, json};
use support::{Bench, edit_config, edit_index, edit_manifest, oci, put_blob, refused};

/// Our image as `a`, and once more as `image`, to be stored in another way.
fn two() -> (Bench, Image) {
    let bench = Bench::new();
    bench.assemble("a");
    bench.assemble("image");
    let image = layout::open(&bench.path("image")).unwrap();
    (bench, image)
}

/// What `oci diff` shows of `a` beside `other`.
fn shown(bench: &Bench, other: &str) -> String {
    match oci(&["diff", &bench.text("a"), &bench.text(other)]) {
        Ok(nothing) => {
            assert_eq!(nothing, "");
            nothing
        }
        Err(failure) => {
            let report = support::report(&failure);
            assert_eq!(failure.error.exit_code(), 1, "{report}");
            assert_ne!(failure.data, "", "a difference is shown");
            failure.data
        }
    }
}

/// Why `oci diff` does not read `other`.
fn reason_of(bench: &Bench, other: &str) -> String {
    let (code, report) = refused(&["diff", &bench.text("a"), &bench.text(other)]);
    assert_eq!(code, 65, "{report}");
    let path = bench.text(other.split('@').next().unwrap());
    let start = format!("oci: error: {path}: ");
    let reason = report.strip_prefix(&start).expect("the layout is named");
    reason.trim_end().to_owned()
}

fn reason(bench: &Bench) -> String {
    reason_of(bench, "image")
}

/// Lets the image have these layers: media type, bytes as stored, tar.
fn put_layers(bench: &Bench, image: &Image, layers: &[(&str, Vec<u8>, &[u8])]) {
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
fn compressed_otherwise(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Another manifest of the same image, as a blob; its descriptor.
fn second_manifest(bench: &Bench, image: &Image) -> (Digest, Value) {
    let bytes = [&image.manifest_bytes[..], b"\n"].concat();
    let (digest, size) = put_blob(bench, &bytes);
    let descriptor = json!({"mediaType": spec::MANIFEST, "digest": digest, "size": size});
    (Digest::of(&bytes), descriptor)
}

fn add_to_index(bench: &Bench, descriptor: Value) {
    edit_index(bench, |index| {
        index["manifests"].as_array_mut().unwrap().push(descriptor);
    });
}

/// Moves what `index.json` lists into an index that it refers to.
fn nest(bench: &Bench) {
    let (digest, size) = put_blob(bench, &bench.read("image/index.json"));
    let descriptor = json!({"mediaType": spec::INDEX, "digest": digest, "size": size});
    let index = json!({"schemaVersion": 2, "manifests": [descriptor]});
    bench.put("image/index.json", index.to_string().as_bytes());
}

// --- Read --------------------------------------------------------------------------------------

#[test]
fn other_white_space_and_fields_of_a_layout_are_no_difference() {
    let (bench, _) = two();
    for layout in [
        "{\"imageLayoutVersion\": \"1.0.0\"}",
        "\n{ \"imageLayoutVersion\" : \"1.12.3\", \"more\": [] }\n",
    ] {
        bench.put("image/oci-layout", layout.as_bytes());
        assert_eq!(shown(&bench, "image"), "");
    }
    edit_index(&bench, |index| {
        index.as_object_mut().unwrap().remove("mediaType");
        index["more"] = json!({"a": 1});
        index["annotations"] = json!({"a": "b"});
        let image = index["manifests"][0].as_object_mut().unwrap();
        image.remove("annotations");
        image["platform"] = json!({"architecture": "amd64", "os": "linux", "variant": "v1"});
    });
    assert_eq!(shown(&bench, "image"), "");
    edit_index(&bench, |index| {
        let image = index["manifests"][0].as_object_mut().unwrap();
        image.remove("platform");
        image.insert(
            "annotations".to_owned(),
            json!({spec::REF_NAME: "v1.2_x/y"}),
        );
    });
    assert_eq!(shown(&bench, "image"), "");
}

#[test]
fn one_image_is_found_under_two_names_beside_other_things_and_in_indexes() {
    let (bench, image) = two();
    edit_index(&bench, |index| {
        let twin = index["manifests"][0].clone();
        index["manifests"].as_array_mut().unwrap().push(twin);
    });
    assert_eq!(shown(&bench, "image"), "");
    let (_, mut bill) = second_manifest(&bench, &image);
    bill["artifactType"] = json!("application/vnd.cyclonedx+json");
    add_to_index(&bench, bill);
    add_to_index(
        &bench,
        json!({"mediaType": "application/x", "digest": Digest::of(b""), "size": 0}),
    );
    assert_eq!(shown(&bench, "image"), "");
    for _ in 0..3 {
        nest(&bench);
        assert_eq!(shown(&bench, "image"), "");
    }
    nest(&bench);
    assert_eq!(reason(&bench), "indexes are nested more than 4 deep");
}

#[test]
fn one_of_several_images_is_chosen_by_its_digest() {
    let (bench, image) = two();
    let (other, descriptor) = second_manifest(&bench, &image);
    add_to_index(&bench, descriptor);
    let ours = image.manifest_digest();
    let mut both = [ours.to_string(), other.to_string()];
    both.sort();
    let both = both.join(", ");
    assert_eq!(
        reason(&bench),
        format!("the layout holds 2 images, choose one with LAYOUT@DIGEST: {both}")
    );
    assert_eq!(shown(&bench, &format!("image@{ours}")), "");
    assert!(shown(&bench, &format!("image@{other}")).starts_with("manifest: spelling, at byte"));
    let absent = Digest::of(b"absent");
    assert_eq!(
        reason_of(&bench, &format!("image@{absent}")),
        format!("the layout does not hold image {absent}, but {both}")
    );
}

#[test]
fn a_path_with_an_at_sign_is_a_path() {
    let (bench, _) = two();
    fs::rename(bench.path("image"), bench.path("me@home")).unwrap();
    assert_eq!(shown(&bench, "me@home"), "");
    let (code, report) = refused(&["diff", &bench.text("a"), &bench.text("b@sha256:12")]);
    assert_eq!(code, 74);
    assert!(report.contains("b@sha256:12: No such file"), "{report}");
}

/// Packs the layout `image` as another tool would; `first` adds members before the layout's own.
fn pack(bench: &Bench, first: impl FnOnce(&mut tar::Builder<File>)) {
    let mut archive = tar::Builder::new(File::create(bench.path("image.tar")).unwrap());
    first(&mut archive);
    archive.append_dir_all(".", bench.path("image")).unwrap();
    archive.finish().unwrap();
}

/// A member whose path and link name are written as they are.
fn member(archive: &mut tar::Builder<File>, kind: tar::EntryType, path: &str, content: &[u8]) {
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

#[test]
fn an_archive_of_another_tool_is_the_same_image() {
    let (bench, _) = two();
    pack(&bench, |archive| {
        let long = format!("blobs/{}", "long/".repeat(40));
        archive
            .append_pax_extensions([("comment", &b"x"[..])])
            .unwrap();
        archive.append_dir(long, bench.path("a")).unwrap();
    });
    assert_eq!(shown(&bench, "image.tar"), "");
}

#[test]
fn only_the_compression_differs_and_this_is_said() {
    let (bench, image) = two();
    let halves = image.tar.split_at(1024);
    let members = [gzip::compress(halves.0), gzip::compress(halves.1)].concat();
    for other in [compressed_otherwise(&image.tar), members] {
        put_layers(&bench, &image, &[(spec::LAYER, other, &image.tar)]);
        let data = shown(&bench, "image");
        let start = "the layer differs in its compression alone: first differing byte at ";
        assert!(data.starts_with(start), "{data}");
        assert_eq!(data.lines().count(), 3, "{data}");
    }
    put_layers(
        &bench,
        &image,
        &[(spec::LAYER_TAR, image.tar.clone(), &image.tar)],
    );
    let data = shown(&bench, "image");
    assert!(data.starts_with("the layer differs in its compression alone: "));
    assert!(data.contains("\nmanifest: layers\n"), "{data}");
}

/// The layer's files, packed by another tool after `change` of one file's content.
fn packed(image: &Image, prefix: &str, change: impl Fn(&str, &mut Vec<u8>)) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for entry in &image.entries {
        let mut content = entry.content.clone();
        change(&entry.path, &mut content);
        let mut header = tar::Header::new_gnu();
        let path = format!("{prefix}{}", entry.path);
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(match entry.path.ends_with('/') {
            true => tar::EntryType::Directory,
            false => tar::EntryType::Regular,
        });
        header.set_mode(entry.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append(&header, &content[..]).unwrap();
    }
    archive.into_inner().unwrap()
}

#[test]
fn a_file_within_a_layer_of_another_tool_is_named() {
    let (bench, image) = two();
    let change = |path: &str, content: &mut Vec<u8>| {
        if path == "sample" {
            content[22] ^= 0x10;
        }
    };
    let tar = packed(&image, "", change);
    let stored = compressed_otherwise(&tar);
    put_layers(&bench, &image, &[(spec::LAYER, stored, &tar)]);
    assert_eq!(
        shown(&bench, "image"),
        "/sample: first differing byte at 22 (25 and 25 bytes)\n  \
         a: 01 02 03                                         ...\n  \
         b: 11 02 03                                         ...\n"
    );
    // Where its paths begin with `./`, a file still stands beside its twin.
    let tar = packed(&image, "./", change);
    let stored = compressed_otherwise(&tar);
    put_layers(&bench, &image, &[(spec::LAYER, stored, &tar)]);
    let data = shown(&bench, "image");
    assert!(
        data.contains("\n/sample: first differing byte at 22"),
        "{data}"
    );
    assert!(
        data.contains("  b: -rwxr-xr-x 0:0 ./sample time=0\n"),
        "{data}"
    );
    assert!(!data.contains("only in"), "{data}");
}

#[test]
fn a_tar_that_differs_beside_its_files_is_shown_at_its_member() {
    let (bench, image) = two();
    let tar = packed(&image, "", |_, _| {});
    let stored = gzip::compress(&tar);
    put_layers(&bench, &image, &[(spec::LAYER, stored, &tar)]);
    let data = shown(&bench, "image");
    // GNU's magic beside ustar's gives another sum of the first header.
    let start = "the layer's tar form, at /etc/: first differing byte at 152 ";
    assert!(data.starts_with(start), "{data}");
    let tar = [&image.tar[..], &[0; 512]].concat();
    let stored = gzip::compress(&tar);
    put_layers(&bench, &image, &[(spec::LAYER, stored, &tar)]);
    let data = shown(&bench, "image");
    let start = "the layer's tar form, behind its files: first differing byte at ";
    assert!(data.starts_with(start), "{data}");
}

#[test]
fn a_further_layer_is_shown_by_its_files() {
    let (bench, image) = two();
    let mut tree = mcbn_oci::tree::Tree::default();
    tree.add("/sample", mcbn_oci::tree::Mode::Program, b"evil".to_vec())
        .unwrap();
    let more = tree.to_tar();
    let layers = [
        (spec::LAYER, image.layer.clone(), &image.tar[..]),
        (spec::LAYER, gzip::compress(&more), &more[..]),
    ];
    put_layers(&bench, &image, &layers);
    let data = shown(&bench, "image");
    let start = "only in b: -rwxr-xr-x 0:0 sample\nmanifest: layers\n";
    assert!(data.starts_with(start), "{data}");
    // And one that adds no file.
    let none = vec![0; 1024];
    let layers = [
        (spec::LAYER, image.layer.clone(), &image.tar[..]),
        (spec::LAYER, gzip::compress(&none), &none[..]),
    ];
    put_layers(&bench, &image, &layers);
    assert!(shown(&bench, "image").starts_with("manifest: layers\n"));
}

#[test]
fn a_field_that_our_images_do_not_have_is_shown() {
    let (bench, image) = two();
    edit_config(&bench, &image, |config| {
        config["config"]["Cmd"] = json!(["--debug", "\u{1b}[2J"]);
    });
    assert_eq!(
        shown(&bench, "image"),
        "configuration: config > Cmd\n  a: null\n  b: [\"--debug\",\"\\u001b[2J\"]\n"
    );
    edit_manifest(&bench, &image, |manifest| {
        manifest["extra\u{202e}"] = json!(1)
    });
    assert_eq!(
        shown(&bench, "image"),
        "manifest: extra\\u{202e}\n  a: null\n  b: 1\n"
    );
}

#[test]
fn a_path_that_would_rule_the_terminal_is_shown_escaped() {
    let (bench, image) = two();
    let mut tar = image.tar.clone();
    let name = "etc/\u{1b}[8m";
    tar[..name.len()].copy_from_slice(name.as_bytes());
    tar[148..156].fill(b' ');
    let sum: u32 = tar[..512].iter().map(|byte| u32::from(*byte)).sum();
    tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    put_layers(&bench, &image, &[(spec::LAYER, gzip::compress(&tar), &tar)]);
    let data = shown(&bench, "image");
    assert!(
        data.contains("only in b: drwxr-xr-x 0:0 etc/\\u{1b}[8m\n"),
        "{data}"
    );
}

#[test]
fn the_same_json_in_another_spelling_is_shown() {
    let (bench, image) = two();
    let spaced = [&image.manifest_bytes[..], b" "].concat();
    let (digest, size) = put_blob(&bench, &spaced);
    edit_index(&bench, |index| {
        index["manifests"][0]["digest"] = digest;
        index["manifests"][0]["size"] = size;
    });
    let at = image.manifest_bytes.len();
    let start = format!("manifest: spelling, at byte {at}\n");
    assert!(shown(&bench, "image").starts_with(&start));
}

// --- Refused -----------------------------------------------------------------------------------

#[test]
fn a_layout_of_another_version_is_refused() {
    let (bench, _) = two();
    for version in [
        "2.0.0", "1", "1.0", "1.x.0", "1..0", "1.0.0.0", "10.0.0", "",
    ] {
        let layout = json!({"imageLayoutVersion": version}).to_string();
        bench.put("image/oci-layout", layout.as_bytes());
        let expected = format!("oci-layout says version {version:?}, only 1 is read");
        assert_eq!(reason(&bench), expected);
    }
    for layout in ["", "{}", "1.0.0", r#"{"imageLayoutVersion": 1}"#] {
        bench.put("image/oci-layout", layout.as_bytes());
        let reason = reason(&bench);
        assert!(
            reason.starts_with("the oci-layout is not readable: "),
            "{reason}"
        );
    }
    fs::remove_file(bench.path("image/oci-layout")).unwrap();
    assert_eq!(reason(&bench), "no file oci-layout in the layout");
}

#[test]
fn an_index_without_an_image_is_refused() {
    let (bench, _) = two();
    edit_index(&bench, |index| {
        index["manifests"][0]["mediaType"] = json!("application/vnd.docker.x\n");
    });
    assert_eq!(
        reason(&bench),
        "the index lists no image, but application/vnd.docker.x\\u{a}"
    );
    edit_index(&bench, |index| index["manifests"] = json!([]));
    assert_eq!(reason(&bench), "the index lists no image");
    edit_index(&bench, |index| {
        index.as_object_mut().unwrap().remove("manifests");
    });
    assert!(reason(&bench).starts_with("the index is not readable: missing field"));
}

#[test]
fn an_index_of_too_many_entries_is_refused() {
    let (bench, _) = two();
    edit_index(&bench, |index| {
        let image = index["manifests"][0].clone();
        index["manifests"] = vec![image; 4097].into();
    });
    assert_eq!(reason(&bench), "the indexes list more than 4096 entries");
}

#[test]
fn another_media_type_or_schema_is_refused() {
    let (bench, image) = two();
    edit_index(&bench, |index| index["mediaType"] = json!(spec::MANIFEST));
    let kind = format!("{:?}", spec::MANIFEST);
    assert_eq!(
        reason(&bench),
        format!("the index is of an unknown kind, {kind}")
    );
    edit_index(&bench, |index| {
        index["mediaType"] = json!(spec::INDEX);
        index["schemaVersion"] = json!(1);
    });
    assert_eq!(
        reason(&bench),
        "the index has schema version 1, only 2 is read"
    );
    edit_index(&bench, |index| index["schemaVersion"] = json!(2));
    for (change, expected) in [
        (
            json!({"schemaVersion": 1}),
            "the manifest has schema version 1, only 2 is read",
        ),
        (
            json!({"mediaType": "x"}),
            "the manifest is of an unknown kind, \"x\"",
        ),
    ] {
        edit_manifest(&bench, &image, |manifest| {
            let change = change.as_object().unwrap().clone();
            manifest.as_object_mut().unwrap().extend(change);
        });
        assert_eq!(reason(&bench), expected);
    }
    edit_manifest(&bench, &image, |manifest| {
        manifest["config"]["mediaType"] = json!(spec::EMPTY);
    });
    let kind = format!("{:?}", spec::EMPTY);
    assert_eq!(
        reason(&bench),
        format!("the configuration is of an unknown kind, {kind}")
    );
    edit_manifest(&bench, &image, |manifest| {
        manifest["layers"][0]["mediaType"] = json!("application/x");
    });
    assert_eq!(
        reason(&bench),
        "the layer is of an unknown kind, \"application/x\""
    );
    edit_manifest(&bench, &image, |manifest| {
        manifest["layers"][0]["mediaType"] = json!(spec::LAYER_ZSTD);
    });
    let reason = reason(&bench);
    assert!(reason.starts_with("the layer is compressed with zstd, which is not read: "));
}

#[test]
fn damage_is_refused_in_any_form_too() {
    let (bench, image) = two();
    bench.put("image/oci-layout", b"{ \"imageLayoutVersion\": \"1.0.0\" }");
    for (part, digest) in [
        ("manifest", image.manifest_digest()),
        ("configuration", image.config_digest()),
        ("layer", image.layer_digest()),
    ] {
        let path = bench.path("image").join(blob_path(&digest));
        let good = fs::read(&path).unwrap();
        let bad = [&good[..], b" "].concat();
        fs::write(&path, &bad).unwrap();
        let found = Digest::of(&bad);
        assert_eq!(
            reason(&bench),
            format!("the {part} is damaged: {digest} is named, its bytes give {found}")
        );
        fs::remove_file(&path).unwrap();
        let missing = blob_path(&digest);
        assert_eq!(reason(&bench), format!("no file {missing} in the layout"));
        fs::write(&path, &good).unwrap();
    }
    assert_eq!(shown(&bench, "image"), "");

    edit_manifest(&bench, &image, |manifest| {
        manifest["config"]["size"] = json!(7)
    });
    let size = image.config_bytes.len();
    let expected = format!("the configuration is damaged: 7 bytes are named, it has {size}");
    assert_eq!(reason(&bench), expected);
    let other = gzip::compress(b"other");
    put_layers(&bench, &image, &[(spec::LAYER, other, &image.tar)]);
    assert!(reason(&bench).starts_with("the layer's content is damaged: sha256:"));
    let cut = image.layer[..image.layer.len() - 1].to_vec();
    put_layers(&bench, &image, &[(spec::LAYER, cut, &image.tar)]);
    assert!(reason(&bench).starts_with("the layer does not decompress: "));
    let more = [&image.layer[..], b"hidden"].concat();
    put_layers(&bench, &image, &[(spec::LAYER, more, &image.tar)]);
    assert!(reason(&bench).starts_with("the layer does not decompress: "));
    edit_config(&bench, &image, |config| {
        config["rootfs"]["diff_ids"] = json!([])
    });
    assert_eq!(
        reason(&bench),
        "the manifest lists 1 layers, the configuration 0"
    );
    edit_index(&bench, |index| {
        index["manifests"][0]["digest"] = json!("sha256:../../../etc/hostname");
    });
    let reason = reason(&bench);
    assert!(
        reason.starts_with("the index is not readable: not a digest"),
        "{reason}"
    );
}

#[test]
fn what_is_larger_than_it_may_be_is_refused_before_it_is_read() {
    let (bench, image) = two();
    let layers = LARGEST_LAYERS;
    edit_manifest(&bench, &image, |manifest| {
        manifest["layers"][0]["size"] = json!(LARGEST_LAYERS + 1);
    });
    let expected = format!("the layer is larger than {layers} bytes, so it is not read");
    assert_eq!(reason(&bench), expected);
    edit_manifest(&bench, &image, |manifest| {
        manifest["config"]["size"] = json!(u64::MAX)
    });
    let expected =
        format!("the configuration is larger than {LARGEST_DOCUMENT} bytes, so it is not read");
    assert_eq!(reason(&bench), expected);
    // Sparse files: they take no room on the disk.
    let grow = |name: &str, size| {
        let file = File::create(bench.path(name)).unwrap();
        file.set_len(size).unwrap();
    };
    grow("image/index.json", LARGEST_DOCUMENT + 1);
    let expected =
        format!("the file index.json is larger than {LARGEST_DOCUMENT} bytes, so it is not read");
    assert_eq!(reason(&bench), expected);
    grow("image.tar", 2 * LARGEST_LAYERS + 1);
    let expected = format!(
        "the archive is larger than {} bytes, so it is not read",
        2 * LARGEST_LAYERS
    );
    assert_eq!(reason_of(&bench, "image.tar"), expected);
}

/// Small as stored: a mebibyte of zeros, again and again. Of two layers, since the bound is for
/// the image.
#[test]
fn layers_that_unfold_beyond_the_bound_are_refused() {
    const MEBIBYTE: usize = 1 << 20;
    let (bench, image) = two();
    let half = (LARGEST_LAYERS as usize) / MEBIBYTE / 2;
    let one = gzip::compress(&vec![0; MEBIBYTE]);
    let tar = vec![0; half * MEBIBYTE];
    let layers = [
        (spec::LAYER, one.repeat(half), &tar[..]),
        (spec::LAYER, one.repeat(half + 1), b"never seen"),
    ];
    put_layers(&bench, &image, &layers);
    let left = LARGEST_LAYERS / 2;
    let expected = format!("the layer does not decompress: unfolds to more than {left} bytes");
    assert_eq!(reason(&bench), expected);
}

#[test]
fn an_archive_with_more_than_files_and_folders_is_refused() {
    use tar::EntryType;
    let (bench, _) = two();
    for (kind, path, expected) in [
        (
            EntryType::Symlink,
            "oci-layout",
            "\"oci-layout\" is no plain file",
        ),
        (EntryType::Link, "x", "\"x\" is no plain file"),
        (EntryType::Char, "blobs/x", "\"blobs/x\" is no plain file"),
        (EntryType::Fifo, "x", "\"x\" is no plain file"),
        (
            EntryType::Regular,
            "../x",
            "the archive's path \"../x\" leads out of it",
        ),
        (
            EntryType::Directory,
            "blobs/../../x/",
            "the archive's path \"blobs/../../x/\" leads out of it",
        ),
        (
            EntryType::Regular,
            "/oci-layout",
            "the archive's path \"/oci-layout\" leads out of it",
        ),
        (
            EntryType::Regular,
            "./oci-layout",
            "the archive has \"oci-layout\" twice",
        ),
    ] {
        pack(&bench, |archive| member(archive, kind, path, b""));
        assert_eq!(reason_of(&bench, "image.tar"), expected);
    }
}

#[test]
fn a_cut_archive_is_refused() {
    let bench = Bench::new();
    bench.assemble("a");
    bench.assemble_and_archive();
    let archive = bench.read("image.tar");
    bench.put("image.tar", &archive[..700]);
    let reason = reason_of(&bench, "image.tar");
    let expected = "the archive is not a readable tar: failed to read entire block";
    assert_eq!(reason, expected);
    bench.put("image.tar", &gzip::compress(&archive));
    let reason = reason_of(&bench, "image.tar");
    assert!(
        reason.starts_with("the archive is not a readable tar: "),
        "{reason}"
    );
}

#[test]
fn what_is_no_plain_file_is_not_read() {
    let (bench, image) = two();
    for path in ["index.json".to_owned(), blob_path(&image.layer_digest())] {
        let full = bench.path("image").join(&path);
        let good = fs::read(&full).unwrap();
        let expected = format!("{path:?} is no plain file");
        fs::remove_file(&full).unwrap();
        fs::create_dir(&full).unwrap();
        assert_eq!(reason(&bench), expected);
        fs::remove_dir(&full).unwrap();
        symlink("/dev/zero", &full).unwrap();
        assert_eq!(reason(&bench), expected);
        fs::remove_file(&full).unwrap();
        // A link to a file brings in what its digest names, or nothing.
        bench.put("elsewhere", &good);
        symlink(bench.path("elsewhere"), &full).unwrap();
        assert_eq!(shown(&bench, "image"), "");
        fs::remove_file(&full).unwrap();
        fs::write(&full, &good).unwrap();
    }
    let (code, report) = refused(&["diff", &bench.text("a"), "/dev/zero"]);
    assert_eq!(code, 65);
    assert!(
        report.ends_with(": \"/dev/zero\" is no plain file\n"),
        "{report}"
    );
}

/// What stays strict: everything but the comparison.
#[test]
fn a_layout_in_another_form_is_not_ours() {
    let (bench, _) = two();
    bench.put("image/oci-layout", b"{\"imageLayoutVersion\": \"1.0.0\"}");
    for command in ["facts", "promise"] {
        let (code, report) = refused(&[command, &bench.text("image")]);
        assert_eq!(code, 65);
        assert!(
            report.ends_with("oci-layout does not say version 1.0.0\n"),
            "{report}"
        );
    }
    assert_eq!(shown(&bench, "image"), "");
}
