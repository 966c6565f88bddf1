use super::*;
use crate::cloud::{NotFetched, ShareText};
use crate::connect::{Channel, NoChannel};
use crate::house::{manifest, two_of_group};
use mcbn_launcher::TokenType;
use mcbn_manifest::{Cloud, Keeper, Manifest, carried};
use mcbn_runtime::settings::Program;
use std::io::Write;
use std::os::fd::IntoRawFd;
use std::time::Duration;
use tokio::io::DuplexStream;

static PROGRAM: Program = Program::new(
    "program",
    "1",
    "A program that makes a key of shares.",
    &[
        SHARE,
        MANIFEST,
        DERIVATION,
        THRESHOLD,
        MANIFEST_DIGEST,
        CONSENT_TIMEOUT,
        TOKEN_SOCKET,
    ],
    &[],
);

fn read(arguments: &[&str]) -> Result<ShareConfig, String> {
    read_by(&PROGRAM, arguments, |given| {
        ShareConfig::read(given, &mut Inheritance::new())
    })
}

/// The configuration, or what is reported.
pub(super) fn read_by<C>(
    program: &'static Program,
    arguments: &[&str],
    read: impl FnOnce(&mut Given) -> Result<C, Reported>,
) -> Result<C, String> {
    program.own_config(arguments, read).map_err(|faults| {
        let mut report = Vec::new();
        faults.report(&mut report);
        String::from_utf8(report).unwrap()
    })
}

#[track_caller]
fn refused(arguments: &[&str], reasons: &[&str]) {
    reports(&read(arguments).unwrap_err(), reasons);
}

/// These reasons and no other.
#[track_caller]
pub(super) fn reports(report: &str, reasons: &[&str]) {
    let errors = report.lines().filter(|line| line.contains(": error: "));
    assert_eq!(errors.count(), reasons.len(), "{report}");
    for reason in reasons {
        assert!(report.contains(reason), "{report}");
    }
}

pub(super) fn given(rule: &str) -> String {
    format!("--manifest={}", carried::encode(manifest(rule).as_bytes()))
}

pub(super) const UNANIMOUS: &str = "\"unanimous\"";
pub(super) const TWO: &str = "{ threshold = 2 }";

const SHARES: [&str; 2] = [
    "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90",
    "b15244faf36e5e4b178d3891701d245f2e45e881d913b6c35c0ea0ac14224cc2",
];

/// `--share=NAME=fd:N`, with a pipe that gives it.
pub(super) fn piped(name: &str, share: &str) -> String {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(share.as_bytes()).unwrap();
    format!("--share={name}=fd:{}", reader.into_raw_fd())
}

fn asked(config: &ShareConfig) -> Vec<&str> {
    let members = config.members().iter();
    members.map(|member| member.name.as_str()).collect()
}

#[test]
fn with_a_manifest_alone_every_keeper_is_asked() {
    let config = read(&[&given(UNANIMOUS)]).unwrap();
    assert_eq!(asked(&config), ["alice", "bob", "carol"]);
    let digest = Manifest::parse(manifest(UNANIMOUS).as_bytes())
        .unwrap()
        .digest();
    assert_eq!(config.0.manifest(), Some(&digest));
    let keepers = config.0.others.unwrap();
    assert_eq!(keepers.terms.longest_lease, Duration::from_secs(300));
    assert_eq!(keepers.terms.timeout, Duration::from_secs(600));
    assert_eq!(keepers.token_type, TokenType::Pki);
    assert_eq!(
        keepers.launcher.socket().to_str(),
        Some(mcbn_launcher::SOCKET)
    );
}

#[test]
fn a_share_that_is_here_is_not_asked_for() {
    let here = piped("bob", SHARES[0]);
    let arguments = ["--share=alice=keeper", &here, &given(UNANIMOUS)];
    let config = read(&arguments).unwrap();
    assert_eq!(asked(&config), ["alice", "carol"]);
    let config = read(&["--share=bob=fd:0", &given(TWO), "--consent-timeout=1h"]).unwrap();
    let (row, secret) = config.of_standard_input().unwrap();
    assert_eq!((row, &*secret), (&SHARE, "the share of bob"));
    assert_eq!(
        config.0.others.unwrap().terms.timeout,
        Duration::from_secs(3600)
    );
}

