//! `mcbn token show`, as people meet it.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use std::fs;
use std::process::{Command, Output};
use tempfile::TempDir;

const MANIFEST: &str = include_str!("../testdata/manifest.toml");
const CLAIMS: &str = include_str!("../testdata/token.json");

fn claims() -> Value {
    serde_json::from_str(CLAIMS).unwrap()
}

/// Nobody's: it is signed with nothing.
fn token(claims: &Value) -> String {
    let encode = Base64UrlUnpadded::encode_string;
    let header = encode(br#"{"alg":"RS256","kid":"first"}"#);
    let claims = encode(claims.to_string().as_bytes());
    format!("{header}.{claims}.AAAA\n")
}

fn show(token: impl AsRef<[u8]>, arguments: &[&str]) -> Output {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("token"), token).unwrap();
    fs::write(folder.path().join("house.toml"), MANIFEST).unwrap();
    // Bazel gives a path from the folder in which the test starts.
    let program = fs::canonicalize(env!("CARGO_BIN_EXE_mcbn")).unwrap();
    let mut command = Command::new(program);
    command.current_dir(folder.path()).env_clear();
    command.args(["token", "show", "token"]).args(arguments);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

const BESIDE: &[&str] = &["--manifest", "house.toml"];

#[test]
fn claims_are_shown_as_they_are() {
    let output = show(token(&claims()), &[]);
    assert_eq!(text(&output.stderr), "");
    assert!(output.status.success());
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown, claims());
}

#[test]
fn each_demand_is_shown_beside_what_was_found() {
    let output = show(token(&claims()), BESIDE);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(
        text(&output.stdout),
        include_str!("../testdata/token_good.txt")
    );
    assert!(output.status.success());
}

#[test]
fn what_fails_cannot_be_overlooked() {
    let mut claims = claims();
    claims["dbgstat"] = json!("enabled");
    claims["submods"]["confidential_space"] = json!({});
    claims["submods"]["container"]["cmd_override"] = json!(["--tls12"]);
    let output = show(token(&claims), BESIDE);
    assert_eq!(
        text(&output.stdout),
        include_str!("../testdata/token_bad.txt")
    );
    assert_eq!(
        text(&output.stderr),
        "mcbn: error: the token does not meet debug, support, cmd-override\n"
    );
    assert_eq!(output.status.code(), Some(77));
}

#[test]
fn words_of_a_token_cannot_act_on_a_terminal() {
    let mut claims = claims();
    for name in ["dbgstat", "aud", "iss", "eat_profile", "\u{1b}[2J\u{202e}"] {
        claims[name] = json!("\u{1b}[2J\r\n\u{202e}\u{9b}\u{7f}é\u{1f511}");
    }
    let plain = show(token(&claims), &[]);
    let shown: Value = serde_json::from_slice(&plain.stdout).unwrap();
    assert_eq!(shown, claims);
    for output in [plain, show(token(&claims), BESIDE)] {
        let printable = |b: &u8| *b == b'\n' || *b == b' ' || b.is_ascii_graphic();
        assert!(!output.stdout.is_empty() && output.stdout.iter().all(printable));
    }
}

#[test]
fn what_is_not_a_token_is_refused() {
    let twice = format!("{}\n", token(&claims()));
    let huge = vec![b'x'; 10_000_000];
    for (text_of_file, error) in [
        (&b""[..], "the token has not three parts"),
        (b"a.b.c", "the token's header is not base64url"),
        (twice.as_bytes(), "the token's signature is not base64url"),
        (&huge, "the token is longer than 64 KiB"),
        (
            b"\xff\xfe",
            "cannot read the token: stream did not contain valid UTF-8",
        ),
        (
            b"eyJhbGciOiJub25lIn0.e30.",
            "the token's algorithm is not RS256",
        ),
    ] {
        let output = show(text_of_file, &[]);
        assert_eq!(text(&output.stdout), "");
        assert_eq!(text(&output.stderr), format!("mcbn: error: {error}\n"));
        assert_eq!(output.status.code(), Some(77));
    }
}

#[test]
fn a_manifest_with_a_mistake_is_refused() {
    let output = show(token(&claims()), &["--manifest", "token"]);
    assert_eq!(text(&output.stdout), "");
    let stderr = text(&output.stderr);
    assert!(stderr.starts_with("mcbn: error: token:1:"), "{stderr}");
    assert_eq!(output.status.code(), Some(64));
}
