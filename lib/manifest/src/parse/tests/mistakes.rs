//! What each mistake is answered with: all of them at once, each with its place.

use super::{SIGNED, THRESHOLD, UNANIMOUS, assert_refused, parse};

#[test]
fn many_mistakes_are_reported_at_once_in_the_order_of_their_places() {
    assert_refused(
        UNANIMOUS,
        &[
            ("network = \"house\"", "netwrok = \"house\""),
            ("lease = 300", "lease = 5"),
            ("name = \"bob\"", "name = \"Bob\"\nsecret = \"…\""),
            ("support = [\"STABLE\"]", "support = [\"STABEL\"]"),
            ("\"GCP_INTEL_TDX\"", "\"GCP_INTEL_TDX\", 7"),
        ],
        &[
            "1:1: 'network' is missing",
            "3:1: unknown key 'netwrok' (did you mean 'network'?)",
            "5:9: 'lease' must be from 10 to 86400",
            "13:8: a participant's name is 1 to 63 lower-case letters, digits, '.', '_' and '-', and starts with a letter or digit, not 'Bob'",
            "14:1: unknown key 'secret'",
            "23:12: 'STABEL' is none of LATEST, STABLE, USABLE, EXPERIMENTAL",
            "24:49: 'hardware' must be a string, not an integer",
        ],
    );
}

#[test]
fn an_empty_file_lacks_everything() {
    assert_refused("", &[], &["1:1: 'version' is missing"]);
    assert_refused(
        "version = 1",
        &[],
        &[
            "1:1: 'network' is missing",
            "1:1: 'rule' is missing",
            "1:1: 'lease' is missing",
            "1:1: 'participant' is missing",
            "1:1: 'workload' is missing",
            "1:1: 'attestation' is missing",
        ],
    );
}

#[test]
fn a_missing_key_is_missing_from_its_table() {
    assert_refused(
        UNANIMOUS,
        &[
            ("name = \"bob\"\n", ""),
            ("keeper = \"[2001:db8::b0b]:7400\"\n", ""),
            (
                "pin = \"gbY32PzSxtpjWeaWMROhFw3nleS3JbhNHgtM_Z7FjOk\" # bob",
                "",
            ),
            ("name = \"psk-server\"\n", ""),
            ("images", "# images"),
            ("support", "# support"),
            ("hardware", "# hardware"),
        ],
        &[
            "12:1: 'name' is missing",
            "12:1: 'keeper' is missing",
            "12:1: 'pin' is missing",
            "15:1: 'name' is missing",
            "15:1: 'images' is missing",
            "18:1: 'support' is missing",
            "18:1: 'hardware' is missing",
        ],
    );
    assert_refused(
        THRESHOLD,
        &[("{ threshold = 2 }", "{}"), ("threshold = 1, keys", "keys")],
        &[
            "4:8: 'threshold' is missing",
            "54:14: 'threshold' is missing",
        ],
    );
}

#[test]
fn unknown_keys_are_refused_at_every_level() {
    assert_refused(
        THRESHOLD,
        &[
            ("version = 1", "version = 1\nversions = 1"),
            ("{ threshold = 2 }", "{ threshold = 2, of = 3 }"),
            ("keeper = \"192", "keepr = 1\nkeeper = \"192"),
            ("args = ", "arg = 1\nargs = "),
            ("token = ", "\"tok\\u001ben\" = 1\ntoken = "),
            ("{ threshold = 1,", "{ threshold = 1, key = 2,"),
            ("support = ", "supports = 1\nsupport = "),
        ],
        &[
            "3:1: unknown key 'versions' (did you mean 'version'?)",
            "5:25: unknown key 'of'",
            "16:1: unknown key 'keepr' (did you mean 'keeper'?)",
            "31:1: unknown key 'arg' (did you mean 'args'?)",
            "45:1: unknown key 'tok\\u{1b}en' (did you mean 'token'?)",
            "49:1: unknown key 'supports' (did you mean 'support'?)",
            "59:31: unknown key 'key' (did you mean 'keys'?)",
        ],
    );
}

