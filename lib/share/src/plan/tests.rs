use super::*;
use crate::combine::{Combined, ManifestDigest};
use crate::holders::tests::{holders, name};
use crate::signers::tests::signers;
use crate::source::tests::Folder;
use crate::{shamir, text};
use mcbn_secret::Psk;
use std::convert::Infallible;

const ALICE: &str = "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90";
const BOB: &str = "b15244faf36e5e4b178d3891701d245f2e45e881d913b6c35c0ea0ac14224cc2";
const CAROL: &str = "3e2078d5cd04beabfa4a7a1486bc626d679184df2e0a2b9942d913d4b835516c";

/// Shares in files, and the plan that reads them.
struct Case {
    folder: Folder,
    sources: Vec<String>,
}

impl Case {
    fn new(shares: &[(&str, &str)]) -> Case {
        let folder = Folder::new();
        let sources = shares.iter().map(|(name, text)| {
            let path = folder.file(name, text);
            format!("{name}=file:{}", path.display())
        });
        Case {
            sources: sources.collect(),
            folder,
        }
    }

    fn plan(&self, derivation: Derivation, threshold: Option<u8>) -> Result<Plan, NoPlan> {
        let threshold = threshold.map(|t| Threshold::new(t).unwrap());
        let sources = self.sources.iter().map(|s| s.parse().unwrap()).collect();
        Plan::new(derivation, threshold, sources)
    }

    fn key(&self, derivation: Derivation) -> Result<Combined, NoKey> {
        let plan = self.plan(derivation, None).unwrap();
        Ok(plan
            .claim(&mut Inheritance::new())
            .unwrap()
            .read()?
            .combine(None)?)
    }

    fn refusal(&self, derivation: Derivation) -> String {
        self.key(derivation).unwrap_err().to_string()
    }
}

fn same(a: &Combined, b: &Combined) -> bool {
    a.tls_psk(b"Client1").unwrap() == b.tls_psk(b"Client1").unwrap()
}

const PUBLISHED: [Derivation; 2] = [Derivation::Sha256ConcatHex, Derivation::HmacChainHex];
const FREE_OF_ORDER: [Derivation; 2] = [Derivation::HkdfV1, Derivation::XorSha256];

#[test]
fn the_published_derivations_keep_the_given_order() {
    let given = Case::new(&[("alice", ALICE), ("bob", BOB), ("carol", CAROL)]);
    let other = Case::new(&[("bob", BOB), ("alice", ALICE), ("carol", CAROL)]);
    for derivation in PUBLISHED {
        assert!(!same(
            &given.key(derivation).unwrap(),
            &other.key(derivation).unwrap()
        ));
    }
    for derivation in FREE_OF_ORDER {
        assert!(same(
            &given.key(derivation).unwrap(),
            &other.key(derivation).unwrap()
        ));
    }
}

#[test]
fn the_published_keys_come_out_of_files() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../testdata/combine.json")).unwrap();
    let case = Case::new(&[
        ("alice", &format!("{ALICE}\n")),
        ("bob", &BOB.to_ascii_uppercase()),
        ("carol", CAROL),
    ]);
    for (derivation, vector) in [
        (Derivation::Sha256ConcatHex, "sha256_concat_ascii_hex"),
        (Derivation::HmacChainHex, "hmac_chain_ascii_hex"),
    ] {
        let psk = case.key(derivation).unwrap().tls_psk(b"Client1").unwrap();
        let hex = vectors[vector]["psk_hex"].as_str().unwrap();
        // To compare it with the published one.
        assert_eq!(base16ct::lower::encode_string(psk.expose_secret()), hex);
    }
}

#[test]
fn every_derivation_makes_another_key() {
    let case = Case::new(&[("alice", ALICE), ("bob", BOB)]);
    let derivations = [PUBLISHED, FREE_OF_ORDER].concat();
    for (i, a) in derivations.iter().enumerate() {
        for b in &derivations[..i] {
            assert!(
                !same(&case.key(*a).unwrap(), &case.key(*b).unwrap()),
                "{a} {b}"
            );
        }
    }
}

