//! Where shares may come from, and how one is refused: by its participant's name, never by its value.

use mcbn_tests_cli::Transcript;
use mcbn_tests_cli::scene::{IO, PROGRAMS, REFUSED, USAGE, each};
use mcbn_tests_support::shares::PUBLISHED;

const ALICE: &str = PUBLISHED[0].1;
const BOB: &str = PUBLISHED[1].1;

#[test]
fn a_share_in_a_flag_is_refused() {
    each("share_in_a_flag", |scene| {
        scene.refuses(&[&format!("--share=alice={ALICE}")], USAGE);
        scene.refuses(&[&format!("--share={ALICE}")], USAGE);
        scene.refuses(&[&format!("--share=alice=hex:{ALICE}")], USAGE);
    });
}

#[test]
fn a_share_in_the_cloud_is_refused_outside_of_the_manifest() {
    each("share_in_the_cloud", |scene| {
        let secret = "--share=alice=gcp-secret:projects/1/secrets/share/versions/1";
        scene.refuses(&[secret], USAGE);
        let key = "--share=alice=gcp-kms:projects/1/locations/us/keyRings/a/cryptoKeys/b";
        scene.refuses(&[key], USAGE);
    });
}

#[test]
fn a_share_that_cannot_be_read_is_named() {
    each("share_unreadable", |scene| {
        scene.refuses(&["--share=alice=file:missing"], IO);
        scene.refuses(&["--share=alice=file:."], IO);
        scene.file("empty", "");
        scene.refuses(&["--share=alice=file:empty"], IO);
        scene.file("long", &"0".repeat(5000));
        scene.refuses(&["--share=alice=file:long"], IO);
        scene.refuses(&["--share=alice=fd:1"], USAGE);
    });
}

#[test]
fn a_descriptor_that_was_not_inherited_is_refused() {
    each("share_not_inherited", |scene| {
        scene.file("bob", BOB);
        scene.refuses(&["--share=alice=fd:100"], USAGE);
        scene.refuses(
            &[
                "--share=alice=fd:100",
                "--share=bob=file:bob",
                "--share=carol=fd:101",
            ],
            USAGE,
        );
        scene.refuses(&["--share=alice=fd:100", "--share=bob=fd:100"], USAGE);
    });
}

/// The programs open descriptors of their own, with the lowest free numbers.
#[test]
fn a_descriptor_of_the_program_itself_is_never_taken_for_an_inherited_one() {
    for (program, needed) in PROGRAMS {
        let transcript = Transcript::new(program, "own_descriptors");
        transcript.folder().file("alice", ALICE);
        let needed = needed.join(" ");
        for number in 4..=9 {
            let ended = transcript
                .start_shell(&format!(
                    "exec \"$program\" {needed} --share=alice=fd:3 --share=bob=fd:{number} \
                     3<alice 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-"
                ))
                .end();
            ended.expect_code(USAGE);
            let expected = format!("descriptor {number}, with the share of bob, was not inherited");
            assert!(ended.stderr().contains(&expected), "{ended}");
            assert!(!ended.stderr().contains("alice"), "{ended}");
        }
    }
}

#[test]
fn a_share_that_others_can_read_is_refused() {
    each("share_open_to_others", |scene| {
        for (name, mode) in [("world-readable", 0o444), ("world-writable", 0o602)] {
            scene.folder().file_with_mode(name, ALICE, mode);
            scene.refuses(&[&format!("--share=alice=file:{name}")], REFUSED);
        }
    });
}

#[test]
fn a_share_that_is_none_is_named() {
    each("share_refused", |scene| {
        scene.file("alice", ALICE);
        for (name, content) in [
            ("short", &ALICE[2..]),
            ("no-digits", &ALICE.replace('0', "g")),
            ("two-lines", &format!("{ALICE}\n{BOB}\n")),
            ("zeros", &"00".repeat(32)),
            ("few-values", &"0123456789abcdef".repeat(4)),
        ] {
            scene.file(name, content);
            let share = format!("--share=bob=file:{name}");
            let ended = scene.refuses(&["--share=alice=file:alice", &share], REFUSED);
            assert!(ended.stderr().contains("bob"), "{ended}");
            assert!(!ended.stderr().contains("alice"), "{ended}");
        }
    });
}

#[test]
fn two_participants_with_one_share_are_named() {
    each("share_twice", |scene| {
        scene.file("alice", ALICE);
        scene.file("copy", ALICE);
        scene.refuses(
            &["--share=alice=file:alice", "--share=bob=file:copy"],
            REFUSED,
        );
        scene.refuses(
            &["--share=alice=file:alice", "--share=bob=file:alice"],
            USAGE,
        );
        scene.refuses(
            &["--share=alice=file:alice", "--share=alice=file:copy"],
            USAGE,
        );
    });
}

#[test]
fn a_rule_that_does_not_fit_the_shares_is_refused() {
    each("derivation_refused", |scene| {
        scene.file("alice", ALICE);
        let alice = "--share=alice=file:alice";
        scene.refuses(&[alice, "--derivation=sha256"], USAGE);
        scene.refuses(&[alice, "--derivation=shamir-v1"], USAGE);
        scene.refuses(&[alice, "--derivation=shamir-v1", "--threshold=2"], USAGE);
        scene.refuses(&[alice, "--derivation=hmac-chain-hex"], USAGE);
        scene.refuses(&[alice, "--threshold=2"], USAGE);
        scene.refuses(&[alice, "--threshold=0", "--derivation=shamir-v1"], USAGE);
        scene.refuses(&[alice, "--manifest-digest=sha256:00"], USAGE);
        scene.refuses(&[alice, "--identity="], USAGE);
    });
}
