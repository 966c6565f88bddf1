//! Against a real registry server, with `skopeo` as the reader on the other side. Both must be
//! installed.

mod support;

use std::fs;
use std::process::Command;

use serde_json::Value;
use support::real::{Registry, Wire};
use support::{Bench, Pushed};

fn skopeo(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("skopeo")
        .args(["--insecure-policy", "--tmpdir"])
        .arg(std::env::temp_dir())
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("skopeo (a Debian package): {error}"));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(text(output.stderr))
    }
}

fn inspected(reference: &str) -> Value {
    let reference = format!("docker://{reference}");
    let printed = skopeo(&["inspect", "--tls-verify=false", &reference]).unwrap();
    serde_json::from_str(&printed).unwrap()
}

fn raw(reference: &str) -> Result<Value, String> {
    let reference = format!("docker://{reference}");
    let printed = skopeo(&["inspect", "--raw", "--tls-verify=false", &reference])?;
    Ok(serde_json::from_str(&printed).unwrap())
}

#[test]
fn what_is_pushed_comes_back_with_the_same_digest() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let pushed = bench.push_images(&["one", "two"], &format!("{}/a/b", registry.host), &[]);
    assert_eq!(pushed.code, Some(0), "{}", pushed.said);
    let reference = |name: &str| format!("{}/a/b/{name}@{}", registry.host, bench.digest(name));
    assert_eq!(
        pushed.printed,
        format!("{}\n{}\n", reference("one"), reference("two"))
    );
    for name in ["one", "two"] {
        assert_eq!(inspected(&reference(name))["Digest"], bench.digest(name));
        let from = format!("docker://{}", reference(name));
        let to = format!("oci:{}:{name}", bench.text(&format!("{name}-back")));
        skopeo(&["copy", "--quiet", "--src-tls-verify=false", &from, &to]).unwrap();
        assert_eq!(bench.digest(name), {
            let index = fs::read(bench.path(&format!("{name}-back/index.json"))).unwrap();
            let index: Value = serde_json::from_slice(&index).unwrap();
            index["manifests"][0]["digest"].as_str().unwrap().to_owned()
        });
    }
}

#[test]
fn tags_are_put_when_asked_for_and_lead_to_the_same_digest() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let untagged = bench.push(&registry.host, &[]);
    assert_eq!(untagged.code, Some(0), "{}", untagged.said);
    let of_bills = format!("one:sha256-{}", &bench.digest("one")[7..]);
    assert_eq!(registry.tags().join(" "), of_bills);

    let tagged = bench.push(&registry.host, &["--tag=v1.2.3", "--tag=latest"]);
    assert_eq!(tagged.uploads(), 2, "the tags alone: {}", tagged.said);
    assert_eq!(
        registry.tags(),
        ["one:latest".to_owned(), of_bills, "one:v1.2.3".to_owned()]
    );
    assert_eq!(
        inspected(&format!("{}/one:v1.2.3", registry.host))["Digest"],
        bench.digest("one")
    );
}

#[test]
fn a_tag_moves_to_a_new_image() {
    let (bench, registry) = (Bench::new(), Registry::start());
    assert_eq!(bench.push(&registry.host, &["--tag=latest"]).code, Some(0));
    let before = bench.digest("one");
    let other = Bench::new();
    fs::remove_dir_all(other.path("one")).unwrap();
    other.assemble("one", "#!another program\n");
    let lock = [
        "lock",
        "--out",
        &other.text("digests.lock"),
        &other.text("one"),
    ];
    mcbn_oci::commands::run(lock.iter().map(Into::into))
        .ok()
        .unwrap();
    assert_ne!(before, other.digest("one"));
    assert_eq!(other.push(&registry.host, &["--tag=latest"]).code, Some(0));
    let tag = format!("{}/one:latest", registry.host);
    assert_eq!(inspected(&tag)["Digest"], other.digest("one"));
    // The image that was there before is there still, by digest.
    assert_eq!(
        inspected(&format!("{}/one@{before}", registry.host))["Digest"],
        before
    );
}

#[test]
fn a_second_push_uploads_nothing() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let first = bench.push(&registry.host, &["--tag=latest"]);
    // Configuration, layer, manifest; empty configuration, bill, its manifest, index; tag.
    assert_eq!(first.uploads(), 8, "{}", first.said);
    let second = bench.push(&registry.host, &["--tag=latest"]);
    assert_eq!(second.uploads(), 0, "{}", second.said);
    assert_eq!(second.printed, first.printed);
}

#[test]
fn the_bill_of_materials_refers_to_the_image() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let pushed = bench.push(&registry.host, &[]);
    assert_eq!(pushed.code, Some(0), "{}", pushed.said);
    let tag = format!("sha256-{}", &bench.digest("one")[7..]);
    let index = raw(&format!("{}/one:{tag}", registry.host)).unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), 1);
    assert_eq!(
        index["manifests"][0]["artifactType"],
        "application/vnd.cyclonedx+json"
    );
    let digest = index["manifests"][0]["digest"].as_str().unwrap();
    let artifact = raw(&format!("{}/one@{digest}", registry.host)).unwrap();
    assert_eq!(artifact["subject"]["digest"], bench.digest("one"));
    assert_eq!(artifact["artifactType"], "application/vnd.cyclonedx+json");
    let bill = fs::read(bench.path("one.cdx.json")).unwrap();
    assert_eq!(
        artifact["layers"][0]["digest"],
        mcbn_oci::digest::Digest::of(&bill).to_string()
    );
}