#[test]
fn a_manifest_a_purpose_a_context_and_a_name_each_make_another_key() {
    let case = Case::new(&[("alice", ALICE), ("bob", BOB)]);
    let plan = case.plan(Derivation::HkdfV1, None).unwrap();
    let plan = plan.claim(&mut Inheritance::new()).unwrap();
    let shares = plan.read().unwrap();
    let combined = shares.combine(None).unwrap();
    let key = combined.tls_psk(b"Client1").unwrap();
    let with_manifest = shares.combine(Some(&ManifestDigest([1; 32]))).unwrap();
    let renamed = Case::new(&[("alice", ALICE), ("bobby", BOB)]);
    // To compare keys of two kinds.
    let of_tpm_psk = combined.tpm_psk_key(b"Client1").unwrap();
    let of_tpm_psk = Psk::copied_from(of_tpm_psk.expose_secret());
    for other in [
        of_tpm_psk,
        combined.tls_psk(b"Client2").unwrap(),
        combined.dtls_psk(b"Client1").unwrap(),
        with_manifest.tls_psk(b"Client1").unwrap(),
        renamed
            .key(Derivation::HkdfV1)
            .unwrap()
            .tls_psk(b"Client1")
            .unwrap(),
    ] {
        assert!(key != other);
    }
}

#[test]
fn a_plan_names_its_participants() {
    let case = Case::new(&[("bob", BOB), ("alice", ALICE)]);
    let plan = case.plan(Derivation::HkdfV1, None).unwrap();
    let names: Vec<_> = plan.participants().map(Participant::as_str).collect();
    assert_eq!(names, ["bob", "alice"]);
}

// Plans that are refused.

#[test]
fn a_plan_without_participants_is_refused() {
    let case = Case::new(&[]);
    for (derivation, threshold, fewest) in [
        (Derivation::HkdfV1, None, 1),
        (Derivation::HmacChainHex, None, 2),
        (Derivation::ShamirV1, Some(3), 3),
    ] {
        let refused = case.plan(derivation, threshold).unwrap_err();
        assert_eq!(refused, NoPlan::TooFew { fewest });
    }
}

#[test]
fn a_chain_of_one_share_is_refused() {
    let case = Case::new(&[("alice", ALICE)]);
    let refused = case.plan(Derivation::HmacChainHex, None).unwrap_err();
    assert_eq!(refused, NoPlan::TooFew { fewest: 2 });
}

#[test]
fn more_participants_than_points_are_refused() {
    let sources = (0..256).map(|i| format!("p{i}=fd:{}", i + 3).parse().unwrap());
    let refused = Plan::new(Derivation::HkdfV1, None, sources.collect());
    assert_eq!(refused.unwrap_err(), NoPlan::TooMany);
}

#[test]
fn a_participant_who_is_named_twice_is_refused() {
    let sources = ["alice=fd:3", "bob=fd:4", "alice=fd:5"].map(|s| s.parse().unwrap());
    let refused = Plan::new(Derivation::HkdfV1, None, sources.to_vec());
    assert_eq!(
        refused.unwrap_err().to_string(),
        "participant alice is named more than once"
    );
}

#[test]
fn a_participant_whose_share_is_here_and_elsewhere_is_refused() {
    let case = Case::new(&[("alice", ALICE)]);
    for others in [&["alice"][..], &["bob", "bob"]] {
        let sources = case.sources.iter().map(|s| s.parse().unwrap()).collect();
        let others = others.iter().map(|name| name.parse().unwrap()).collect();
        let refused = Plan::with_others(Derivation::HkdfV1, None, sources, others).unwrap_err();
        assert!(matches!(refused, NoPlan::NamedTwice(_)), "{refused:?}");
    }
}

#[test]
fn participants_elsewhere_are_counted() {
    let others = |n: u8| (0..n).map(|i| format!("p{i}").parse().unwrap()).collect();
    let with = |threshold: u8, n| {
        let threshold = Threshold::new(threshold).unwrap();
        Plan::with_others(Derivation::ShamirV1, Some(threshold), Vec::new(), others(n))
    };
    let plan = with(3, 3).unwrap();
    assert_eq!(plan.participants().count(), 3);
    assert_eq!(
        plan.claim(&mut Inheritance::new()).unwrap().others().len(),
        3
    );
    assert_eq!(with(3, 2).unwrap_err(), NoPlan::TooFew { fewest: 3 });
    let all = Plan::with_others(Derivation::HkdfV1, None, Vec::new(), others(255));
    assert!(all.is_ok());
    let case = Case::new(&[("alice", ALICE)]);
    let sources = case.sources.iter().map(|s| s.parse().unwrap()).collect();
    let more = Plan::with_others(Derivation::HkdfV1, None, sources, others(255));
    assert_eq!(more.unwrap_err(), NoPlan::TooMany);
}

