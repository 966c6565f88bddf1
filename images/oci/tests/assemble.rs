//! The form of an image, held by fixed inputs and their known outputs. A change here is a change
//! of every digest that participants have pinned.

mod support;

use std::fs;

use mcbn_oci::blobs::blob_path;
use mcbn_oci::digest::Digest;
use mcbn_oci::layout;
use support::{Bench, contents, oci, refused};

const MANIFEST: &str = "sha256:0b9783b31d67910d512fd8ff8e5e53cda86f04a38442a2219fa51e82ed3406de";

const CONFIG: &str = concat!(
    r#"{"created":"1970-01-01T00:00:00Z","architecture":"amd64","os":"linux","config":{"#,
    r#""User":"65532:65532","ExposedPorts":{"8081/udp":{},"8443/tcp":{}},"#,
    r#""Env":["SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"],"#,
    r#""Entrypoint":["/sample"],"WorkingDir":"/","Labels":{"#,
    r#""org.opencontainers.image.licenses":"Apache-2.0","#,
    r#""org.opencontainers.image.source":"https://source.example/sample","#,
    r#""org.opencontainers.image.title":"sample","#,
    r#""org.opencontainers.image.version":"1.2.3","#,
    r#""tee.launch_policy.allow_capabilities":"false","#,
    r#""tee.launch_policy.allow_cgroups":"false","#,
    r#""tee.launch_policy.allow_cmd_override":"false","#,
    r#""tee.launch_policy.allow_env_override":"SAMPLE_BACKEND,SAMPLE_LISTEN","#,
    r#""tee.launch_policy.hardened_monitoring":"none","#,
    r#""tee.launch_policy.log_redirect":"debugonly"}},"#,
    r#""rootfs":{"type":"layers","diff_ids":["sha256:fb0004c4851a6c5c69872fb19b9f7df2583d0757a97707e8e132722cf16c0ac8"]}}"#,
);

const PROMISE: &str = "\
# What this image promises, apart from contents: those are pinned in digests.lock.
# `bazel run //images:update_digests` rewrites it, //images:<name>_test holds it.
image sample
platform linux/amd64
created 1970-01-01T00:00:00Z
entrypoint /sample
user 65532:65532
directory /
port 8081/udp
port 8443/tcp
variable SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
label org.opencontainers.image.licenses=Apache-2.0
label org.opencontainers.image.source=https://source.example/sample
label org.opencontainers.image.title=sample
label org.opencontainers.image.version=1.2.3
label tee.launch_policy.allow_capabilities=false
label tee.launch_policy.allow_cgroups=false
label tee.launch_policy.allow_cmd_override=false
label tee.launch_policy.allow_env_override=SAMPLE_BACKEND,SAMPLE_LISTEN
label tee.launch_policy.hardened_monitoring=none
label tee.launch_policy.log_redirect=debugonly
annotation org.opencontainers.image.licenses=Apache-2.0
annotation org.opencontainers.image.source=https://source.example/sample
annotation org.opencontainers.image.title=sample
annotation org.opencontainers.image.version=1.2.3
file drwxr-xr-x 0:0 etc/
file -rw-r--r-- 0:0 etc/group
file -rw-r--r-- 0:0 etc/passwd
file drwxr-xr-x 0:0 etc/ssl/
file drwxr-xr-x 0:0 etc/ssl/certs/
file -rw-r--r-- 0:0 etc/ssl/certs/ca-certificates.crt
file -rwxr-xr-x 0:0 sample
";

#[test]
fn fixed_inputs_give_the_known_image() {
    let bench = Bench::new();
    bench.assemble("image");
    let image = layout::open(&bench.path("image")).unwrap();
    assert_eq!(String::from_utf8_lossy(&image.config_bytes), CONFIG);
    assert_eq!(
        oci(&["promise", &bench.text("image")]).ok(),
        Some(PROMISE.to_owned())
    );
    assert_eq!(image.manifest_digest().to_string(), MANIFEST);
    let passwd = image
        .entries
        .iter()
        .find(|entry| entry.path == "etc/passwd")
        .unwrap();
    assert_eq!(
        passwd.content,
        b"nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n"
    );
    let group = image
        .entries
        .iter()
        .find(|entry| entry.path == "etc/group")
        .unwrap();
    assert_eq!(group.content, b"nonroot:x:65532:\n");
}

#[test]
fn the_layout_holds_the_image_and_nothing_else() {
    let bench = Bench::new();
    bench.assemble("image");
    let image = layout::open(&bench.path("image")).unwrap();
    let mut expected = vec!["oci-layout".to_owned(), "index.json".to_owned()];
    for digest in [
        image.manifest_digest(),
        image.config_digest(),
        image.layer_digest(),
    ] {
        expected.push(blob_path(&digest));
    }
    expected.sort();
    let found: Vec<String> = contents(&bench.path("image"))
        .iter()
        .map(|(path, _)| {
            path.strip_prefix(bench.path("image"))
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let mut sorted = found.clone();
    sorted.sort();
    assert_eq!(sorted, expected);
    let index = bench.read("image/index.json");
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), 1);
    assert_eq!(index["manifests"][0]["digest"], MANIFEST);
    assert_eq!(
        index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"],
        "sample"
    );
}

