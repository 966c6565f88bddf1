//! Foreign tools read our images, find the digests that we state, and unpack the files that we
//! listed: `skopeo` and `umoci`, which must be installed.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;
use support::{Bench, oci};

fn made() -> (Bench, Value) {
    let bench = Bench::new();
    bench.assemble("image");
    oci(&[
        "archive",
        "--out",
        &bench.text("image.tar"),
        &bench.text("image"),
    ])
    .ok()
    .unwrap();
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
