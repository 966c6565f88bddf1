//! `mcbn manifest check`, as people meet it.

use std::fs;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Of lib/share/testdata/bls_prf.json.
const COMMITMENTS: [&str; 2] = [
    "a7bb3d85521ee1972f9e9c830ea15df33b2d44e4e41de73ddf2b67be6b86f273f242fdcd2aeeade7bf89ef224eb8edca",
    "a28667d5fc7760718573bbf314338f6c87ba1baa442103fc86ab551e34372055a5d6240aee2a2aa4a86232e185a74674",
];

const GOOD: &str = include_str!("../testdata/manifest.toml");

/// Runs it in a folder with this file.
fn check(name: &str, content: impl AsRef<[u8]>) -> Output {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(name), content).unwrap();
    run(&folder, &[name])
}

fn run(folder: &TempDir, arguments: &[&str]) -> Output {
    // Bazel gives a path from the folder in which the test starts.
    let program = fs::canonicalize(env!("CARGO_BIN_EXE_mcbn")).unwrap();
    let mut command = Command::new(program);
    command.current_dir(folder.path()).env_clear();
    command.args(["manifest", "check"]).args(arguments);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

#[test]
fn a_manifest_is_shown_with_every_demand() {
    for (manifest, shown) in [
        (GOOD, include_str!("../testdata/manifest.txt")),
        (
            include_str!("../testdata/every_demand.toml"),
            include_str!("../testdata/every_demand.txt"),
        ),
        (
            include_str!("../testdata/cloud.toml"),
            include_str!("../testdata/cloud.txt"),
        ),
    ] {
        let output = check("house.toml", manifest);
        assert_eq!(text(&output.stderr), "");
        assert_eq!(text(&output.stdout), shown);
        assert!(output.status.success());
    }
}

#[test]
fn what_was_weakened_cannot_be_overlooked() {
    let weak = GOOD.replace(
        "[attestation]",
        "[attestation]\ninsecure-debug = true\ninsecure-no-secure-boot = true",
    );
    let output = check("house.toml", weak);
    let shown = text(&output.stdout);
    for line in [
        "  debug             ACCEPTED (insecure-debug)\n",
        "  secure-boot       NOT DEMANDED (insecure-no-secure-boot)\n",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
}

#[test]
fn shares_that_are_revealed_cannot_be_overlooked() {
    let group = |derivation| {
        let rule = format!(
            "rule = {{ threshold = 2 }}\nderivation = \"{derivation}\"\ncommitments = {COMMITMENTS:?}"
        );
        let manifest = GOOD.replace("rule = \"unanimous\"", &rule);
        assert_ne!(manifest, GOOD);
        check("house.toml", manifest)
    };
    let output = group("bls-reveal-v1");
    let shown = text(&output.stdout);
    for line in [
        "derivation          bls-reveal-v1\n",
        &format!("group key           {}\n", COMMITMENTS[0]),
        "shares              REVEALED: with enough of them a workload signs alone\n",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    let output = group("bls-prf-v1");
    assert!(!text(&output.stdout).contains("REVEALED"));
}

#[test]
fn words_of_the_manifest_cannot_act_on_a_terminal_or_look_like_lines() {
    let odd = GOOD.replace(
        "cmd-override = []",
        "cmd-override = [\"\\u001b[2J\\n  cmd-override      none\", \"\u{202e}\"]",
    );
    assert_ne!(odd, GOOD);
    let output = check("house.toml", odd);
    let shown = text(&output.stdout);
    assert!(
        shown.contains(
            "  cmd-override      \"\\u{1b}[2J\\n  cmd-override      none\" \"\\u{202e}\"\n"
        ),
        "{shown}"
    );
    assert!(shown.is_ascii() && !shown.contains('\x1b'));
}

#[test]
fn every_mistake_is_reported_with_its_place() {
    let bad = GOOD
        .replace("lease = 300", "lease = 1")
        .replace("keeper = \"a", "keepr = \"a");
    let output = check("house.toml", bad);
    assert_eq!(output.status.code(), Some(64));
    assert_eq!(text(&output.stdout), "");
    assert_eq!(
        text(&output.stderr),
        "mcbn: error: house.toml:5:9: 'lease' must be from 10 to 86400\n\
         mcbn: error: house.toml:7:1: 'keeper' is missing\n\
         mcbn: error: house.toml:9:1: unknown key 'keepr' (did you mean 'keeper'?)\n"
    );
}

#[test]
fn a_file_named_to_act_on_a_terminal_is_shown_escaped() {
    let output = check("\u{1b}[2J\n", "");
    assert_eq!(output.status.code(), Some(64));
    assert_eq!(
        text(&output.stderr),
        "mcbn: error: \\u{1b}[2J\\n:1:1: 'version' is missing\n"
    );
}

#[test]
fn a_file_that_is_not_there_is_no_mistake_of_its_author() {
    let output = run(&TempDir::new().unwrap(), &["house.toml"]);
    assert_eq!(output.status.code(), Some(74));
    let stderr = text(&output.stderr);
    assert!(
        stderr.starts_with("mcbn: error: cannot read the manifest: No such file"),
        "{stderr}"
    );
}

#[test]
fn a_huge_file_is_refused_before_it_is_read() {
    let folder = TempDir::new().unwrap();
    let file = fs::File::create(folder.path().join("huge")).unwrap();
    file.set_len(1 << 40).unwrap();
    let output = run(&folder, &["huge"]);
    assert_eq!(output.status.code(), Some(64));
    assert_eq!(
        text(&output.stderr),
        "mcbn: error: huge:1:1: a manifest is at most 262144 bytes\n"
    );
}

#[test]
fn a_command_without_a_file_is_refused() {
    let output = run(&TempDir::new().unwrap(), &[]);
    assert_eq!(output.status.code(), Some(64));
    assert_eq!(
        text(&output.stderr),
        "mcbn: error: FILE is required\n\
         mcbn: hint: mcbn manifest check --help lists every flag and variable\n"
    );
}
