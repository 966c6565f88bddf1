//! `oci diff` reads what any tool stored, and shows what differs in it.

mod support;

use std::fs;

use mcbn_oci::digest::Digest;
use mcbn_oci::image::Image;
use mcbn_oci::tree::{Mode, Tree};
use mcbn_oci::{gzip, spec};
use serde_json::json;
use support::stored::{
    add_to_index, compressed_otherwise, nest, pack, put_layers, reason, reason_of, second_manifest,
    shown, two,
};
use support::{edit_config, edit_index, edit_manifest, put_blob, refused};

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
    let mut tree = Tree::default();
    tree.add("/sample", Mode::Program, b"evil".to_vec())
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
