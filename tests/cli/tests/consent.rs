//! What a manifest and its keepers may be told to be, and what is said when there is no consent.

use mcbn_tests_cli::scene::{UNAVAILABLE, USAGE, each};
use mcbn_tests_support::shares::PUBLISHED;

/// Two of three are needed. At their keepers' addresses nobody listens.
const MANIFEST: &str = r#"version = 1
network = "house"
rule = { threshold = 2 }
lease = 300

[[participant]]
name = "alice"
keeper = "127.0.0.1:9"
pin = "K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA"

[[participant]]
name = "bob"
keeper = "127.0.0.2:9"
pin = "gbY32PzSxtpjWeaWMROhFw3nleS3JbhNHgtM_Z7FjOk"

[[participant]]
name = "carol"
keeper = "127.0.0.3:9"
pin = "TCKVxFQG92hwjOnbtmQmI6qGVHZhPr36jEpQOwTuHZo"

[[workload]]
name = "psk-server"
images = ["sha256:38506197449fb101820f5704c51ed40af3cd41742a1fce27a01ba3ba0f689cc7"]

[attestation]
support = ["STABLE"]
hardware = ["GCP_INTEL_TDX"]
"#;

#[test]
fn a_manifest_with_mistakes_is_refused_with_all_of_them() {
    each("manifest_refused", |scene| {
        let broken = MANIFEST
            .replace("name = \"bob\"", "name = \"Bob\"")
            .replace("lease = 300", "leese = 300")
            .replace("threshold = 2", "threshold = 4");
        scene.file("manifest", &broken);
        scene.refuses(&["--manifest=file:manifest"], USAGE);
        scene.refuses(&["--manifest=file:missing"], USAGE);
        scene.refuses(&["--manifest=manifest"], USAGE);
        let (_, share) = PUBLISHED[0];
        scene.file("share", share);
        scene.refuses(&["--manifest=file:share"], USAGE);
        scene.refuses(&[&format!("--manifest=text:{share}")], USAGE);
    });
}

/// Of lib/share/testdata/bls_prf.json.
const COMMITMENTS: [&str; 2] = [
    "a7bb3d85521ee1972f9e9c830ea15df33b2d44e4e41de73ddf2b67be6b86f273f242fdcd2aeeade7bf89ef224eb8edca",
    "a28667d5fc7760718573bbf314338f6c87ba1baa442103fc86ab551e34372055a5d6240aee2a2aa4a86232e185a74674",
];

#[test]
fn a_manifest_of_shares_that_make_no_key_is_refused() {
    each("manifest_of_no_key", |scene| {
        let group = format!("derivation = \"bls-reveal-v1\"\ncommitments = {COMMITMENTS:?}\n");
        let manifest = MANIFEST.replace("lease = 300\n", &format!("lease = 300\n{group}"));
        scene.file("manifest", &manifest);
        scene.file("share", PUBLISHED[0].1);
        scene.refuses(&["--manifest=file:manifest"], USAGE);
        // The share is not even read.
        scene.refuses(
            &["--manifest=file:manifest", "--share=alice=file:share"],
            USAGE,
        );
        scene.refuses(
            &["--share=alice=file:share", "--derivation=bls-reveal-v1"],
            USAGE,
        );
    });
}

#[test]
fn settings_that_do_not_fit_the_manifest_are_refused() {
    each("manifest_contradicted", |scene| {
        scene.file("manifest", MANIFEST);
        scene.file("share", PUBLISHED[0].1);
        let manifest = "--manifest=file:manifest";
        scene.refuses(&["--share=alice=keeper"], USAGE);
        scene.refuses(&[manifest, "--share=dave=keeper"], USAGE);
        scene.refuses(&[manifest, "--share=alice=keeper,bob=keeper"], USAGE);
        scene.refuses(
            &[manifest, "--share=bob=keeper", "--share=bob=file:share"],
            USAGE,
        );
        scene.refuses(
            &[manifest, "--derivation=shamir-v1", "--threshold=2"],
            USAGE,
        );
        scene.refuses(&["--share=alice=file:share", "--consent-timeout=1m"], USAGE);
    });
}

#[test]
fn keepers_out_of_reach_are_named() {
    each("keepers_out_of_reach", |scene| {
        scene.file("manifest", MANIFEST);
        // The log says it too, with the time of each line.
        let quiet = "--log-level=error";
        let arguments = ["--manifest=file:manifest", "--consent-timeout=1s", quiet];
        scene.refuses(&arguments, UNAVAILABLE);
    });
}