#[test]
fn a_manifest_may_stand_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.toml");
    std::fs::write(&path, manifest(TWO)).unwrap();
    let config = read(&[&format!("--manifest=file:{}", path.display())]).unwrap();
    let digest = Manifest::parse(manifest(TWO).as_bytes()).unwrap().digest();
    assert_eq!(config.0.manifest(), Some(&digest));

    let missing = format!("--manifest=file:{}/missing", folder.path().display());
    refused(&[&missing], &["--manifest: its file: No such file"]);
    std::fs::write(&path, vec![b'#'; Manifest::MAX_LEN + 1]).unwrap();
    refused(
        &[&format!("--manifest=file:{}", path.display())],
        &["--manifest: "],
    );
}

#[test]
fn the_variable_is_the_one_that_keepers_know() {
    assert_eq!(MANIFEST.variable(), carried::VARIABLE);
    assert!(MANIFEST.is_operators());
    // Whoever answers there makes tokens for anything: not the operator's choice.
    assert!(!TOKEN_SOCKET.is_operators());
}

#[test]
fn what_follows_from_the_manifest_is_refused_beside_it() {
    let digest = format!("--manifest-digest={}", "0123456789abcdef".repeat(4));
    refused(
        &[
            &given(TWO),
            "--derivation=shamir-v1",
            "--threshold=2",
            &digest,
        ],
        &[
            "--derivation and --manifest: it follows from the manifest",
            "--threshold and --manifest: it follows from the manifest",
            "--manifest-digest and --manifest: it follows from the manifest",
        ],
    );
}

#[test]
fn a_stranger_to_the_manifest_is_refused() {
    refused(
        &[&given(TWO), "--share=dave=keeper", &piped("eve", SHARES[0])],
        &[
            "dave is not a participant of the manifest",
            "eve is not a participant of the manifest",
        ],
    );
}

#[test]
fn a_participant_who_is_named_twice_is_refused() {
    let reason = "--share: participant alice is named more than once";
    let twice = ["--share=alice=keeper", "--share=alice=keeper", &given(TWO)];
    refused(&twice, &[reason]);
    let both = [
        &piped("alice", SHARES[0]),
        "--share=alice=keeper",
        &given(TWO),
    ];
    refused(&both, &[reason]);
}

#[test]
fn a_keeper_without_a_manifest_is_refused() {
    refused(
        &["--share=alice=keeper", &piped("bob", SHARES[0])],
        &[
            "--share and --manifest: a manifest must say where the keeper of alice is, and there is none",
        ],
    );
}

#[test]
fn a_manifest_of_shares_that_make_no_key_is_refused() {
    let reason = "bls-reveal-v1 makes no key: it gives shares to a program that signs with them";
    let manifest = given(&two_of_group("bls-reveal-v1"));
    let here = piped("alice", SHARES[0]);
    for arguments in [&[&*manifest][..], &[&manifest, &here]] {
        refused(arguments, &[&format!("--manifest: {reason}")]);
    }
    let other = piped("bob", SHARES[1]);
    refused(
        &["--derivation=bls-reveal-v1", &here, &other],
        &[&format!("--derivation: {reason}")],
    );
}

#[test]
fn neither_shares_nor_a_manifest_are_refused() {
    refused(&[], &["--share and --manifest: one of them is needed"]);
}

#[test]
fn settings_for_keepers_are_refused_where_none_is_asked() {
    refused(
        &[
            &piped("alice", SHARES[0]),
            "--consent-timeout=1m",
            "--token-socket=/x",
        ],
        &[
            "--consent-timeout: there is nobody that would be asked",
            "--token-socket: there is nobody that would be asked",
        ],
    );
}

