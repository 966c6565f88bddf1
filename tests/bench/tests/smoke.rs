//! The bench works: every figure is measured, and what is missing ends it.

use std::path::{Path, PathBuf};
use std::process::Command;

use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::workload::workload;

#[test]
fn every_figure_is_measured() {
    let ended = bench(&[&psk_server(), &digests(), "--smoke"]);
    let table = ended.expect_code(0).stdout();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), 1 + 14, "{table}");
    for row in &rows[1..] {
        let [
            _,
            name,
            psk_server,
            stunnel,
            s_server,
            proxy,
            direct,
            ratio,
            reach,
            _,
        ] = row[..]
        else {
            panic!("{row:?}");
        };
        let is_a_figure = |cell: &str| {
            let number: f64 = cell.parse().unwrap_or_else(|_| panic!("{name}: {cell:?}"));
            assert!(number >= 0.0, "{name}: {number}");
        };
        is_a_figure(psk_server);
        if name != "image, compressed, MB" {
            is_a_figure(stunnel);
            assert!(!ratio.is_empty(), "{name}");
        }
        if name.starts_with("latency") {
            [s_server, proxy, direct].into_iter().for_each(is_a_figure);
            assert!(reach.is_empty(), "{name}: {reach}");
        } else if !name.contains("processor time") {
            assert!(
                reach.ends_with("reached") || reach.ends_with("reached**"),
                "{name}: {reach}"
            );
        }
    }
}

#[test]
fn a_server_that_does_not_start_is_a_failure() {
    let ended = bench(&["--psk-server=/bin/false", &digests(), "--smoke"]);
    assert!(!matches!(ended.code, Some(0) | None), "{ended}");
    assert!(ended.stdout.is_empty(), "{ended}");
}

#[test]
fn a_missing_list_of_images_is_refused() {
    let ended = bench(&[&psk_server(), "--digests=/nowhere", "--smoke"]);
    ended.expect_code(71);
    assert!(ended.stderr().contains("cannot read /nowhere"), "{ended}");
}

#[test]
fn an_unknown_flag_is_refused() {
    let ended = bench(&["--quik"]);
    ended.expect_code(64);
    assert!(ended.stderr().contains("--quik"), "{ended}");
}

fn bench(arguments: &[&str]) -> Ended {
    let mut command: Command = peer("env");
    command
        .arg(absolute(env!("CARGO_BIN_EXE_bench")))
        .args(arguments);
    Process::start(command).end()
}

fn psk_server() -> String {
    format!(
        "--psk-server={}",
        workload("psk-server").get_program().display()
    )
}

/// Bazel says where it is. Under cargo it is the checkout's.
fn digests() -> String {
    let path = std::env::var_os("DIGESTS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../digests.lock"),
        PathBuf::from,
    );
    format!("--digests={}", absolute(path).display())
}

fn absolute(path: impl AsRef<Path>) -> PathBuf {
    std::path::absolute(path).expect("there is a working folder")
}
