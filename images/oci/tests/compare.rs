//! `oci verify`, `oci lock` and `oci diff`: every way in which an image can be another one.

mod support;

use std::fs;

use support::{Bench, oci, refused};

fn locked() -> Bench {
    let bench = Bench::new();
    bench.assemble("image");
    oci(&[
        "lock",
        "--out",
        &bench.text("digests.lock"),
        &bench.text("image"),
    ])
    .ok()
    .unwrap();
    bench
}

fn verify(bench: &Bench) -> Result<String, (u8, String, String)> {
    let lock = format!("--lock={}", bench.text("digests.lock"));
    oci(&["verify", &lock, &bench.text("image")]).map_err(|failure| {
        (
            failure.error.exit_code(),
            failure.data.clone(),
            support::report(&failure),
        )
    })
}

/// Makes the image again after a change of its inputs or flags.
fn rebuild(bench: &Bench, extra: &[&str]) {
    fs::remove_dir_all(bench.path("image")).unwrap();
    let mut recipe = bench.recipe("image");
    recipe.extend(extra.iter().map(|&flag| flag.to_owned()));
    oci(&recipe).ok().unwrap();
}

#[test]
fn an_image_that_equals_its_line_is_verified() {
    let bench = locked();
    let table = verify(&bench).unwrap();
    let facts = oci(&["facts", &bench.text("image")]).ok().unwrap();
    let facts: serde_json::Value = serde_json::from_str(&facts).unwrap();
    let expected = format!(
        "image                platform          size  verdict\n\
         sample               linux/amd64  {:>9}  same as the lock\n  \
         manifest digest  {}\n  config digest    {}\n  program          {}\n",
        facts["compressed_size"].as_u64().unwrap(),
        facts["manifest_digest"].as_str().unwrap(),
        facts["config_digest"].as_str().unwrap(),
        facts["program_sha256"].as_str().unwrap(),
    );
    assert_eq!(table, expected);
}

/// The part that `oci verify` names after a rebuild.
fn part(bench: &Bench, extra: &[&str]) -> String {
    rebuild(bench, extra);
    let (code, table, report) = verify(bench).unwrap_err();
    assert_eq!(code, 1);
    let first = report.lines().next().unwrap();
    let part = first
        .strip_prefix("oci: error: sample: DIFFERS: ")
        .unwrap()
        .to_owned();
    assert!(table.contains(&format!("  DIFFERS: {part}\n")), "{table}");
    let digests = |what: &str| -> Vec<String> {
        let lines = table
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix(what));
        lines.map(str::to_owned).collect()
    };
    let manifests = digests("manifest digest ");
    assert_eq!(
        manifests.len(),
        2,
        "what was built and what the lock says: {table}"
    );
    assert_ne!(manifests[0], manifests[1]);
    assert!(report.contains("\noci: hint: "), "{report}");
    part
}

#[test]
fn the_part_that_differs_is_named() {
    let bench = locked();
    assert_eq!(
        part(&bench, &["--log-redirect=always"]),
        "the configuration"
    );
    assert_eq!(part(&bench, &["--env=A=b"]), "the configuration");
    let files = "the file list or a file beside the program";
    let more = format!("--file=/etc/hosts={}", bench.text("roots.crt"));
    assert_eq!(part(&bench, &[&more]), files);
    bench.put("roots.crt", b"other");
    assert_eq!(part(&bench, &[]), files);
    bench.put("program", b"other");
    assert_eq!(part(&bench, &[]), "the program");
}

#[test]
fn an_image_that_only_one_side_names_is_refused() {
    let bench = locked();
    let lock = String::from_utf8(bench.read("digests.lock")).unwrap();
    bench.put("digests.lock", lock.replace("sample ", "other ").as_bytes());
    let (code, table, report) = verify(&bench).unwrap_err();
    assert_eq!(code, 1);
    assert!(
        table.contains("DIFFERS: built, but not in the lock"),
        "{table}"
    );
    assert!(
        table.contains("DIFFERS: in the lock, but not built"),
        "{table}"
    );
    assert_eq!(report.matches("oci: error: ").count(), 2, "{report}");
}

