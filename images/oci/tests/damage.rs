//! An image is read whole or not at all: each way of damaging a layout is refused by name.

mod support;

use std::fs;

use mcbn_oci::blobs::blob_path;
use mcbn_oci::digest::Digest;
use mcbn_oci::image::Image;
use mcbn_oci::{gzip, layout};
use serde_json::json;
use support::{Bench, edit_config, edit_index, edit_manifest, put_blob, refused};

fn assembled() -> (Bench, Image) {
    let bench = Bench::new();
    bench.assemble("image");
    let image = layout::open(&bench.path("image")).unwrap();
    (bench, image)
}

/// What `oci facts` says of the layout, which it must refuse.
fn reason(bench: &Bench) -> String {
    let (code, report) = refused(&["facts", &bench.text("image")]);
    assert_eq!(code, 65, "{report}");
    let start = format!("oci: error: {}: ", bench.text("image"));
    report
        .strip_prefix(&start)
        .expect("the layout is named")
        .trim_end()
        .to_owned()
}

#[test]
fn a_changed_byte_in_any_blob_is_refused() {
    let (bench, image) = assembled();
    for (part, digest) in [
        ("manifest", image.manifest_digest()),
        ("configuration", image.config_digest()),
        ("layer", image.layer_digest()),
    ] {
        let path = bench.path("image").join(blob_path(&digest));
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        *bad.last_mut().unwrap() ^= 1;
        fs::write(&path, &bad).unwrap();
        let expected = format!(
            "the {part} is damaged: {digest} is named, its bytes give {}",
            Digest::of(&bad)
        );
        assert_eq!(reason(&bench), expected);
        fs::remove_file(&path).unwrap();
        assert_eq!(
            reason(&bench),
            format!("no file {} in the layout", blob_path(&digest))
        );
        fs::write(&path, &good).unwrap();
    }
    layout::open(&bench.path("image")).ok().unwrap();
}

#[test]
fn a_size_that_is_not_the_blobs_is_refused() {
    let (bench, image) = assembled();
    edit_manifest(&bench, &image, |manifest| {
        manifest["config"]["size"] = json!(7)
    });
    let size = image.config_bytes.len();
    let expected = format!("the configuration is damaged: 7 bytes are named, it has {size}");
    assert_eq!(reason(&bench), expected);
}

#[test]
fn a_second_image_is_refused() {
    let (bench, _) = assembled();
    edit_index(&bench, |index| {
        let twin = index["manifests"][0].clone();
        index["manifests"].as_array_mut().unwrap().push(twin);
    });
    assert_eq!(
        reason(&bench),
        "the index lists 2 images, it should list one"
    );
}

#[test]
fn a_second_layer_is_refused() {
    let (bench, image) = assembled();
    edit_manifest(&bench, &image, |manifest| {
        let twin = manifest["layers"][0].clone();
        manifest["layers"].as_array_mut().unwrap().push(twin);
    });
    assert_eq!(reason(&bench), "the image has 2 layers, it should have one");
}

#[test]
fn another_platform_is_refused() {
    let (bench, image) = assembled();
    edit_config(&bench, &image, |config| {
        config["architecture"] = json!("arm64")
    });
    assert_eq!(
        reason(&bench),
        "the platform is linux/arm64, it should be linux/amd64"
    );
}

#[test]
fn a_field_that_no_comparison_would_see_is_refused() {
    let (bench, image) = assembled();
    edit_config(&bench, &image, |config| {
        config["config"]["Cmd"] = json!(["--debug"])
    });
    assert!(reason(&bench).contains("unknown field `Cmd`"));
    edit_manifest(&bench, &image, |manifest| manifest["extra"] = json!(1));
    assert!(reason(&bench).contains("unknown field `extra`"));
}

#[test]
fn another_media_type_is_refused() {
    let (bench, image) = assembled();
    edit_manifest(&bench, &image, |manifest| {
        manifest["layers"][0]["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar");
    });
    assert_eq!(
        reason(&bench),
        "the layer is of an unknown kind, \"application/vnd.oci.image.layer.v1.tar\""
    );
}

#[test]
fn an_image_without_its_name_is_refused() {
    let (bench, _) = assembled();
    edit_index(&bench, |index| {
        index["manifests"][0]
            .as_object_mut()
            .unwrap()
            .remove("annotations");
    });
    let expected = "the index does not name its image (org.opencontainers.image.ref.name)";
    assert_eq!(reason(&bench), expected);
}

#[test]
fn content_that_is_not_the_diff_id_is_refused() {
    let (bench, image) = assembled();
    let (digest, size) = put_blob(&bench, &gzip::compress(b"another tar"));
    edit_manifest(&bench, &image, |manifest| {
        manifest["layers"][0]["digest"] = digest;
        manifest["layers"][0]["size"] = size;
    });
    assert!(reason(&bench).starts_with("the layer's content is damaged: sha256:"));
}

#[test]
fn bytes_after_the_layer_are_refused() {
    let (bench, image) = assembled();
    let (digest, size) = put_blob(&bench, &[&image.layer[..], b"hidden"].concat());
    edit_manifest(&bench, &image, |manifest| {
        manifest["layers"][0]["digest"] = digest;
        manifest["layers"][0]["size"] = size;
    });
    assert_eq!(
        reason(&bench),
        "the layer does not decompress: bytes after the end of the gzip member"
    );
}

#[test]
fn an_entrypoint_that_is_no_file_is_refused() {
    let (bench, image) = assembled();
    for entrypoint in [json!(["/bin/sh"]), json!([]), json!(["/etc"])] {
        edit_config(&bench, &image, |config| {
            config["config"]["Entrypoint"] = entrypoint
        });
        assert!(
            reason(&bench).ends_with("is no file of the image"),
            "{}",
            reason(&bench)
        );
    }
}

#[test]
fn a_layout_of_another_version_is_refused() {
    let (bench, _) = assembled();
    bench.put("image/oci-layout", br#"{"imageLayoutVersion":"2.0.0"}"#);
    assert_eq!(reason(&bench), "oci-layout does not say version 1.0.0");
}

#[test]
fn what_is_no_layout_is_refused() {
    let bench = Bench::new();
    fs::create_dir(bench.path("image")).unwrap();
    assert_eq!(reason(&bench), "no file oci-layout in the layout");
    fs::remove_dir(bench.path("image")).unwrap();
    bench.put("image", &[0; 1024]);
    assert_eq!(reason(&bench), "no file oci-layout in the layout");
}
