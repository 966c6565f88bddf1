//! The programs under test.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Every workload: its name and its program, in order of name.
///
/// Bazel hands the list over, from `images/workloads.bzl`. Under cargo it is the folders of `workloads`, and the
/// programs are those of the last `cargo build`.
pub fn all() -> Vec<(String, PathBuf)> {
    let mut all = match std::env::var("WORKLOADS") {
        Ok(list) => list
            .split_whitespace()
            .map(|entry| entry.split_once('=').expect("NAME=PATH"))
            .map(|(name, path)| (name.to_owned(), absolute(path)))
            .collect(),
        Err(_) => built_by_cargo(),
    };
    all.sort();
    assert!(!all.is_empty(), "there are no workloads");
    all
}

/// A command for the workload, with no variable of this process's environment.
pub fn workload(name: &str) -> Command {
    let (_, program) = all()
        .into_iter()
        .find(|(other, _)| other == name)
        .unwrap_or_else(|| panic!("there is no workload {name}"));
    assert!(
        program.is_file(),
        "{} is not built; under cargo, run `cargo build --workspace` first",
        program.display()
    );
    let mut command = Command::new(program);
    command.env_clear();
    command
}

fn absolute(path: &str) -> PathBuf {
    std::path::absolute(path).expect("there is a working folder")
}

fn built_by_cargo() -> Vec<(String, PathBuf)> {
    let test = std::env::current_exe().expect("a test has a path");
    // target/<profile>/deps/<test>
    let built = test.ancestors().nth(2).expect("cargo's folders");
    let workloads = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workloads");
    std::fs::read_dir(workloads)
        .expect("the folder of workloads")
        .map(|entry| entry.expect("it can be listed"))
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| entry.file_name().into_string().expect("plain names"))
        .map(|name| (name.clone(), built.join(name)))
        .collect()
}
