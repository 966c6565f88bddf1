mod cloud;
mod damage;
mod mistakes;
mod no_manifest;
mod weak_demands;

use crate::policy::*;
use crate::*;
use mcbn_share::Signers;
use std::collections::BTreeMap;
use std::sync::Arc;

const UNANIMOUS: &str = include_str!("../../testdata/unanimous.toml");
const THRESHOLD: &str = include_str!("../../testdata/threshold.toml");
const SIGNED: &str = include_str!("../../testdata/signed.toml");

fn parse(text: &str) -> Result<Manifest, Mistakes> {
    Manifest::parse(text.as_bytes())
}

/// The mistakes after some replacements, each of a text that stands there once.
#[track_caller]
fn assert_refused(text: &str, replacements: &[(&str, &str)], mistakes: &[&str]) {
    let mut text = text.to_owned();
    for (old, new) in replacements {
        assert_eq!(text.matches(old).count(), 1, "{old:?}");
        text = text.replace(old, new);
    }
    let found = parse(&text).expect_err("must be refused").to_string();
    assert_eq!(found.lines().collect::<Vec<_>>(), mistakes);
}

/// SHA-256 of a word.
fn digest(word: &str) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    Sha256::digest(word).into()
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|item| (*item).to_owned()).collect()
}

fn map(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    list.iter().map(owned).collect()
}

#[test]
fn what_is_not_written_is_demanded_in_its_strictest_form() {
    let manifest = parse(UNANIMOUS).unwrap();
    let strictest = Policy {
        token: TokenKind::Oidc,
        software: vec![Software::ConfidentialSpace],
        insecure_debug: false,
        support: vec![Support::Stable],
        hardware: vec![Hardware::AmdSevSnp, Hardware::IntelTdx],
        insecure_no_secure_boot: false,
        minimum_swversion: None,
        projects: None,
        zones: None,
        service_accounts: None,
        restart_policy: None,
        memory_monitoring: None,
        signatures: None,
    };
    assert_eq!(*manifest.policy(), strictest);
    let [workload] = manifest.workloads() else {
        panic!("{manifest:?}");
    };
    assert_eq!(workload.name.as_str(), "psk-server");
    assert_eq!(workload.images, [ImageDigest(digest("psk-server"))]);
    let none = Container {
        args: None,
        cmd_override: vec![],
        env_override: BTreeMap::new(),
        env: None,
    };
    assert_eq!(workload.container, none);
}

#[test]
fn a_unanimous_network_is_read() {
    let manifest = parse(UNANIMOUS).unwrap();
    assert_eq!(manifest.network().as_str(), "house");
    assert_eq!(manifest.rule(), Rule::Unanimous);
    assert_eq!(manifest.derivation(), Derivation::HkdfV1);
    assert_eq!(manifest.lease(), Duration::from_secs(300));
    let shown = manifest.participants().iter().map(|member| {
        let Keeper { address, pin } = member.keeper().unwrap();
        format!("{} {address} {pin}", member.name)
    });
    let expected = [
        "alice alice.example:7400 K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA",
        "bob [2001:db8::b0b]:7400 gbY32PzSxtpjWeaWMROhFw3nleS3JbhNHgtM_Z7FjOk",
    ];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
    let bob = manifest.participants()[1].keeper().unwrap();
    assert_eq!(bob.pin, Pin(digest("bob")));
}

#[test]
fn every_demand_is_read() {
    let manifest = parse(THRESHOLD).unwrap();
    let keys = ["first key", "second key"].map(|word| KeyId(digest(word)));
    let policy = Policy {
        token: TokenKind::Pki,
        software: vec![Software::ConfidentialSpace],
        insecure_debug: true,
        support: Support::ALL.to_vec(),
        hardware: vec![
            Hardware::AmdSev,
            Hardware::AmdSevEs,
            Hardware::AmdSevSnp,
            Hardware::IntelTdx,
        ],
        insecure_no_secure_boot: true,
        minimum_swversion: Some(240_900),
        projects: Some(strings(&["garden-7", "example.com:garden"])),
        zones: Some(strings(&["europe-west4-a", "europe-west4-b"])),
        service_accounts: Some(strings(&["psk@garden-7.iam.gserviceaccount.com"])),
        restart_policy: Some(vec![RestartPolicy::Never, RestartPolicy::OnFailure]),
        memory_monitoring: Some(false),
        signatures: Some(Signatures {
            threshold: 1.try_into().unwrap(),
            keys: keys.into(),
        }),
    };
    assert_eq!(*manifest.policy(), policy);
}

#[test]
fn a_network_with_a_threshold_is_read() {
    let manifest = parse(THRESHOLD).unwrap();
    assert_eq!(manifest.network().as_str(), "garden-2");
    assert_eq!(manifest.rule(), Rule::Threshold(Threshold::new(2).unwrap()));
    assert_eq!(manifest.derivation(), Derivation::ShamirV1);
    assert_eq!(manifest.participants().len(), 3);
    let [server, client] = manifest.workloads() else {
        panic!("{manifest:?}");
    };
    let arguments = strings(&["--idle-timeout=30s", "--tls12"]);
    let expected = Container {
        args: Some([strings(&["/psk-server"]), arguments.clone()].concat()),
        cmd_override: arguments,
        env_override: map(&[("MCBN_FORWARD", "127.0.0.1:80")]),
        env: Some(map(&[("MCBN_FORWARD", "127.0.0.1:80"), ("PATH", "/")])),
    };
    assert_eq!(server.container, expected);
    let expected = Container {
        env_override: map(&[("MCBN_SERVER", "srv:_mcbn._tcp.garden.example")]),
        ..Container::default()
    };
    assert_eq!(client.container, expected);
}