#[test]
fn every_mistake_of_a_manifest_is_reported() {
    let text = manifest(UNANIMOUS).replace("version = 1", "version = 2") + "mistake = 1\n";
    let given = format!("--manifest={}", carried::encode(text.as_bytes()));
    let report = read(&[&given, "--share=alice=keeper"]).unwrap_err();
    assert!(report.contains("error: --manifest: 1:"), "{report}");
    assert!(report.contains("mistake"), "{report}");
    assert!(report.contains("hint: `mcbn manifest check`"), "{report}");

    let endless = "mistake = 1\n".repeat(3000);
    let given = format!("--manifest={}", carried::encode(endless.as_bytes()));
    assert!(read(&[&given]).unwrap_err().lines().count() < 30);
}

#[test]
fn a_share_in_the_manifests_place_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("share");
    std::fs::write(&path, SHARES[0]).unwrap();
    for value in [
        SHARES[0].to_owned(),
        format!("text:{}", SHARES[0]),
        "text:LG9j-MD1OlZdsEG5HAqVrdiRP8ECZwWJ2zmCIo2_7ZA".to_owned(),
        format!("file:{}", SHARES[0]),
        format!("file:{}", path.display()),
        "file:".to_owned(),
    ] {
        let report = read(&[&format!("--manifest={value}")]).unwrap_err();
        assert!(!report.contains(&SHARES[0][..8]), "{report}");
        assert!(!report.contains("LG9j"), "{report}");
    }
}

#[test]
fn another_form_of_a_share_is_refused_with_all_that_there_are() {
    let report = read(&["--share=alice=keepers", &given(TWO)]).unwrap_err();
    assert!(
        report.contains("none of file:PATH, fd:NUMBER and keeper"),
        "{report}"
    );
    let report = read(&["--share=Alice=keeper", &given(TWO)]).unwrap_err();
    assert!(report.contains("a participant's name is"), "{report}");
}

/// The same network, where bob's share is in Google Cloud.
fn with_bob_in_cloud() -> String {
    let keeper = mcbn_manifest::Pin([1; 32]);
    let keeper = format!("keeper = \"bob.example:7400\"\npin = \"{keeper}\"");
    let cloud = "share = \"gcp-secret:projects/1/secrets/share/versions/1\"\n\
                 identity = \"projects/1/locations/global/workloadIdentityPools/mcbn/providers/attested\"";
    let text = manifest(UNANIMOUS);
    assert!(text.contains(&keeper), "{text}");
    let text = text.replace(&keeper, cloud);
    format!("--manifest={}", carried::encode(text.as_bytes()))
}

#[test]
fn whoever_is_in_the_cloud_is_asked_there() {
    let given = with_bob_in_cloud();
    let config = read(&[&given, "--consent-timeout=1h", "--token-socket=/x"]).unwrap();
    assert_eq!(asked(&config), ["alice", "bob", "carol"]);
    assert!(config.members()[1].cloud().is_some());
    // Settings of asking are of use where only bob is asked.
    let here = [piped("alice", SHARES[0]), piped("carol", SHARES[1])];
    let config = read(&[&given, &here[0], &here[1], "--consent-timeout=1h"]).unwrap();
    assert_eq!(asked(&config), ["bob"]);
    let config = read(&[&given, &piped("bob", SHARES[0])]).unwrap();
    assert_eq!(asked(&config), ["alice", "carol"]);
}

#[test]
fn a_keeper_of_whoever_has_none_is_refused() {
    let reason = "--share and --manifest: bob has no keeper: by the manifest, their share is in Google Cloud, and it is asked for there";
    refused(&[&with_bob_in_cloud(), "--share=bob=keeper"], &[reason]);
}

