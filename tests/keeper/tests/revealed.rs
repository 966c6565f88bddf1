//! A share of a group's key, which its keeper reveals, and what signs with it.

use std::ffi::OsString;

use mcbn_consent::metrics::Metrics;
use mcbn_consent::settings::{CONSENT_TIMEOUT, RevealConfig, SHARE, TOKEN_SOCKET, read_manifest};
use mcbn_consent_cloud::{GoogleCloud, Https};
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::settings::{Asked, Given, Program, Setting};
use mcbn_runtime::{admin, log, shutdown};
use mcbn_share::{Contribution, Inheritance, text};
use mcbn_tests_keeper::{House, Plan, SHARE as NOT_OF_GROUP};
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::confidential_space::Profile;
use mcbn_tests_support::process::Process;
use tokio::time::timeout;

/// Of lib/share/testdata/bls_prf.json, with the shares of two who hold that group's key.
const COMMITMENTS: [&str; 2] = [
    "a7bb3d85521ee1972f9e9c830ea15df33b2d44e4e41de73ddf2b67be6b86f273f242fdcd2aeeade7bf89ef224eb8edca",
    "a28667d5fc7760718573bbf314338f6c87ba1baa442103fc86ab551e34372055a5d6240aee2a2aa4a86232e185a74674",
];
const ALICE: &str = "58652d2612f5be1fcf4ed32cbd696bf57ef4f8696ba4f25fe7b7264dbf760628";
const BOB: &str = "599395e203e8a6109a45809162fc56456a2a0f830a41e9178820a86d0fdef770";

fn house(share: &str) -> House {
    let rule = format!(
        "{{ threshold = 2 }}\nderivation = \"bls-reveal-v1\"\ncommitments = {COMMITMENTS:?}"
    );
    House::planned(Plan {
        rule: &rule,
        share,
        // The shortest: consent that is taken back ends soon.
        lease: 10,
        ..Plan::default()
    })
}

#[tokio::test]
async fn a_keeper_reveals_its_share_to_a_machine_that_is_vouched_for() {
    let house = house(ALICE);
    let keeper = house.start();
    let debug = house.machine(Profile::debug());
    let refused = house.workload(&keeper, &debug).refused().await;
    assert_eq!(refused, "policy debug support");
    let machine = house.machine(Profile::production());
    let granted = house.workload(&keeper, &machine).release().await.unwrap();
    let share = text::signing_share(ALICE.as_bytes()).unwrap();
    assert_eq!(granted.share, Contribution::Revealed(share));
}

#[test]
fn a_keeper_with_a_share_that_the_commitments_do_not_promise_is_refused() {
    let house = house(NOT_OF_GROUP);
    let ended = Process::start(house.keeper()).end();
    assert_eq!(ended.code, Some(77), "{ended}");
    let expected =
        "mcbn: error: the share of alice is refused: the manifest's commitments promise another\n";
    assert!(ended.stderr().contains(expected), "{ended}");
}

const MANIFEST: Setting = Setting::value("manifest", "file:PATH|text:BASE64URL", "it").required();

/// As a workload has it that signs with what is revealed.
static PROGRAM: Program = Program::new(
    "signer",
    "1",
    "Signs with shares of a group's key.",
    &[MANIFEST, SHARE, CONSENT_TIMEOUT, TOKEN_SOCKET],
    &[],
);

fn read(given: &mut Given) -> RevealConfig {
    for row in [log::LEVEL, admin::LISTEN, shutdown::DRAIN] {
        given.is_given(&row);
    }
    let manifest = read_manifest(given, &MANIFEST).unwrap();
    RevealConfig::read(given, &mut Inheritance::new(), &MANIFEST, &manifest).unwrap()
}

#[tokio::test]
async fn what_is_revealed_signs_as_the_group_until_consent_is_taken_back() {
    let house = house(ALICE);
    let keeper = house.start();
    let machine = house.machine(Profile::production());
    let option = |flag, path: &std::path::Path| {
        let mut option = OsString::from(flag);
        option.push(path);
        option
    };
    let arguments = [
        option("--manifest=file:", &house.path("manifest.toml")),
        option("--share=bob=file:", &house.folder.file("bob", BOB)),
        option("--token-socket=", machine.socket()),
    ];
    let asked = PROGRAM.parse(arguments, [], |given| Ok(read(given)));
    let Ok(Asked::Run(config)) = asked else {
        panic!("{asked:?}");
    };
    let connect = house.workload(&keeper, &machine).client.connect;
    let in_cloud = |launcher, manifest, endpoints: &_| {
        GoogleCloud::new(launcher, manifest, endpoints, Https::believing_nobody())
    };
    let gathered = timeout(
        DEADLINE,
        config.gather(connect, in_cloud, Metrics::default()),
    );
    let (shares, consent) = gathered.await.expect("an answer in time").unwrap();

    let message = b"a message";
    let partials: Vec<_> = shares.iter().map(|share| share.sign(message)).collect();
    let group = house.manifest.holders().unwrap().group();
    let signature = group.combine_verified(message, &partials).unwrap();
    group.key().verify(message, &signature).unwrap();
    let mut indices: Vec<u8> = shares.iter().map(|share| share.index().get()).collect();
    indices.sort();
    assert_eq!(indices, [1, 2]);

    house.says("revoke --all");
    let lost = timeout(DEADLINE, consent.lost(|_| {})).await;
    let lost = lost.expect("a renewal in time");
    assert_eq!(
        lost.to_string(),
        "consent is lost: alice: consent was withdrawn"
    );
    assert_eq!(lost.exit(), Exit::Refused);
}