#[test]
fn a_network_whose_participants_sign_is_read() {
    let manifest = parse(SIGNED).unwrap();
    assert_eq!(manifest.rule(), Rule::Threshold(Threshold::new(2).unwrap()));
    assert_eq!(manifest.derivation(), Derivation::BlsPrfV1);
    let holders = manifest.holders().unwrap();
    let (group, named) = (holders.group(), holders.names());
    assert_eq!(
        named,
        ["alice", "bob", "carol"].map(|name| name.parse().unwrap())
    );
    assert_eq!((group.threshold().get(), group.count()), (2, 3));
    assert!(group.key().to_string().starts_with("a7bb3d85521ee197"));
    let [alice, bob, _] = manifest.participants() else {
        panic!("three");
    };
    let key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        .parse()
        .unwrap();
    assert_eq!((alice.signing_key, bob.signing_key), (Some(key), None));
    let signers = Signers::new(holders.clone(), &manifest.digest());
    assert_eq!(*manifest.kind(), Kind::Consent(Arc::new(signers)));
    assert!(parse(THRESHOLD).unwrap().holders().is_none());
}

#[test]
fn a_network_whose_participants_reveal_their_shares_is_read() {
    let signed = parse(SIGNED).unwrap();
    let manifest = parse(&SIGNED.replace("bls-prf-v1", "bls-reveal-v1")).unwrap();
    assert_eq!(manifest.derivation(), Derivation::BlsRevealV1);
    assert_eq!(manifest.rule(), signed.rule());
    let holders = manifest.holders().unwrap();
    assert_eq!(Some(holders), signed.holders());
    assert_eq!(*manifest.kind(), Kind::Reveal(Arc::new(holders.clone())));
}

#[test]
fn an_image_plays_the_part_under_which_it_stands() {
    let manifest = parse(THRESHOLD).unwrap();
    for (image, part) in [
        ("psk-server", Some("psk-server")),
        ("psk-server, patched", Some("psk-server")),
        ("psk-client", Some("psk-client")),
        ("another", None),
    ] {
        let workload = manifest.workload_of(&ImageDigest(digest(image)));
        assert_eq!(workload.map(|workload| workload.name.as_str()), part);
    }
}

#[test]
fn a_derivation_may_be_left_to_the_rule() {
    let threshold = THRESHOLD.replace("derivation = \"shamir-v1\"\n", "");
    assert_eq!(
        parse(&threshold).unwrap().derivation(),
        Derivation::ShamirV1
    );
    let unanimous = UNANIMOUS.replace("lease", "derivation = \"hkdf-v1\"\nlease");
    assert_eq!(parse(&unanimous).unwrap().derivation(), Derivation::HkdfV1);
}

/// Computed with sha256sum.
#[test]
fn the_digest_is_that_of_the_exact_bytes() {
    for (text, digest) in [
        (
            UNANIMOUS,
            "a9529ce2a35ba62a1970244becf6e9247d9dc90303cfc67d7463b4495659d53c",
        ),
        (
            THRESHOLD,
            "5431499a4fc3bec895e16bbaa1f5aef8e2375404257ebff0deba2fbc97fd8050",
        ),
    ] {
        assert_eq!(parse(text).unwrap().digest().to_string(), digest);
    }
}

#[test]
fn what_changes_nothing_else_changes_the_digest() {
    let manifest = parse(UNANIMOUS).unwrap();
    for text in [
        UNANIMOUS.replace('\n', "\r\n"),
        format!("{UNANIMOUS}\n"),
        format!("{UNANIMOUS} "),
        UNANIMOUS.trim_end().to_owned(),
        UNANIMOUS.replace("lease = 300", "lease  = 300"),
        UNANIMOUS.replace("lease = 300", "lease = 3_00"),
        UNANIMOUS.replace("\"STABLE\"", "'STABLE'"),
        UNANIMOUS.replace("# alice", "# Alice"),
    ] {
        let other = parse(&text).unwrap();
        assert_ne!(other.digest(), manifest.digest());
        let digest = manifest.digest;
        assert_eq!(Manifest { digest, ..other }, manifest);
    }
}

#[test]
fn a_network_may_have_255_participants_and_no_more() {
    let threshold = UNANIMOUS.replace("\"unanimous\"", "{ threshold = 255 }");
    let with = |count: usize| {
        let mut text = threshold.clone();
        for i in 3..=count {
            use base64ct::{Base64UrlUnpadded, Encoding};
            let pin = Base64UrlUnpadded::encode_string(&digest(&i.to_string()));
            text += &format!(
                "[[participant]]\nname = \"p{i}\"\nkeeper = \"k{i}.example:1\"\npin = \"{pin}\"\n"
            );
        }
        text
    };
    let manifest = parse(&with(255)).unwrap();
    assert_eq!(manifest.participants().len(), 255);
    assert_eq!(
        manifest.rule(),
        Rule::Threshold(Threshold::new(255).unwrap())
    );
    assert_eq!(
        parse(&with(256)).unwrap_err().to_string(),
        "7:1: 256 participants; a network has at most 255"
    );
}