#[test]
fn a_share_in_the_cloud_is_refused_outside_of_the_manifest() {
    for place in [
        "gcp-secret:projects/1/secrets/share/versions/1",
        "gcp-kms:projects/house-1/locations/us/keyRings/a/cryptoKeys/b",
    ] {
        let share = format!("--share=bob={place}");
        for manifest in [given(UNANIMOUS), with_bob_in_cloud()] {
            let reason =
                "a share in Google Cloud stands in the manifest, beside its participant's name";
            refused(&[&manifest, &share], &[reason]);
        }
    }
}

#[tokio::test]
async fn a_cloud_out_of_reach_ends_it_in_time() {
    let here = [piped("alice", SHARES[0]), piped("carol", SHARES[1])];
    let arguments = [
        &*with_bob_in_cloud(),
        &here[0],
        &here[1],
        "--consent-timeout=10ms",
    ];
    let config = read(&arguments).unwrap();
    let error = config.gather(Nowhere, no_cloud, Metrics::default()).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "no consent in time: bob: Google Cloud cannot give the share now: no network"
    );
}

#[derive(Debug)]
pub(super) struct Nowhere;

impl Connect for Nowhere {
    type Stream = DuplexStream;

    async fn connect(&self, _: &Keeper) -> Result<Channel<DuplexStream>, NoChannel> {
        Err(NoChannel {
            reason: "unreachable",
            source: std::io::Error::other("no network").into(),
        })
    }
}

impl Fetch for Nowhere {
    async fn fetch(&self, _: &Cloud) -> Result<ShareText, NotFetched> {
        Err(NotFetched {
            reason: "unavailable",
            is_final: false,
            source: std::io::Error::other("no network").into(),
        })
    }
}

pub(super) fn no_cloud(_: Launcher, _: ManifestDigest, _: &Endpoints) -> Nowhere {
    Nowhere
}

#[tokio::test]
async fn shares_that_are_here_become_a_key_without_keepers() {
    let arguments = [piped("alice", SHARES[0]), piped("bob", SHARES[1])];
    let config = read(&[&arguments[0], &arguments[1]]).unwrap();
    assert!(config.members().is_empty());
    let (combined, _) = config
        .gather(Nowhere, no_cloud, Metrics::default())
        .await
        .unwrap();
    combined.tls_psk(b"Client1").unwrap();
}

#[tokio::test]
async fn a_manifest_salts_the_key() {
    let key = async |manifest: &str| {
        let shares = [
            ("alice", SHARES[0]),
            ("bob", SHARES[1]),
            (
                "carol",
                "3e2078d5cd04beabfa4a7a1486bc626d679184df2e0a2b9942d913d4b835516c",
            ),
        ];
        let mut arguments = shares.map(|(name, share)| piped(name, share)).to_vec();
        arguments.push(format!(
            "--manifest={}",
            carried::encode(manifest.as_bytes())
        ));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let config = read(&arguments).unwrap();
        let (combined, _) = config
            .gather(Nowhere, no_cloud, Metrics::default())
            .await
            .unwrap();
        combined.tls_psk(b"Client1").unwrap()
    };
    let one = manifest(UNANIMOUS);
    assert!(key(&one).await == key(&one).await);
    assert!(key(&one).await != key(&format!("{one}\n")).await);
}

#[tokio::test]
async fn a_share_that_is_here_and_bad_is_told_before_any_keeper_is_asked() {
    let config = read(&[&piped("alice", &"00".repeat(32)), &given(UNANIMOUS)]).unwrap();
    let error = config
        .gather(Nowhere, no_cloud, Metrics::default())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the share of alice is refused: it does not look random"
    );
}

#[tokio::test]
async fn keepers_out_of_reach_end_it_in_time() {
    let config = read(&[&given(TWO), "--consent-timeout=10ms"]).unwrap();
    let error = config
        .gather(Nowhere, no_cloud, Metrics::default())
        .await
        .unwrap_err();
    let shown = error.to_string();
    let reason = "the keeper cannot be reached: no network";
    assert_eq!(
        shown,
        format!("no consent in time: alice: {reason}; bob: {reason}; carol: {reason}")
    );
}