#[test]
fn a_second_bill_is_listed_beside_the_first() {
    let (bench, registry) = (Bench::new(), Registry::start());
    assert_eq!(bench.push(&registry.host, &[]).code, Some(0));
    bench.put(
        "one.cdx.json",
        r#"{"metadata":{"component":{"name":"one"}},"version":2}"#,
    );
    assert_eq!(bench.push(&registry.host, &[]).code, Some(0));
    let tag = format!("sha256-{}", &bench.digest("one")[7..]);
    let index = raw(&format!("{}/one:{tag}", registry.host)).unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
}

#[test]
fn an_interrupted_upload_leaves_no_tag_and_can_be_taken_up() {
    let (bench, registry) = (Bench::new(), Registry::start());
    // Everything that is sent on one connection of a whole push is some thousand bytes.
    let (mut interrupted, mut finished) = (0, 0);
    for limit in (200..6000).step_by(290) {
        let wire = Wire::cut_after(&registry, limit);
        let pushed = bench.push_images(&["one", "two"], &wire.host, &["--tag=latest"]);
        let tags = registry.tags();
        let tagged = tags.iter().filter(|tag| tag.ends_with(":latest")).count();
        if pushed.code == Some(0) {
            assert_eq!(tagged, 2);
            finished += 1;
        } else {
            assert!(pushed.refused(69).contains("no answer"), "{}", pushed.said);
            assert!(
                tagged == 0 || everything_is_there(&bench, &registry),
                "{tags:?}"
            );
            interrupted += 1;
        }
    }
    assert!(
        interrupted > 3,
        "the wire was cut {interrupted} times, {finished} pushes finished"
    );
    let pushed = bench.push_images(&["one", "two"], &registry.host, &["--tag=latest"]);
    assert_eq!(pushed.code, Some(0), "{}", pushed.said);
    assert!(everything_is_there(&bench, &registry));
}

fn everything_is_there(bench: &Bench, registry: &Registry) -> bool {
    ["one", "two"].iter().all(|name| {
        let reference = format!("{}/{name}@{}", registry.host, bench.digest(name));
        inspected(&reference)["Digest"] == bench.digest(name)
    })
}

// "alice" and "open sesame", as `htpasswd -B` writes it with the least cost: made for this test.
const HTPASSWD: &str = "alice:$2b$04$sYuq6sI3DG0OGsplk1ngM.buZggiOR210cUhX6kF1qSuI2nbQZBj6\n";
const AUTH: &str = "auth:\n  htpasswd:\n    realm: test\n    path: FOLDER/htpasswd\n";

#[test]
fn a_registry_that_knows_its_users_takes_those_of_dockers_configuration() {
    let bench = Bench::new();
    let registry = Registry::with(AUTH, &[("htpasswd", HTPASSWD)]);
    let refused = bench.push(&registry.host, &[]).refused(77);
    assert!(
        refused.contains("wants credentials, and there are none for it"),
        "{refused}"
    );
    assert!(
        refused.contains("oci-push: hint: log in with `docker login`"),
        "{refused}"
    );

    let configure = |pair: &str| {
        use base64ct::{Base64, Encoding};
        let auth = Base64::encode_string(pair.as_bytes());
        bench.configure(&format!(
            r#"{{"auths":{{"{}":{{"auth":"{auth}"}}}}}}"#,
            registry.host
        ));
    };
    configure("alice:wrong sesame");
    let refused = bench.push(&registry.host, &[]).refused(77);
    assert!(refused.contains("refuses the credentials"), "{refused}");
    assert!(!refused.contains("wrong sesame"), "{refused}");

    configure("alice:open sesame");
    assert_eq!(bench.push(&registry.host, &[]).uploads(), 7);
}

#[test]
fn a_credential_helper_is_asked_by_host() {
    let bench = Bench::new();
    let registry = Registry::with(AUTH, &[("htpasswd", HTPASSWD)]);
    let helper = format!(
        "#!/bin/sh\nread -r host\n[ \"$1 $host\" = \"get {}\" ] || exit 1\n\
         echo '{{\"Username\":\"alice\",\"Secret\":\"open sesame\"}}'\n",
        registry.host
    );
    bench.install("docker-credential-test", &helper);
    bench.configure(&format!(
        r#"{{"credHelpers":{{"{}":"test"}}}}"#,
        registry.host
    ));
    assert_eq!(bench.push(&registry.host, &[]).uploads(), 7);
    bench.configure(r#"{"credsStore":"test"}"#);
    assert_eq!(bench.push(&registry.host, &[]).uploads(), 0);
}

#[test]
fn tls_is_spoken_to_a_registry_whose_ca_is_trusted_and_to_no_other() {
    let bench = Bench::new();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let tls = "  tls:\n    certificate: FOLDER/cert.pem\n    key: FOLDER/key.pem\n";
    let files = [
        ("cert.pem", certificate.pem()),
        ("key.pem", key.serialize_pem()),
    ];
    let files = files
        .each_ref()
        .map(|(name, content)| (*name, content.as_str()));
    let registry = Registry::with(tls, &files);
    let port = registry.host.rsplit(':').next().unwrap();
    let destination = format!("https://localhost:{port}");

    // A list of trusted CAs that does not hold this one.
    let other = rcgen::KeyPair::generate().unwrap();
    let other = rcgen::CertificateParams::new(vec!["other".to_owned()])
        .unwrap()
        .self_signed(&other)
        .unwrap();
    bench.put("ca.pem", &other.pem());
    let refused = bench.push(&destination, &[]).refused(69);
    assert!(refused.contains("no answer"), "{refused}");
    assert!(
        refused.contains("oci-push: hint: for a registry with a private CA"),
        "{refused}"
    );

    bench.put("ca.pem", &certificate.pem());
    assert_eq!(bench.push(&destination, &[]).uploads(), 7);

    // In clear it does not answer as a registry.
    let Pushed { code, said, .. } = bench.push(&registry.host, &[]);
    assert_eq!(code, Some(76), "{said}");
}