#[test]
fn facts_are_those_of_the_bytes() {
    let bench = Bench::new();
    bench.assemble("image");
    let facts = oci(&["facts", &bench.text("image")]).ok().unwrap();
    let facts: serde_json::Value = serde_json::from_str(&facts).unwrap();
    let image = layout::open(&bench.path("image")).unwrap();
    assert_eq!(facts["image"], "sample");
    assert_eq!(facts["platform"], "linux/amd64");
    assert_eq!(facts["manifest_digest"], MANIFEST);
    assert_eq!(
        facts["config_digest"],
        Digest::of(CONFIG.as_bytes()).to_string()
    );
    assert_eq!(
        facts["index_digest"],
        Digest::of(&bench.read("image/index.json")).to_string()
    );
    assert_eq!(facts["diff_id"], Digest::of(&image.tar).to_string());
    assert_eq!(facts["compressed_size"], image.layer.len());
    assert_eq!(facts["uncompressed_size"], image.tar.len());
    assert_eq!(facts["program"], "/sample");
    assert_eq!(
        facts["program_sha256"],
        Digest::of(&bench.read("program")).to_string()
    );
}

#[test]
fn the_same_inputs_elsewhere_give_the_same_layout_and_archive() {
    let (one, other) = (Bench::new(), Bench::new());
    for bench in [&one, &other] {
        bench.assemble_and_archive();
    }
    let relative = |bench: &Bench| -> Vec<_> {
        contents(&bench.path("image"))
            .into_iter()
            .map(|(path, content)| {
                (
                    path.strip_prefix(bench.path("image")).unwrap().to_owned(),
                    content,
                )
            })
            .collect()
    };
    assert!(relative(&one) == relative(&other));
    assert!(one.read("image.tar") == other.read("image.tar"));
}

#[test]
fn the_archive_is_the_same_image() {
    let bench = Bench::new();
    bench.assemble_and_archive();
    let facts = |name| -> serde_json::Value {
        serde_json::from_str(&oci(&["facts", &bench.text(name)]).ok().unwrap()).unwrap()
    };
    let (mut layout, mut archive) = (facts("image"), facts("image.tar"));
    // The archive's own index carries one name more.
    assert_ne!(
        layout["index_digest"].take(),
        archive["index_digest"].take()
    );
    assert_eq!(layout, archive);
}

#[test]
fn a_folder_with_something_in_it_is_refused() {
    let bench = Bench::new();
    fs::create_dir(bench.path("image")).unwrap();
    bench.put("image/left-over", b"");
    let (code, report) = refused(&bench.recipe("image"));
    assert_eq!(code, 74);
    assert!(
        report.ends_with("image: the directory is not empty\n"),
        "{report}"
    );
}

#[test]
fn an_input_that_is_missing_is_named() {
    let bench = Bench::new();
    fs::remove_file(bench.path("roots.crt")).unwrap();
    let (code, report) = refused(&bench.recipe("image"));
    assert_eq!(code, 74);
    assert!(report.contains("roots.crt: No such file"), "{report}");
}

#[test]
fn a_file_in_the_place_of_the_program_is_refused() {
    let bench = Bench::new();
    let mut recipe = bench.recipe("image");
    recipe.push(format!("--file=/sample={}", bench.text("roots.crt")));
    let (code, report) = refused(&recipe);
    assert_eq!(code, 65);
    assert!(report.ends_with("/sample is there already\n"), "{report}");
}

#[test]
fn values_of_another_form_are_refused() {
    let bench = Bench::new();
    for (extra, expected) in [
        ("--file=nothing", "--file takes /PATH=FILE, not \"nothing\""),
        ("--env=NOTHING", "--env takes NAME=VALUE, not \"NOTHING\""),
        ("--env==x", "--env takes NAME=VALUE, not \"=x\""),
        (
            "--log-redirect=ever",
            "--log-redirect takes never, debugonly or always, not \"ever\"",
        ),
    ] {
        let mut recipe = bench.recipe("image");
        recipe.push(extra.to_owned());
        let (code, report) = refused(&recipe);
        assert_eq!(code, 64);
        assert!(
            report.starts_with(&format!("oci: error: {expected}\n")),
            "{report}"
        );
    }
}

#[test]
fn settings_that_cannot_be_used_are_refused_by_file() {
    let bench = Bench::new();
    bench.put(
        "settings.json",
        support::SETTINGS.replace("8443/", "0/").as_bytes(),
    );
    let (code, report) = refused(&bench.recipe("image"));
    assert_eq!(code, 65);
    assert!(
        report.ends_with("settings.json: \"0/tcp\" is not a port such as 8443/tcp or 8081/udp\n"),
        "{report}"
    );
}