#[test]
fn one_place_for_two_participants_is_refused() {
    for sources in [["alice=fd:3", "bob=fd:3"], ["alice=file:/a", "bob=file:/a"]] {
        let sources = sources.map(|s| s.parse().unwrap());
        let refused = Plan::new(Derivation::HkdfV1, None, sources.to_vec());
        assert_eq!(
            refused.unwrap_err().to_string(),
            "the shares of alice and bob would be read from one place"
        );
    }
}

#[test]
fn a_threshold_is_refused_where_every_share_is_needed() {
    let case = Case::new(&[("alice", ALICE), ("bob", BOB)]);
    for derivation in [PUBLISHED, FREE_OF_ORDER].concat() {
        let refused = case.plan(derivation, Some(2)).unwrap_err();
        assert_eq!(refused, NoPlan::ThresholdForAll(derivation));
    }
}

#[test]
fn shamir_without_a_threshold_is_refused() {
    let case = Case::new(&[("alice", ALICE), ("bob", BOB)]);
    let refused = case.plan(Derivation::ShamirV1, None).unwrap_err();
    assert_eq!(refused, NoPlan::NoThreshold);
}

// Shares that are refused.

#[test]
fn a_share_that_cannot_be_read_is_refused_by_name() {
    let case = Case::new(&[("alice", ALICE), ("bob", BOB)]);
    std::fs::remove_file(case.folder.path("bob")).unwrap();
    assert!(matches!(
        case.key(Derivation::HkdfV1),
        Err(NoKey::Unreadable(_))
    ));
    let message = case.refusal(Derivation::HkdfV1);
    assert_eq!(message, "cannot read the share of bob from its file");
}

#[test]
fn a_share_of_another_form_is_refused_by_name() {
    for (text, why) in [
        (&BOB[1..], "its length is wrong"),
        (
            &BOB.replace('b', "g"),
            "it is neither hex digits nor base64url",
        ),
    ] {
        let case = Case::new(&[("alice", ALICE), ("bob", text)]);
        for derivation in [PUBLISHED, FREE_OF_ORDER].concat() {
            let message = case.refusal(derivation);
            assert_eq!(message, format!("the share of bob is refused: {why}"));
        }
    }
}

#[test]
fn a_share_that_does_not_look_random_is_refused_by_name() {
    for text in [
        "00".repeat(32),
        "ff".repeat(32),
        "0123456789abcdef".repeat(4),
    ] {
        let case = Case::new(&[("alice", ALICE), ("bob", &text)]);
        for derivation in [PUBLISHED, FREE_OF_ORDER].concat() {
            let message = case.refusal(derivation);
            assert_eq!(
                message,
                "the share of bob is refused: it does not look random"
            );
        }
    }
}

#[test]
fn equal_shares_are_refused_by_both_names() {
    let case = Case::new(&[
        ("alice", ALICE),
        ("bob", BOB),
        ("carol", &ALICE.to_ascii_uppercase()),
    ]);
    for derivation in [PUBLISHED, FREE_OF_ORDER].concat() {
        let message = case.refusal(derivation);
        assert_eq!(
            message,
            "the shares of alice and carol are refused: they are equal"
        );
    }
}

// t of n.

/// 3-of-5 shares, as text.
fn points(mut change: impl FnMut(&mut Vec<String>)) -> Case {
    let secret = mcbn_secret::SharedSecret::copied_from(&std::array::from_fn(|i| i as u8 * 7));
    let threshold = Threshold::new(3).unwrap();
    let shares = shamir::split(&secret, threshold, 5, counter(1)).unwrap();
    let mut texts = shares
        .iter()
        .map(|s| text::shamir_share_hex(s).to_string())
        .collect();
    change(&mut texts);
    let names = ["alice", "bob", "carol", "dave", "erin"];
    let named: Vec<_> = names
        .into_iter()
        .zip(texts.iter().map(String::as_str))
        .collect();
    Case::new(&named)
}

fn counter(mut next: u8) -> impl FnMut(&mut [u8]) -> Result<(), Infallible> {
    move |buffer| {
        for byte in buffer {
            next = next.wrapping_mul(5).wrapping_add(3);
            *byte = next;
        }
        Ok(())
    }
}

