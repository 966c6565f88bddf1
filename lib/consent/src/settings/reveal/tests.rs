use super::*;
use crate::house::{manifest, signing_share, signing_share_hex, two_of_group};
use crate::settings::tests::{Nowhere, TWO, UNANIMOUS, given, no_cloud, piped, read_by, reports};
use crate::settings::{TOKEN_SOCKET, read_manifest};
use mcbn_launcher::TokenType;
use mcbn_runtime::settings::Program;
use std::path::PathBuf;
use std::time::Duration;

/// As a program has it that cannot do without.
const MANIFEST: Setting = Setting::value("manifest", "file:PATH|text:BASE64URL", "it").required();

static PROGRAM: Program = Program::new(
    "program",
    "1",
    "A program that signs with shares.",
    &[MANIFEST, SHARE, CONSENT_TIMEOUT, TOKEN_SOCKET],
    &[],
);

fn read(arguments: &[&str]) -> Result<RevealConfig, String> {
    read_by(&PROGRAM, arguments, |given| {
        // It asks for tokens of its own.
        let socket = given.one::<PathBuf>(&TOKEN_SOCKET);
        let manifest = read_manifest(given, &MANIFEST)?;
        let config = RevealConfig::read(given, &mut Inheritance::new(), &MANIFEST, &manifest);
        socket?;
        config
    })
}

fn group() -> String {
    given(&two_of_group("bls-reveal-v1"))
}

/// `--share=NAME=fd:N`, with a pipe that gives the share of this participant.
fn own(whose: &str) -> String {
    piped(whose, signing_share_hex(whose))
}

fn asked(config: &RevealConfig) -> Vec<&str> {
    let members = config.members().iter();
    members.map(|member| member.name.as_str()).collect()
}

#[test]
fn keepers_are_asked_for_the_shares_that_are_not_here() {
    let config = read(&[&group(), "--consent-timeout=1h"]).unwrap();
    assert_eq!(asked(&config), ["alice", "bob", "carol"]);
    let keepers = config.0.others.as_ref().unwrap();
    assert_eq!(keepers.terms.longest_lease, Duration::from_secs(300));
    assert_eq!(keepers.terms.timeout, Duration::from_secs(3600));
    assert_eq!(keepers.token_type, TokenType::Pki);
    let text = manifest(&two_of_group("bls-reveal-v1"));
    let digest = Manifest::parse(text.as_bytes()).unwrap().digest();
    assert_eq!(config.0.manifest(), Some(&digest));

    let config = read(&[&group(), "--share=bob=fd:0", "--share=carol=keeper"]).unwrap();
    assert_eq!(asked(&config), ["alice", "carol"]);
    let (row, secret) = config.of_standard_input().unwrap();
    assert_eq!((row, &*secret), (&SHARE, "the share of bob"));
}

#[test]
fn a_manifest_that_says_nothing_of_it_is_refused() {
    for (rule, derivation) in [
        (UNANIMOUS, "hkdf-v1"),
        (TWO, "shamir-v1"),
        (&two_of_group("bls-prf-v1"), "bls-prf-v1"),
    ] {
        let report = read(&[&given(rule), &own("alice")]).unwrap_err();
        let reason = format!(
            "--manifest: shares are revealed under bls-reveal-v1 alone, and its derivation is {derivation}"
        );
        reports(&report, &[&reason]);
    }
}

#[test]
fn a_stranger_to_the_group_is_refused() {
    let report = read(&[&group(), "--share=dave=keeper"]).unwrap_err();
    let reason = "--share and --manifest: dave is not a participant of the manifest";
    reports(&report, &[reason]);
}

#[test]
fn a_timeout_is_refused_where_no_keeper_is_asked_and_the_socket_is_not() {
    let shares = ["alice", "bob", "carol"].map(own);
    let group = group();
    let mut arguments = vec![&*group, "--token-socket=/x"];
    arguments.extend(shares.iter().map(String::as_str));
    assert!(read(&arguments).is_ok());
    let shares = ["alice", "bob", "carol"].map(own);
    arguments.truncate(2);
    arguments.extend(shares.iter().map(String::as_str));
    arguments.push("--consent-timeout=1m");
    let reason = "--consent-timeout: there is nobody that would be asked";
    reports(&read(&arguments).unwrap_err(), &[reason]);
}

#[tokio::test]
async fn shares_that_are_here_are_given_out_without_keepers() {
    let shares = ["carol", "alice", "bob"].map(own);
    let group = group();
    let mut arguments = vec![&*group];
    arguments.extend(shares.iter().map(String::as_str));
    let config = read(&arguments).unwrap();
    assert!(config.members().is_empty());
    let (shares, _) = config
        .gather(Nowhere, no_cloud, Metrics::default())
        .await
        .unwrap();
    let given = shares
        .iter()
        .map(|share| (share.index().get(), share.secret()));
    let dealt = [(3, "carol"), (1, "alice"), (2, "bob")];
    let dealt = dealt.map(|(index, whose)| (index, signing_share(whose)));
    assert_eq!(given.collect::<Vec<_>>(), dealt);
}

#[tokio::test]
async fn a_share_that_is_here_and_bad_is_told_before_any_keeper_is_asked() {
    let config = read(&[&group(), &piped("alice", signing_share_hex("bob"))]).unwrap();
    let error = config.gather(Nowhere, no_cloud, Metrics::default()).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "the share of alice is refused: the manifest's commitments promise another"
    );
}

#[tokio::test]
async fn keepers_out_of_reach_end_it_in_time() {
    let config = read(&[&group(), &own("bob"), "--consent-timeout=10ms"]).unwrap();
    let error = config.gather(Nowhere, no_cloud, Metrics::default()).await;
    let reason = "the keeper cannot be reached: no network";
    assert_eq!(
        error.unwrap_err().to_string(),
        format!("no consent in time: alice: {reason}; carol: {reason}")
    );
}
