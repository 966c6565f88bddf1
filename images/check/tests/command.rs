//! `image-check` as it is called: exit code, and what is said on which stream.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use mcbn_oci::layout;
use mcbn_oci::promise::promise;
use tempfile::TempDir;

/// An ELF header of x86-64 and nothing more: a program without any hardening.
fn soft_program() -> Vec<u8> {
    let mut header = b"\x7fELF\x02\x01\x01".to_vec();
    header.resize(18, 0);
    header.extend([62, 0, 1]);
    header.resize(64, 0);
    header
}

/// The image of that program, with its promise.
fn image(folder: &Path) -> String {
    let path = |name: &str| folder.join(name).to_str().expect("Unicode").to_owned();
    let settings = r#"{"name":"sample","version":"1.2.3","ports":[],"settings":[]}"#;
    fs::write(path("settings.json"), settings).unwrap();
    fs::write(path("program"), soft_program()).unwrap();
    let arguments = [
        "assemble".to_owned(),
        format!("--program={}", path("program")),
        format!("--settings={}", path("settings.json")),
        "--source=https://source.example".to_owned(),
        "--licenses=Apache-2.0".to_owned(),
        format!("--out={}", path("image")),
    ];
    let made = mcbn_oci::commands::run(arguments.into_iter().map(Into::into));
    assert!(made.is_ok());
    let layout = layout::open(&folder.join("image")).ok().unwrap();
    fs::write(path("image.promise"), promise(&layout)).unwrap();
    path("image")
}

fn image_check(arguments: &[&str]) -> Output {
    let program = std::env::var("IMAGE_CHECK")
        .unwrap_or_else(|_| env!("CARGO_BIN_EXE_image-check").to_owned());
    Command::new(program)
        .args(arguments)
        .output()
        .expect("image-check starts")
}

#[test]
fn every_breach_is_reported_at_once() {
    let folder = TempDir::new().unwrap();
    let image = image(folder.path());
    let promise = format!("--promise={image}.promise");
    let output = image_check(&[&promise, &image]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(output.stdout, b"");
    for breach in [
        "not position independent (no static-pie)",
        "no RELRO segment",
    ] {
        assert!(said.contains(&format!(
            "image-check: error: sample: the program: {breach}"
        )));
    }
}

#[test]
fn a_call_without_a_promise_is_refused() {
    let output = image_check(&[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(said.starts_with(
        "image-check: error: --promise is given 0 times, it should be given once\n\
         image-check: error: LAYOUT is given 0 times, it should be given once\n"
    ));
}