fn shamir_key(case: &Case, threshold: u8) -> Result<Combined, NoKey> {
    let plan = case.plan(Derivation::ShamirV1, Some(threshold)).unwrap();
    Ok(plan
        .claim(&mut Inheritance::new())
        .unwrap()
        .read()?
        .combine(None)?)
}

fn shamir_refusal(change: impl FnMut(&mut Vec<String>), threshold: u8) -> String {
    shamir_key(&points(change), threshold)
        .unwrap_err()
        .to_string()
}

#[test]
fn any_threshold_of_participants_gets_the_key_whatever_their_names() {
    let all = shamir_key(&points(|_| {}), 3).unwrap();
    for change in [
        (|texts| texts.truncate(3)) as fn(&mut Vec<String>),
        |texts| drop(texts.drain(..2)),
        |texts| texts.reverse(),
        |texts| texts.swap(0, 4),
    ] {
        assert!(same(&shamir_key(&points(change), 3).unwrap(), &all));
    }
}

#[test]
fn a_surplus_share_that_does_not_fit_is_refused_without_a_name() {
    let message = shamir_refusal(|texts| texts[4].replace_range(2..4, "00"), 3);
    assert_eq!(
        message,
        "the shares are refused: they do not come from one secret"
    );
}

#[test]
fn a_threshold_that_is_too_low_is_refused_where_there_is_a_surplus() {
    let message = shamir_refusal(|_| {}, 2);
    assert_eq!(
        message,
        "the shares are refused: they do not come from one secret"
    );
}

#[test]
fn a_point_at_zero_is_refused_by_name() {
    let message = shamir_refusal(|texts| texts[1].replace_range(..2, "00"), 3);
    assert_eq!(
        message,
        "the share of bob is refused: its x-coordinate is 0"
    );
}

#[test]
fn two_shares_at_one_point_are_refused_by_both_names() {
    let message = shamir_refusal(|texts| texts[2].replace_range(..2, "01"), 3);
    assert_eq!(
        message,
        "the shares of alice and carol are refused: they have the same x-coordinate"
    );
}

#[test]
fn equal_values_at_two_points_are_refused_by_both_names() {
    let message = shamir_refusal(|texts| texts[2] = format!("09{}", &texts[0][2..]), 3);
    assert_eq!(
        message,
        "the shares of alice and carol are refused: they are equal"
    );
}

#[test]
fn values_that_do_not_look_random_are_refused_by_name() {
    let message = shamir_refusal(|texts| texts[3] = format!("04{}", "55".repeat(32)), 3);
    assert_eq!(
        message,
        "the share of dave is refused: it does not look random"
    );
}

#[test]
fn a_plain_share_is_no_shamir_share() {
    let message = shamir_refusal(|texts| texts[0] = ALICE.into(), 3);
    assert_eq!(
        message,
        "the share of alice is refused: its length is wrong"
    );
}

/// Two shares whose line goes through zero: each looks random, their secret does not.
#[test]
fn a_recovered_secret_that_does_not_look_random_is_refused() {
    // c·x with c = alice's bytes, so that the secret is 0: at x = 1 it is c, at x = 2 it is doubled.
    let mut share = [0; 32];
    base16ct::lower::decode(ALICE, &mut share).unwrap();
    let doubled = share.map(|b: u8| (b << 1) ^ if b & 0x80 == 0 { 0 } else { 0x1b });
    let case = Case::new(&[
        ("alice", &format!("01{ALICE}")),
        (
            "bob",
            &format!("02{}", base16ct::lower::encode_string(&doubled)),
        ),
    ]);
    let message = shamir_key(&case, 2).unwrap_err().to_string();
    assert_eq!(
        message,
        "the shares are refused: their secret does not look random"
    );
}

/// No refusal repeats a byte of a share.
#[test]
fn a_refusal_shows_no_share() {
    let half = "aa".repeat(16);
    let odd = format!("{}{half}", &ALICE[..32]);
    let cases = [
        Case::new(&[("alice", ALICE), ("bob", ALICE)]),
        Case::new(&[("alice", ALICE), ("bob", &BOB[2..])]),
        Case::new(&[("alice", &"ab".repeat(32)), ("bob", BOB)]),
        Case::new(&[("alice", &odd.replace('a', "z")), ("bob", BOB)]),
    ];
    for case in cases {
        let error = case.key(Derivation::HkdfV1).unwrap_err();
        let shown = format!("{error} {error:?} {error:#?} {:?}", error.hint());
        for part in [&ALICE[..6], &BOB[2..8], "abab", "zz"] {
            assert!(!shown.contains(part), "{shown}");
        }
    }
}

