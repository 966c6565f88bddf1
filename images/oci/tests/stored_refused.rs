//! What `oci diff` does not read: each way is refused by name, and before it can cost memory.

mod support;

use std::fs::{self, File};
use std::os::unix::fs::symlink;

use mcbn_oci::blobs::{LARGEST_DOCUMENT, LARGEST_LAYERS, blob_path};
use mcbn_oci::digest::Digest;
use mcbn_oci::{gzip, spec};
use serde_json::json;
use support::stored::{member, pack, put_layers, reason, reason_of, shown, two};
use support::{Bench, edit_config, edit_index, edit_manifest, refused};

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
