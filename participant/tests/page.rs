//! The page of a keeper, on the command line.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    // Bazel gives a path from the folder in which the test starts.
    let program = fs::canonicalize(env!("CARGO_BIN_EXE_mcbn")).unwrap();
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear();
    command.arg("keeper").args(arguments).output().unwrap()
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn a_page_that_other_machines_could_reach_is_refused() {
    let folder = TempDir::new().unwrap();
    for address in [
        "0.0.0.0:0",
        "192.0.2.1:7401",
        "[::]:0",
        "[2001:db8::1]:7401",
    ] {
        let output = run(folder.path(), &["run", "--page", address]);
        assert_eq!(output.status.code(), Some(64));
        let told = "mcbn: error: --page: not a loopback address, and other machines could reach it (expected ADDR:PORT)\n";
        assert!(stderr(&output).contains(told), "{}", stderr(&output));
    }
    // What is left is what else is missing.
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let output = run(folder.path(), &["run", "--page", address]);
        assert!(!stderr(&output).contains("--page"), "{}", stderr(&output));
    }
}

#[test]
fn there_is_no_address_where_no_keeper_runs() {
    let folder = TempDir::new().unwrap();
    let output = run(folder.path(), &["page", "--ledger", "ledger"]);
    assert_eq!(output.status.code(), Some(74));
    fs::write(folder.path().join("ledger"), "").unwrap();
    let expected = "mcbn: error: no keeper with a page runs on this ledger\n\
                    mcbn: hint: mcbn keeper run --page 127.0.0.1:0 opens one\n";
    let output = run(folder.path(), &["page", "--ledger", "ledger"]);
    assert_eq!(
        (output.status.code(), stderr(&output)),
        (Some(69), expected)
    );
    // One that was killed leaves its own behind.
    let left = folder.path().join("ledger.page");
    fs::write(&left, "http://127.0.0.1:1/enter?token=old\n").unwrap();
    fs::set_permissions(&left, PermissionsExt::from_mode(0o600)).unwrap();
    let output = run(folder.path(), &["page", "--ledger", "ledger"]);
    assert_eq!(
        (output.status.code(), stderr(&output)),
        (Some(69), expected)
    );
    assert!(output.stdout.is_empty());
}