#[test]
fn a_group_is_needed_for_consent_by_signature() {
    let case = Case::new(&[("alice", ALICE), ("bob", BOB)]);
    for threshold in [None, Some(2)] {
        let refused = case.plan(Derivation::BlsPrfV1, threshold).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "bls-prf-v1 needs a manifest, which has the group's commitments"
        );
    }
}

#[test]
fn shares_of_a_group_sign_and_become_a_key() {
    let (signers, shares) = signers();
    let signers = Arc::new(signers);
    let texts: Vec<_> = shares.iter().map(text::signing_share_hex).collect();
    let case = Case::new(&[("alice", &texts[0]), ("carol", &texts[2])]);
    let sources = case.sources.iter().map(|s| s.parse().unwrap()).collect();
    let plan = Plan::signed(signers, sources, vec![name("bob")]).unwrap();
    let plan = plan.claim(&mut Inheritance::new()).unwrap();
    let contributions = plan.read().unwrap();
    assert_eq!((contributions.count(), contributions.needed()), (2, 2));
    contributions.combine(None).unwrap();
}

#[test]
fn a_share_of_another_participant_of_the_group_is_refused() {
    let (signers, shares) = signers();
    let texts: Vec<_> = shares.iter().map(text::signing_share_hex).collect();
    let case = Case::new(&[("alice", &texts[1]), ("carol", &texts[2])]);
    let sources = case.sources.iter().map(|s| s.parse().unwrap()).collect();
    let plan = Plan::signed(Arc::new(signers), sources, vec![]).unwrap();
    let plan = plan.claim(&mut Inheritance::new()).unwrap();
    let refused = plan.read().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the share of alice is refused: the manifest's commitments promise another"
    );
    assert!(refused.hint().is_some());
}

#[test]
fn a_key_of_shares_that_are_given_out_is_refused() {
    let case = Case::new(&[("alice", ALICE), ("bob", BOB)]);
    for threshold in [None, Some(2)] {
        let refused = case.plan(Derivation::BlsRevealV1, threshold).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "bls-reveal-v1 makes no key: it gives shares to a program that signs with them"
        );
    }
}

#[test]
fn shares_of_a_group_are_given_out() {
    let (holders, shares) = holders();
    let texts: Vec<_> = shares.iter().map(text::signing_share_hex).collect();
    let case = Case::new(&[("alice", &texts[0]), ("carol", &texts[2])]);
    let sources = case.sources.iter().map(|s| s.parse().unwrap()).collect();
    let plan = Plan::revealed(Arc::new(holders), sources, vec![name("bob")]).unwrap();
    let plan = plan.claim(&mut Inheritance::new()).unwrap();
    let contributions = plan.read().unwrap();
    assert_eq!((contributions.count(), contributions.needed()), (2, 2));
    let given = contributions.into_key_shares();
    assert!(given[0].secret() == shares[0] && given[1].secret() == shares[2]);
}

#[test]
fn a_share_that_was_not_dealt_to_its_participant_is_refused() {
    let (holders, shares) = holders();
    let holders = Arc::new(holders);
    let own = text::signing_share_hex(&shares[0]);
    for bad in [&own, ALICE] {
        let case = Case::new(&[("alice", &own), ("bob", bad)]);
        let sources = case.sources.iter().map(|s| s.parse().unwrap()).collect();
        let plan = Plan::revealed(Arc::clone(&holders), sources, vec![]).unwrap();
        let refused = plan.claim(&mut Inheritance::new()).unwrap().read();
        assert_eq!(
            refused.unwrap_err().to_string(),
            "the share of bob is refused: the manifest's commitments promise another"
        );
    }
}

#[test]
fn fewer_holders_than_the_threshold_are_refused() {
    let holders = Arc::new(holders().0);
    let refused = Plan::revealed(holders, vec![], vec![name("alice")]);
    assert_eq!(refused.unwrap_err(), NoPlan::TooFew { fewest: 2 });
}
