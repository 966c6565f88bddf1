//! Demands that are weak, odd, or cannot be met are refused.

use super::{THRESHOLD, UNANIMOUS, assert_refused, parse};

#[test]
fn demands_are_weakened_by_no_key_that_does_not_say_so() {
    for (line, expected) in [
        (
            "debug = true",
            "22:1: there is no key 'debug': debug images are refused, unless 'insecure-debug' is true",
        ),
        (
            "debug = false",
            "22:1: there is no key 'debug': debug images are refused, unless 'insecure-debug' is true",
        ),
        (
            "secure-boot = false",
            "22:15: secure boot is always demanded, unless 'insecure-no-secure-boot' is true",
        ),
        (
            "secure-boot = true\ninsecure-no-secure-boot = true",
            "22:15: 'secure-boot' contradicts 'insecure-no-secure-boot'",
        ),
        (
            "software = [\"GCE\"]",
            "22:13: GCE is any machine; its tokens tell nothing of a container",
        ),
    ] {
        let below = format!("[attestation]\n{line}");
        assert_refused(UNANIMOUS, &[("[attestation]", &below)], &[expected]);
    }
    assert_refused(
        UNANIMOUS,
        &[("GCP_INTEL_TDX", "GCP_SHIELDED_VM")],
        &["23:32: GCP_SHIELDED_VM does not encrypt memory: its host could read every share"],
    );
    let harmless = "[attestation]\nsecure-boot = true\ninsecure-debug = false\ninsecure-no-secure-boot = false";
    let explicit = parse(&UNANIMOUS.replace("[attestation]", harmless)).unwrap();
    assert_eq!(explicit.policy(), parse(UNANIMOUS).unwrap().policy());
}

#[test]
fn odd_demands_are_refused() {
    for (old, new, expected) in [
        ("\"pki\"", "\"x509\"", "42:9: 'x509' is none of oidc, pki"),
        (
            "\"INTEL_TDX\"",
            "\"INTEL_SGX\"",
            "46:65: 'INTEL_SGX' is none of GCP_AMD_SEV, GCP_AMD_SEV_ES, GCP_AMD_SEV_SNP, GCP_INTEL_TDX",
        ),
        (
            "\"INTEL_TDX\"",
            "\"INTEL_TDX\", \"GCP_INTEL_TDX\"",
            "46:78: the same value already stands in line 46",
        ),
        (
            "\"LATEST\", ",
            "\"LATEST\", \"LATEST\", ",
            "45:22: the same value already stands in line 45",
        ),
        (
            "240900",
            "-1",
            "48:21: 'minimum-swversion' must be from 1 to 18446744073709551615",
        ),
        (
            "240900",
            "\"240900\"",
            "48:21: 'minimum-swversion' must be an integer, not a string",
        ),
        (
            "garden-7\", ",
            "garden 7\", ",
            "49:13: 1 to 255 printable ASCII characters without spaces are expected, not 'garden 7'",
        ),
        (
            "\"Never\"",
            "\"never\"",
            "52:19: 'never' is none of Never, Always, OnFailure",
        ),
        (
            "memory-monitoring = false",
            "memory-monitoring = \"off\"",
            "53:21: 'memory-monitoring' must be true or false, not a string",
        ),
    ] {
        assert_refused(THRESHOLD, &[(old, new)], &[expected]);
    }
}

#[test]
fn signatures_that_cannot_be_reached_are_refused() {
    let key = THRESHOLD.lines().find(|line| line.ends_with("# first key"));
    let key = key.unwrap().split('"').nth(1).unwrap();
    let upper = key.to_uppercase();
    for (old, new, expected) in [
        (
            "threshold = 1,",
            "threshold = 3,",
            "54:28: a threshold of 3 cannot be reached by 2 keys",
        ),
        (
            "threshold = 1,",
            "threshold = 0,",
            "54:28: 'threshold' must be from 1 to 255",
        ),
        (
            key,
            &upper,
            "55:5: a key is named by 64 lower-case hex digits, the SHA-256 of its DER form, not 'DD38FE87FA52119289F4A02E401DB807600DBFE8...'",
        ),
    ] {
        assert_refused(THRESHOLD, &[(old, new)], &[expected]);
    }
    let other = THRESHOLD
        .lines()
        .find(|line| line.ends_with("# second key"));
    let other = other.unwrap().split('"').nth(1).unwrap();
    assert_refused(
        THRESHOLD,
        &[(other, key)],
        &["56:5: the same key already stands in line 55"],
    );
}

#[test]
fn odd_arguments_and_variables_are_refused() {
    for (old, new, expected) in [
        (
            "args = [\"/psk-server\", ",
            "args = [\"/psk-server\", 5, ",
            "29:24: 'args' must be a string, not an integer",
        ),
        (
            "args = [\"/psk-server\", ",
            "args = [\"/psk\\u0000server\", ",
            "29:9: no argument and no variable holds a zero byte",
        ),
        (
            "[\"--idle-timeout=30s\", \"--tls12\"]",
            "\"--tls12\"",
            "30:16: 'cmd-override' must be a list, not a string",
        ),
        (
            "[\"--idle-timeout=30s\", \"--tls12\"]",
            "[\"--tls12\", \"--tls12\"]",
            "29:8: 'args' contradicts 'cmd-override', with which it would end",
        ),
        (
            "{ MCBN_FORWARD = \"127.0.0.1:80\" }",
            "{ MCBN_FORWARD = \"127.0.0.1:81\" }",
            "32:7: 'env' contradicts 'env-override', which sets 'MCBN_FORWARD'",
        ),
        (
            "{ MCBN_FORWARD = \"127.0.0.1:80\" }",
            "{ MCBN_FORWARD = 80 }",
            "31:33: 'MCBN_FORWARD' must be a string, not an integer",
        ),
        (
            "{ MCBN_FORWARD = \"127.0.0.1:80\" }",
            "[\"MCBN_FORWARD=127.0.0.1:80\"]",
            "31:16: 'env-override' must be a table, not a list",
        ),
        (
            ", PATH = \"/\"",
            ", PATH.x = \"/\"",
            "32:40: 'PATH' must be a string, not a table",
        ),
        (
            ", PATH = \"/\"",
            ", \"PA=TH\" = \"/\"",
            "32:40: the name of a variable is printable ASCII without '=', not 'PA=TH'",
        ),
        (
            ", PATH = \"/\"",
            ", \"\" = \"/\"",
            "32:40: the name of a variable is printable ASCII without '=', not ''",
        ),
    ] {
        assert_refused(THRESHOLD, &[(old, new)], &[expected]);
    }
}