#[test]
fn an_odd_name_is_refused() {
    for (name, shown) in [
        ("", "''"),
        ("House", "'House'"),
        ("the house", "'the house'"),
        ("a.b", "'a.b'"),
        ("haus\u{e4}", "'haus\\u{e4}'"),
        ("\\u0000\\n\\u001b]0;x", "'\\u{0}\\n\\u{1b}]0;x'"),
    ] {
        let rule = "a name is 1 to 63 lower-case letters, digits and '-'";
        let expected = [
            format!("3:11: {rule}, not {shown}"),
            format!("18:8: {rule}, not {shown}"),
        ];
        let quoted = format!("\"{name}\"");
        assert_refused(
            UNANIMOUS,
            &[("\"house\"", &quoted), ("\"psk-server\"", &quoted)],
            &expected.each_ref().map(String::as_str),
        );
    }
}

#[test]
fn another_rule_is_refused() {
    for (rule, expected) in [
        (
            "\"all\"",
            "4:8: a rule is \"unanimous\" or { threshold = NUMBER }, not 'all'",
        ),
        (
            "2",
            "4:8: 'rule' must be \"unanimous\" or { threshold = NUMBER }, not an integer",
        ),
        (
            "{ threshold = 1 }",
            "4:22: 'threshold' must be from 2 to 255",
        ),
        (
            "{ threshold = -1 }",
            "4:22: 'threshold' must be from 2 to 255",
        ),
        (
            "{ threshold = 256 }",
            "4:22: 'threshold' must be from 2 to 255",
        ),
        (
            "{ threshold = \"2\" }",
            "4:22: 'threshold' must be an integer, not a string",
        ),
        (
            "{ threshold = 3 }",
            "4:22: a threshold of 3 cannot be reached by 2 participants",
        ),
    ] {
        assert_refused(UNANIMOUS, &[("\"unanimous\"", rule)], &[expected]);
    }
}

#[test]
fn a_derivation_that_contradicts_the_rule_is_refused() {
    for (text, old, new, expected) in [
        (
            THRESHOLD,
            "shamir-v1",
            "hkdf-v1",
            "5:14: hkdf-v1 contradicts the rule: it needs every share; a threshold needs shamir-v1, bls-prf-v1 or bls-reveal-v1",
        ),
        (
            THRESHOLD,
            "{ threshold = 2 }",
            "\"unanimous\"",
            "5:14: shamir-v1 contradicts the rule: it is for a threshold; unanimous needs hkdf-v1",
        ),
        (
            THRESHOLD,
            "shamir-v1",
            "sha256-concat-hex",
            "5:14: sha256-concat-hex takes no salt, so the manifest would not be bound to the key",
        ),
        (
            THRESHOLD,
            "shamir-v1",
            "bls-prf-v2",
            "5:14: a derivation is hkdf-v1, shamir-v1, bls-prf-v1 or bls-reveal-v1 in a manifest, not 'bls-prf-v2'",
        ),
        (
            UNANIMOUS,
            "lease = 300",
            "lease = 300\nderivation = \"bls-prf-v1\"",
            "6:14: bls-prf-v1 contradicts the rule: it is for a threshold; unanimous needs hkdf-v1",
        ),
        (
            UNANIMOUS,
            "lease = 300",
            "lease = 300\nderivation = \"bls-reveal-v1\"",
            "6:14: bls-reveal-v1 contradicts the rule: it is for a threshold; unanimous needs hkdf-v1",
        ),
        (
            THRESHOLD,
            "\"shamir-v1\"",
            "true",
            "5:14: 'derivation' must be a string, not a boolean",
        ),
    ] {
        assert_refused(text, &[(old, new)], &[expected]);
    }
    // Nothing can be said of it while the rule is wrong.
    assert_refused(
        THRESHOLD,
        &[("{ threshold = 2 }", "1979-05-27")],
        &["4:8: 'rule' must be \"unanimous\" or { threshold = NUMBER }, not a date or time"],
    );
}

/// Commitments in place of those of SIGNED.
fn assert_commitments_refused(commitments: &str, mistakes: &[&str]) {
    let start = SIGNED.find("commitments = [").unwrap();
    let end = start + SIGNED[start..].find("]\n").unwrap() + 1;
    assert_refused(SIGNED, &[(&SIGNED[start..end], commitments)], mistakes);
}

