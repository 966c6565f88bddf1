//! The bench works: every figure is measured, and what is missing ends it.

use std::path::{Path, PathBuf};
use std::process::Command;

use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::workload::workload;

#[test]
fn every_figure_is_measured() {
    let ended = bench(&[
        &program("psk-server"),
        &program("dtls-server"),
        &program("tpm-psk"),
        &program("kms-mtls"),
        &digests(),
        "--smoke",
    ]);
    let tables = ended.expect_code(0).stdout();
    let [streams, datagrams, tpm, kms] =
        tables.split("\n\n").skip(1).step_by(2).collect::<Vec<_>>()[..]
    else {
        panic!("{tables}");
    };
    let streams = rows::<8>(streams);
    assert_eq!(streams.len(), 14, "{tables}");
    for [
        name,
        psk_server,
        stunnel,
        s_server,
        proxy,
        direct,
        ratio,
        reach,
    ] in streams
    {
        is_a_figure(&name, &psk_server);
        if name != "image, compressed, MB" {
            is_a_figure(&name, &stunnel);
            assert!(!ratio.is_empty(), "{name}");
        }
        if name.starts_with("latency") {
            for cell in [s_server, proxy, direct] {
                is_a_figure(&name, &cell);
            }
            assert!(reach.is_empty(), "{name}: {reach}");
        } else if !name.contains("processor time") {
            is_a_verdict(&name, &reach);
        }
    }
    let datagrams = rows::<7>(datagrams);
    assert_eq!(datagrams.len(), 13, "{tables}");
    for [name, dtls_server, s_server, gnutls, ratio, _, reach] in datagrams {
        is_a_figure(&name, &dtls_server);
        if name.contains("bytes, ") {
            is_a_figure(&name, &s_server);
            assert!(!ratio.is_empty(), "{name}");
        }
        if name.starts_with("DTLS handshakes, 1 ") {
            is_a_figure(&name, &s_server);
            is_a_figure(&name, &gnutls);
            if !name.contains("processor time") {
                is_a_verdict(&name, &reach);
            }
        }
    }
    let tpm = rows::<6>(tpm);
    assert_eq!(tpm.len(), 16, "{tables}");
    for [name, in_tpm, alone, in_memory, ratio, reach] in tpm {
        for cell in [in_tpm, alone, ratio] {
            // A key may have been begun before so short a window.
            let figure: f64 = cell.split(' ').next().unwrap().parse().unwrap();
            assert!(figure.is_finite(), "{name}: {cell}");
        }
        if name.ends_with("/s") && name.contains("swtpm") {
            is_a_figure(&name, &in_memory);
        } else {
            assert!(in_memory.is_empty(), "{name}: {in_memory}");
        }
        if name.contains("overhead") {
            is_a_verdict(&name, &reach);
        }
    }
    let kms = rows::<7>(kms);
    assert_eq!(kms.len(), 36, "{tables}");
    for [name, kms_mtls, alone, in_memory, never_resuming, _, reach] in kms {
        if name.contains("beyond") {
            // Noise may make it less than nothing.
            let figure: f64 = kms_mtls.parse().unwrap();
            assert!(figure.is_finite(), "{name}: {kms_mtls}");
            is_a_verdict(&name, &reach);
        } else {
            is_a_figure(&name, &kms_mtls);
            if name.starts_with("connections of one peer") {
                is_a_figure(&name, &never_resuming);
            } else {
                is_a_figure(&name, &alone);
                is_a_figure(&name, &in_memory);
            }
        }
        if name.contains("signatures of both ends") {
            let [resumed, full] =
                [kms_mtls, never_resuming].map(|cell| cell.parse::<f64>().unwrap());
            assert_eq!(full, 2.0, "{name}");
            assert!(resumed < full, "{name}: {resumed}");
        }
    }
}

/// The cells of a table, without its head.
fn rows<const COLUMNS: usize>(table: &str) -> Vec<[String; COLUMNS]> {
    let cells = |line: &str| -> Vec<String> {
        let cells = line.split('|').map(|cell| cell.trim().to_owned());
        cells.collect()
    };
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|line| {
        let cells = cells(line);
        let inner = &cells[1..cells.len() - 1];
        inner.to_vec().try_into().expect("as many as columns")
    })
    .collect()
}

fn is_a_figure(name: &str, cell: &str) {
    let number: f64 = cell.parse().unwrap_or_else(|_| panic!("{name}: {cell:?}"));
    assert!(number >= 0.0, "{name}: {number}");
}

fn is_a_verdict(name: &str, reach: &str) {
    let ended = reach.ends_with("reached") || reach.ends_with("reached**");
    assert!(ended, "{name}: {reach}");
}

#[test]
fn a_server_that_does_not_start_is_a_failure() {
    let ended = bench(&[
        "--psk-server=/bin/false",
        &program("dtls-server"),
        &program("tpm-psk"),
        &program("kms-mtls"),
        &digests(),
        "--smoke",
    ]);
    assert!(!matches!(ended.code, Some(0) | None), "{ended}");
    assert!(ended.stdout.is_empty(), "{ended}");
}

#[test]
fn a_missing_list_of_images_is_refused() {
    let ended = bench(&[
        &program("psk-server"),
        &program("dtls-server"),
        &program("tpm-psk"),
        &program("kms-mtls"),
        "--digests=/nowhere",
        "--smoke",
        "--only=image",
    ]);
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

/// The flag that names it.
fn program(name: &str) -> String {
    format!("--{name}={}", workload(name).get_program().display())
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
