//! The network that tests are about: alice, bob and carol, and the group of the known answers.

use mcbn_manifest::{Manifest, Pin};
use mcbn_secret::SigningShare;
use mcbn_share::text;

/// Their manifest, with this rule.
pub fn manifest(rule: &str) -> String {
    let mut text = format!("version = 1\nnetwork = \"house\"\nrule = {rule}\nlease = 300\n");
    for (i, name) in ["alice", "bob", "carol"].into_iter().enumerate() {
        let pin = Pin([i as u8; 32]);
        text.push_str(&format!(
            "[[participant]]\nname = \"{name}\"\nkeeper = \"{name}.example:7400\"\npin = \"{pin}\"\n"
        ));
    }
    let digest = "0123456789abcdef".repeat(4);
    text.push_str(&format!(
        "[[workload]]\nname = \"program\"\nimages = [\"sha256:{digest}\"]\n\
         [attestation]\nsupport = [\"STABLE\"]\nhardware = [\"GCP_INTEL_TDX\"]\ntoken = \"pki\"\n"
    ));
    text
}

/// Two of the group, and what they do with their shares of its key.
pub fn two_of_group(derivation: &str) -> String {
    format!("{{ threshold = 2 }}\nderivation = \"{derivation}\"\ncommitments = {COMMITMENTS:?}")
}

pub fn parsed(rule: &str) -> Manifest {
    Manifest::parse(manifest(rule).as_bytes()).unwrap()
}

/// Of lib/share/testdata/bls_prf.json.
const COMMITMENTS: [&str; 2] = [
    "a7bb3d85521ee1972f9e9c830ea15df33b2d44e4e41de73ddf2b67be6b86f273f242fdcd2aeeade7bf89ef224eb8edca",
    "a28667d5fc7760718573bbf314338f6c87ba1baa442103fc86ab551e34372055a5d6240aee2a2aa4a86232e185a74674",
];

/// As participants keep it.
pub fn signing_share_hex(whose: &str) -> &'static str {
    match whose {
        "alice" => "58652d2612f5be1fcf4ed32cbd696bf57ef4f8696ba4f25fe7b7264dbf760628",
        "bob" => "599395e203e8a6109a45809162fc56456a2a0f830a41e9178820a86d0fdef770",
        "carol" => "5ac1fe9df4db8e01653c2df6088f4095555f269ca8dedfcf288a2a8c6047e8b8",
        other => panic!("{other} is not in the group"),
    }
}

pub fn signing_share(whose: &str) -> SigningShare {
    text::signing_share(signing_share_hex(whose).as_bytes()).unwrap()
}
