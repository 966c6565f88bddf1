//! Files that are no manifest of this version at all.

use super::{UNANIMOUS, assert_refused, parse};
use crate::Manifest;

#[test]
fn of_another_version_nothing_else_is_said() {
    let newer = [
        ("version = 1", "version = 2"),
        ("lease = 300", "leases = 300"),
    ];
    assert_refused(
        UNANIMOUS,
        &newer,
        &["2:11: version 2 is not known here; this program reads version 1"],
    );
    for (old, expected) in [
        (
            "0",
            "2:11: version 0 is not known here; this program reads version 1",
        ),
        ("\"1\"", "2:11: 'version' must be an integer, not a string"),
        ("1.0", "2:11: 'version' must be an integer, not a float"),
    ] {
        let old = format!("version = {old}");
        assert_refused(UNANIMOUS, &[("version = 1", &old)], &[expected]);
    }
}

#[test]
fn a_file_that_is_no_toml_is_refused_with_the_first_mistake() {
    for (old, new, expected) in [
        (
            "lease = 300",
            "lease = ",
            "5:9: string values must be quoted, expected literal string",
        ),
        (
            "name = \"alice\"",
            "name = \"alice",
            "8:14: invalid basic string, expected `\\\"`",
        ),
        (
            "lease = 300",
            "lease = 300\nlease = 300",
            "6:1: duplicate key",
        ),
        (
            "[attestation]",
            "[attestation]\nsupport = [\"LATEST\"]\n[attestation]",
            "23:2: duplicate key",
        ),
        (
            "\"house\"",
            "\"ho\u{7}use\"",
            "3:14: invalid basic string, expected non-double-quote visible characters, `\\\\`",
        ),
    ] {
        assert_refused(UNANIMOUS, &[(old, new)], &[expected]);
    }
}

#[test]
fn a_byte_order_mark_is_refused() {
    assert_refused(
        &format!("\u{feff}{UNANIMOUS}"),
        &[],
        &["1:1: the file starts with a byte order mark"],
    );
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let mut bytes = UNANIMOUS.as_bytes().to_vec();
    let at = UNANIMOUS.find("house").unwrap();
    bytes[at] = 0xff;
    let mistakes = Manifest::parse(&bytes).unwrap_err();
    assert_eq!(mistakes.to_string(), "3:12: not UTF-8");
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let fill = |length: usize| format!("{UNANIMOUS}{}", " ".repeat(length - UNANIMOUS.len()));
    assert!(parse(&fill(Manifest::MAX_LEN)).is_ok());
    assert_refused(
        &fill(Manifest::MAX_LEN + 1),
        &[],
        &["1:1: a manifest is at most 262144 bytes"],
    );
}
