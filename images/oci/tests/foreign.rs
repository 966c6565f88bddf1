//! Foreign tools read our images, find the digests that we state, and unpack the files that we
//! listed: `skopeo` and `umoci`, which must be installed.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;
use support::{Bench, oci, refused};

fn made() -> (Bench, Value) {
    let bench = Bench::new();
    bench.assemble_and_archive();
    let facts = oci(&["facts", &bench.text("image")]).ok().unwrap();
    (bench, serde_json::from_str(&facts).unwrap())
}

/// Runs a tool that must succeed and gives its standard output.
fn tool(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program} (a Debian package of that name): {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

fn skopeo(arguments: &[&str]) -> String {
    // No policy file of this machine decides whether our own image may be read, and /var/tmp,
    // where skopeo would unfold archives, is not writable in every sandbox.
    let temporary = std::env::temp_dir();
    let temporary = temporary.to_str().expect("a temporary path is Unicode");
    tool(
        "skopeo",
        &[&["--insecure-policy", "--tmpdir", temporary], arguments].concat(),
    )
}

#[test]
fn skopeo_finds_our_digest_in_layout_and_archive() {
    let (bench, facts) = made();
    for reference in [
        format!("oci:{}", bench.text("image")),
        format!("oci:{}:sample", bench.text("image")),
        format!("oci-archive:{}", bench.text("image.tar")),
        format!("oci-archive:{}:sample", bench.text("image.tar")),
    ] {
        let inspected: Value = serde_json::from_str(&skopeo(&["inspect", &reference])).unwrap();
        assert_eq!(inspected["Digest"], facts["manifest_digest"], "{reference}");
        assert_eq!(inspected["Architecture"], "amd64");
        assert_eq!(
            inspected["Labels"]["tee.launch_policy.allow_cmd_override"],
            "false"
        );
    }
}

#[test]
fn skopeo_copies_our_archive_without_changing_its_digest() {
    let (bench, facts) = made();
    let from = format!("oci-archive:{}", bench.text("image.tar"));
    let to = format!("oci:{}:copy", bench.text("copy"));
    skopeo(&["copy", "--quiet", &from, &to]);
    let inspected: Value = serde_json::from_str(&skopeo(&["inspect", &to])).unwrap();
    assert_eq!(inspected["Digest"], facts["manifest_digest"]);
}

/// What `oci diff` shows of our image beside what skopeo made of it.
fn difference(bench: &Bench, copy: &str) -> Option<String> {
    match oci(&["diff", &bench.text("image"), &bench.text(copy)]) {
        Ok(_) => None,
        Err(failure) => {
            let report = support::report(&failure);
            assert_eq!(failure.error.exit_code(), 1, "{report}");
            Some(failure.data)
        }
    }
}

const FORMS: [(&str, &str); 4] = [
    ("oci:", ""),
    ("oci:", ":some-name"),
    ("oci-archive:", ""),
    ("oci-archive:", ":some/name:v1"),
];

#[test]
fn a_copy_by_skopeo_does_not_differ() {
    let (bench, _) = made();
    let from = format!("oci:{}", bench.text("image"));
    for (place, (form, name)) in FORMS.iter().enumerate() {
        let copy = format!("copy-{place}");
        let to = format!("{form}{}{name}", bench.text(&copy));
        skopeo(&["copy", "--quiet", &from, &to]);
        assert_eq!(difference(&bench, &copy), None, "{to}");
    }
}

#[test]
fn a_copy_of_another_build_differs_in_the_file_that_does() {
    let (bench, _) = made();
    bench.put("program", b"#!not a real Program\n\x00\x01\x02\x03");
    bench.assemble("other");
    let from = format!("oci:{}", bench.text("other"));
    for (place, (form, name)) in FORMS.iter().enumerate() {
        let copy = format!("copy-{place}");
        let to = format!("{form}{}{name}", bench.text(&copy));
        skopeo(&["copy", "--quiet", &from, &to]);
        let shown = difference(&bench, &copy).unwrap();
        let start = "/sample: first differing byte at 13 (25 and 25 bytes)\n";
        assert!(shown.starts_with(start), "{shown}");
    }
}

#[test]
fn a_copy_with_another_compression_differs_in_that_alone() {
    let (bench, _) = made();
    let ours = format!("oci:{}", bench.text("image"));
    let recompressed = |format: &str, from: &str, to: &str| {
        let to = format!("oci:{}", bench.text(to));
        let format = format!("--dest-compress-format={format}");
        skopeo(&["copy", "--quiet", "--dest-compress", &format, from, &to]);
        to
    };
    let zstd = recompressed("zstd", &ours, "zstd");
    let (code, report) = refused(&["diff", &bench.text("image"), &bench.text("zstd")]);
    assert_eq!(code, 65);
    assert!(report.contains("compressed with zstd"), "{report}");
    // As that message proposes.
    recompressed("gzip", &zstd, "gzip");
    let shown = difference(&bench, "gzip").unwrap();
    let start = "the layer differs in its compression alone: ";
    assert!(shown.starts_with(start), "{shown}");
}

#[test]
fn a_layout_that_skopeo_added_to_asks_which_image_is_meant() {
    let (bench, facts) = made();
    bench.put("program", b"other");
    bench.assemble("other");
    for (image, name) in [("image", "one"), ("other", "two")] {
        let from = format!("oci:{}", bench.text(image));
        let to = format!("oci:{}:{name}", bench.text("both"));
        skopeo(&["copy", "--quiet", &from, &to]);
    }
    let (code, report) = refused(&["diff", &bench.text("image"), &bench.text("both")]);
    assert_eq!(code, 65);
    assert!(
        report.contains("holds 2 images, choose one with LAYOUT@DIGEST: "),
        "{report}"
    );
    let ours = facts["manifest_digest"].as_str().unwrap();
    assert_eq!(difference(&bench, &format!("both@{ours}")), None);
}

/// What `docker load` reads, as far as a machine without a Docker engine can tell.
#[test]
fn as_a_docker_archive_it_is_the_image_of_the_same_id() {
    let (bench, facts) = made();
    let from = format!("docker-archive:{}:sample:latest", bench.text("image.tar"));
    let to = format!("dir:{}", bench.text("copy"));
    skopeo(&["copy", "--quiet", &from, &to]);
    let manifest: Value = serde_json::from_slice(&bench.read("copy/manifest.json")).unwrap();
    assert_eq!(manifest["config"]["digest"], facts["config_digest"]);
}

#[test]
fn umoci_unpacks_the_files_that_we_promised() {
    let (bench, _) = made();
    let image = format!("{}:sample", bench.text("image"));
    tool(
        "umoci",
        &[
            "unpack",
            "--rootless",
            "--image",
            &image,
            &bench.text("bundle"),
        ],
    );
    assert_eq!(bench.read("bundle/rootfs/sample"), bench.read("program"));
    assert_eq!(
        bench.read("bundle/rootfs/etc/ssl/certs/ca-certificates.crt"),
        bench.read("roots.crt")
    );
    for (path, mode) in [("etc", 0o755), ("etc/passwd", 0o644), ("sample", 0o755)] {
        let unpacked = bench.path("bundle/rootfs").join(path);
        assert_eq!(
            unpacked.metadata().unwrap().permissions().mode() & 0o7777,
            mode,
            "{path}"
        );
    }
    let config: Value = serde_json::from_slice(&bench.read("bundle/config.json")).unwrap();
    assert_eq!(config["process"]["args"], serde_json::json!(["/sample"]));
    assert_eq!(config["process"]["cwd"], "/");
}
