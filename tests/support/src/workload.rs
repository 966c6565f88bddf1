//! The programs under test: the workloads, and what a participant runs.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Every workload: its name and its program, in order of name.
///
/// Bazel hands the list over, from `images/workloads.bzl`. Under cargo it is the folders of `workloads`, and the
/// programs are those of the last `cargo build`.
pub fn all() -> Vec<(String, PathBuf)> {
    let mut all = handed_over("WORKLOADS").unwrap_or_else(built_by_cargo);
    all.sort();
    assert!(!all.is_empty(), "there are no workloads");
    all
}

/// A command for the workload, with no variable of this process's environment, and none that the program knows.
pub fn workload(name: &str) -> Command {
    let (_, program) = all()
        .into_iter()
        .find(|(other, _)| other == name)
        .unwrap_or_else(|| panic!("there is no workload {name}"));
    command(&program)
}

/// A command for what a participant runs, `mcbn`, with no variable of this process's environment.
pub fn mcbn() -> Command {
    let handed_over = handed_over("PARTICIPANT").into_iter().flatten().next();
    match handed_over {
        Some((_, program)) => command(&program),
        None => command(&cargos_folder().join("mcbn")),
    }
}

fn command(program: &Path) -> Command {
    assert!(
        program.is_file(),
        "{} is not built; under cargo, run `cargo build --workspace` first",
        program.display()
    );
    let mut command = Command::new(program);
    command.env_clear();
    // Debian's tpm2-tss, which cargo links, has words of its own for standard error; that of the images has none.
    command.env("TSS2_LOG", "all+none");
    command
}

/// Bazel's variable, a list of NAME=PATH.
fn handed_over(variable: &str) -> Option<Vec<(String, PathBuf)>> {
    let list = std::env::var(variable).ok()?;
    let entries = list.split_whitespace().map(|entry| {
        let (name, path) = entry.split_once('=').expect("NAME=PATH");
        let path = std::path::absolute(path).expect("there is a working folder");
        (name.to_owned(), path)
    });
    Some(entries.collect())
}

fn built_by_cargo() -> Vec<(String, PathBuf)> {
    let built = cargos_folder();
    let workloads = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workloads");
    std::fs::read_dir(workloads)
        .expect("the folder of workloads")
        .map(|entry| entry.expect("it can be listed"))
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| entry.file_name().into_string().expect("plain names"))
        .map(|name| (name.clone(), built.join(name)))
        .collect()
}

fn cargos_folder() -> PathBuf {
    let running = std::env::current_exe().expect("a program has a path");
    let folder = running.parent().expect("a program is in a folder");
    // A test is in target/<profile>/deps, a program beside the others.
    match folder.ends_with("deps") {
        true => folder.parent().expect("cargo's folders").to_owned(),
        false => folder.to_owned(),
    }
}