const FIRST: &str = "a7bb3d85521ee1972f9e9c830ea15df33b2d44e4e41de73ddf2b67be6b86f273f242fdcd2aeeade7bf89ef224eb8edca";

#[test]
fn a_group_without_commitments_is_refused() {
    let expected = "5:14: bls-prf-v1 needs 'commitments': they come from the making of the shares";
    assert_commitments_refused("", &[expected]);
    assert_refused(
        THRESHOLD,
        &[("shamir-v1", "bls-reveal-v1")],
        &["5:14: bls-reveal-v1 needs 'commitments': they come from the making of the shares"],
    );
    let expected = "6:15: 'commitments' is an empty list";
    assert_commitments_refused("commitments = []", &[expected]);
}

#[test]
fn commitments_of_another_number_than_the_threshold_are_refused() {
    let expected = "6:15: 1 commitments; there are as many as the threshold, 2";
    assert_commitments_refused(&format!("commitments = [\"{FIRST}\"]"), &[expected]);
}

#[test]
fn commitments_without_their_derivation_are_refused() {
    let expected = "6:15: commitments are for the derivations bls-prf-v1 and bls-reveal-v1, neither of which stands here";
    for other in ["", "derivation = \"shamir-v1\""] {
        let old = "derivation = \"bls-prf-v1\"";
        assert_refused(SIGNED, &[(old, other)], &[expected]);
    }
}

#[test]
fn a_commitment_that_is_no_point_is_refused() {
    let infinity = format!("c0{}", "00".repeat(47));
    let upper = FIRST.to_uppercase();
    assert_commitments_refused(
        &format!("commitments = [\"{FIRST}\", \"{infinity}\",\n\"{upper}\"]"),
        &[
            "6:116: the point is at infinity, not 'c000000000000000000000000000000000000000...'",
            "7:1: a BLS public key is 96 lower-case hex digits, not 'A7BB3D85521EE1972F9E9C830EA15DF33B2D44E4...'",
        ],
    );
}

#[test]
fn commitments_that_leave_a_participant_without_a_share_are_refused() {
    // Twice the generator, and minus the generator: 2 - x, which is zero for the second.
    let twice = "a572cbea904d67468808c8eb50a9450c9721db309128012543902d0ac358a62ae28f75bb8f1c7c42c39a8c5529bf0f4e";
    let minus = "b7f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb";
    let expected = "6:15: the commitments leave participant 2 without a share";
    assert_commitments_refused(
        &format!("commitments = [\"{twice}\", \"{minus}\"]"),
        &[expected],
    );
}

#[test]
fn a_lease_out_of_range_is_refused() {
    for lease in ["9", "86401", "0", "-300", "99999999999999999999"] {
        let lease = format!("lease = {lease}");
        let expected = "5:9: 'lease' must be from 10 to 86400";
        assert_refused(UNANIMOUS, &[("lease = 300", &lease)], &[expected]);
    }
    let expected = "5:9: 'lease' must be an integer, not a string";
    assert_refused(UNANIMOUS, &[("= 300", "= \"5m\"")], &[expected]);
    for lease in ["10", "86400", "0x0f", "8_6_400"] {
        let lease = format!("lease = {lease}");
        assert!(parse(&UNANIMOUS.replace("lease = 300", &lease)).is_ok());
    }
}

#[test]
fn what_stands_twice_is_refused() {
    assert_refused(
        THRESHOLD,
        &[
            ("name = \"bob\"", "name = \"alice\""),
            ("\"[2001:db8::ca]:65535\"", "\"192.0.2.11:7400\""),
            (
                "TCbZB0wn2J7eWScMCsFLceBxsVI5UZ91R0svO6Y0gfU",
                "K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA",
            ),
            ("name = \"psk-client\"", "name = \"psk-server\""),
        ],
        &[
            "14:8: the same participant already stands in line 9",
            "20:10: the same address already stands in line 15",
            "21:7: the same pin already stands in line 11",
            "35:8: the same workload already stands in line 24",
        ],
    );
}