#[test]
fn a_lock_that_is_missing_or_malformed_is_refused() {
    let bench = locked();
    let lock = bench.read("digests.lock");
    bench.put("digests.lock", &[&lock[..], b"\n"].concat());
    let (code, table, report) = verify(&bench).unwrap_err();
    assert_eq!((code, table.as_str()), (65, ""));
    assert!(
        report.contains("digests.lock: line 6: no image name"),
        "{report}"
    );
    bench.put("digests.lock", b"\xff");
    assert_eq!(verify(&bench).unwrap_err().0, 65);
    fs::remove_file(bench.path("digests.lock")).unwrap();
    let (code, _, report) = verify(&bench).unwrap_err();
    assert_eq!(code, 74);
    assert!(report.contains("digests.lock: No such file"), "{report}");
}

#[test]
fn an_image_given_twice_is_refused() {
    let bench = locked();
    let (code, report) = refused(&[
        "lock",
        "--out",
        &bench.text("digests.lock"),
        &bench.text("image"),
        &bench.text("image"),
    ]);
    assert_eq!(code, 65);
    assert!(
        report.ends_with("image: sample is given twice\n"),
        "{report}"
    );
}

fn differences(bench: &Bench) -> String {
    match oci(&["diff", &bench.text("a"), &bench.text("image")]) {
        Ok(nothing) => nothing,
        Err(failure) => {
            assert_eq!(failure.error.exit_code(), 1);
            failure.data
        }
    }
}

/// An image that is kept as `a`, to be compared with what is rebuilt as `image`.
fn kept() -> Bench {
    let bench = Bench::new();
    bench.assemble("a");
    bench.assemble("image");
    bench
}

#[test]
fn equal_images_have_no_difference() {
    let bench = Bench::new();
    bench.assemble("a");
    bench.assemble_and_archive();
    assert_eq!(differences(&bench), "");
    let compared = oci(&["diff", &bench.text("a"), &bench.text("image.tar")]);
    assert_eq!(compared.ok(), Some(String::new()));
}

#[test]
fn the_first_differing_byte_of_a_file_is_shown() {
    let bench = kept();
    bench.put("program", b"#!not a real program\n\x00\x01\x07\x03more");
    rebuild(&bench, &[]);
    assert_eq!(
        differences(&bench),
        "/sample: first differing byte at 23 (25 and 29 bytes)\n  \
         a: 02 03                                            ..\n  \
         b: 07 03 6d 6f 72 65                                ..more\n"
    );
    bench.put("program", b"#!not a real");
    rebuild(&bench, &[]);
    assert!(differences(&bench).contains("at 12 (25 and 12 bytes)"));
    assert!(differences(&bench).ends_with("  b: (end)\n"));
}

#[test]
fn a_file_that_only_one_has_is_shown() {
    let bench = kept();
    rebuild(
        &bench,
        &[&format!("--file=/etc/hosts={}", bench.text("roots.crt"))],
    );
    assert_eq!(differences(&bench), "only in b: -rw-r--r-- 0:0 etc/hosts\n");
    let compared = oci(&["diff", &bench.text("image"), &bench.text("a")])
        .err()
        .unwrap();
    assert_eq!(compared.data, "only in a: -rw-r--r-- 0:0 etc/hosts\n");
}

#[test]
fn a_field_of_the_configuration_is_shown_by_its_path() {
    let bench = kept();
    bench.put(
        "settings.json",
        support::SETTINGS.replace("8443/", "443/").as_bytes(),
    );
    rebuild(&bench, &["--log-redirect=always"]);
    assert_eq!(
        differences(&bench),
        "configuration: config > ExposedPorts > 443/tcp\n  a: null\n  b: {}\n\
         configuration: config > ExposedPorts > 8443/tcp\n  a: {}\n  b: null\n\
         configuration: config > Labels > tee.launch_policy.log_redirect\n  \
         a: \"debugonly\"\n  b: \"always\"\n"
    );
}