#[test]
fn an_image_that_would_play_two_parts_is_refused() {
    let of = |word: &str| {
        let line = THRESHOLD.lines().find(|line| line.ends_with(word)).unwrap();
        line.split('"').nth(1).unwrap()
    };
    let (server, client) = (of("# psk-server"), of("# psk-client"));
    assert_refused(
        THRESHOLD,
        &[(client, server)],
        &["36:11: the same image already stands in line 26"],
    );
    assert_refused(
        THRESHOLD,
        &[(of("# psk-server, patched"), server)],
        &["27:5: the same image already stands in line 26"],
    );
}

#[test]
fn an_odd_address_pin_or_digest_is_refused() {
    assert_refused(
        UNANIMOUS,
        &[
            ("alice.example:7400", "alice.example"),
            (
                "K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA",
                "K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpB",
            ),
            ("sha256:", "sha512:"),
        ],
        &[
            "9:10: an address is HOST:PORT in lower case, IPv6 in brackets and in its short form, not 'alice.example'",
            "10:7: a pin is 43 base64url characters, the SHA-256 of a public key, not 'K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xht...'",
            "19:11: an image digest is 'sha256:' and 64 lower-case hex digits, not 'sha512:38506197449fb101820f5704c51ed40af...'",
        ],
    );
}

#[test]
fn empty_lists_are_refused() {
    let mut text = THRESHOLD.to_owned();
    for key in [
        "images",
        "args",
        "software",
        "support",
        "hardware",
        "projects",
        "zones",
        "service-accounts",
        "restart-policy",
    ] {
        let from = text.find(&format!("\n{key} = [")).unwrap();
        let to = from + text[from..].find(']').unwrap();
        text.replace_range(from..to, &format!("\n{key} = ["));
    }
    assert_refused(
        &text,
        &[],
        &[
            "25:10: 'images' is an empty list",
            "26:8: 'args' is an empty list",
            "40:12: 'software' is an empty list",
            "42:11: 'support' is an empty list",
            "43:12: 'hardware' is an empty list",
            "46:12: 'projects' is an empty list",
            "47:9: 'zones' is an empty list",
            "48:20: 'service-accounts' is an empty list",
            "49:18: 'restart-policy' is an empty list",
        ],
    );
    assert_refused(
        "version = 1\nnetwork = \"n\"\nrule = \"unanimous\"\nlease = 10\nparticipant = []\nworkload = []\nattestation = []",
        &[],
        &[
            "5:15: 'participant' is an empty list",
            "6:12: 'workload' is an empty list",
            "7:15: 'attestation' must be a table, not a list",
        ],
    );
}

#[test]
fn a_list_of_tables_in_another_form_is_refused() {
    let mut text = UNANIMOUS.replace("[[workload]]", "[workload]");
    text = text.replacen("[[participant]]", "[participant]", 1);
    assert_refused(
        &text.replacen("[[participant]]", "[other]", 1),
        &[],
        &[
            "7:1: there can be more than one participant: write [[participant]]",
            "12:2: unknown key 'other'",
            "17:1: there can be more than one workload: write [[workload]]",
        ],
    );
    assert_refused(
        UNANIMOUS,
        &[
            ("[[workload]]", "[extra]"),
            ("lease = 300", "lease = 300\nworkload = [\"psk\"]"),
        ],
        &[
            "6:13: 'workload' must be a table, not a string",
            "18:2: unknown key 'extra'",
        ],
    );
}

#[test]
fn a_signing_key_that_is_none_or_another_participants_is_refused() {
    let key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    assert_refused(
        SIGNED,
        &[
            (
                "name = \"bob\"",
                &format!("name = \"bob\"\nsigning-key = \"{key}\""),
            ),
            (
                "name = \"carol\"",
                "name = \"carol\"\nsigning-key = \"ed25519\"",
            ),
        ],
        &[
            "20:15: the same signing key already stands in line 16",
            "26:15: a signing key is 43 base64url characters, an Ed25519 public key, not 'ed25519'",
        ],
    );
}
