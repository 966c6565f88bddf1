use super::*;
use crate::holders::tests::{holders, name};
use crate::shamir::split;
use crate::signers::tests::signers;
use crate::text;
use mcbn_secret::{SharedSecret, SigningShare};
use std::convert::Infallible;
use std::sync::Arc;

const ALICE: &str = "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90";
const BOB: &str = "b15244faf36e5e4b178d3891701d245f2e45e881d913b6c35c0ea0ac14224cc2";

fn share(hex: &str) -> Contribution {
    Contribution::Share(text::share(hex.as_bytes()).unwrap())
}

fn unanimous_of(participants: usize) -> Contributions {
    Contributions::new(Rule::Unanimous(Unanimous::HkdfV1), participants)
}

/// Points of one secret, by their x-coordinates.
fn points(threshold: u8, count: u8) -> Vec<Contribution> {
    let secret = SharedSecret::copied_from(&std::array::from_fn(|i| 3 * i as u8));
    let mut next = 0;
    let random = |bytes: &mut [u8]| {
        for byte in bytes {
            next = u8::wrapping_add(next, 89);
            *byte = next;
        }
        Ok::<_, Infallible>(())
    };
    let threshold = Threshold::new(threshold).unwrap();
    let shares = split(&secret, threshold, count, random).unwrap();
    shares.into_iter().map(Contribution::Shamir).collect()
}

fn shamir_of(threshold: u8) -> Contributions {
    Contributions::new(Rule::Shamir(Threshold::new(threshold).unwrap()), 9)
}

fn key(all: &Contributions) -> mcbn_secret::Psk {
    all.combine(None).unwrap().tls_psk(b"Client1").unwrap()
}

#[test]
fn shares_may_come_in_any_order() {
    let (mut one, mut other) = (unanimous_of(2), unanimous_of(2));
    one.add(&name("alice"), share(ALICE)).unwrap();
    assert_eq!((one.count(), one.needed()), (1, 2));
    one.add(&name("bob"), share(BOB)).unwrap();
    other.add(&name("bob"), share(BOB)).unwrap();
    other.add(&name("alice"), share(ALICE)).unwrap();
    assert!(key(&one) == key(&other));
}

#[test]
fn any_threshold_of_points_gives_one_key_and_more_do_not_change_it() {
    let mut all = shamir_of(2);
    let mut points: Vec<_> = points(2, 4).into_iter().map(Some).collect();
    let names = ["a", "b", "c", "d"].map(name);
    let mut add = |all: &mut Contributions, i: usize| all.add(&names[i], points[i].take().unwrap());
    add(&mut all, 3).unwrap();
    add(&mut all, 1).unwrap();
    let of_two = key(&all);
    add(&mut all, 0).unwrap();
    assert!(key(&all) == of_two);
    all.remove(&names[3]);
    all.remove(&names[1]);
    assert!(!all.has(&names[1]) && all.has(&names[0]));
    add(&mut all, 2).unwrap();
    assert_eq!(all.count(), 2);
    assert!(key(&all) == of_two);
}

#[test]
fn a_share_takes_the_place_of_the_one_before() {
    let mut all = unanimous_of(1);
    all.add(&name("alice"), share(BOB)).unwrap();
    all.add(&name("alice"), share(ALICE)).unwrap();
    assert_eq!(all.count(), 1);
    let mut only = unanimous_of(1);
    only.add(&name("alice"), share(ALICE)).unwrap();
    assert!(key(&all) == key(&only));
}

#[test]
fn a_refused_share_is_not_kept_and_neither_is_the_one_before() {
    let mut all = unanimous_of(2);
    all.add(&name("alice"), share(ALICE)).unwrap();
    all.add(&name("bob"), share(BOB)).unwrap();
    let refused = all.add(&name("bob"), share(ALICE)).unwrap_err();
    assert_eq!(refused, Refused::Equal([name("alice"), name("bob")]));
    assert!(!all.has(&name("bob")));
}

#[test]
fn a_share_of_the_other_kind_is_refused() {
    let mut all = unanimous_of(2);
    let point = points(2, 2).remove(0);
    let refused = all.add(&name("alice"), point).unwrap_err();
    assert_eq!(
        refused,
        Refused::NotAShare(name("alice"), NotAShare::Length)
    );
    let refused = shamir_of(2).add(&name("alice"), share(ALICE)).unwrap_err();
    assert_eq!(
        refused,
        Refused::NotAShare(name("alice"), NotAShare::Length)
    );
}

#[test]
fn two_points_at_one_x_are_refused() {
    let mut all = shamir_of(2);
    all.add(&name("a"), points(2, 2).remove(0)).unwrap();
    let other = points(3, 3).remove(0);
    let refused = all.add(&name("b"), other).unwrap_err();
    assert_eq!(refused, Refused::OnePoint([name("a"), name("b")]));
}

#[test]
fn points_of_two_splittings_are_refused_where_there_is_a_surplus() {
    let mut all = shamir_of(2);
    let (mut one, mut other) = (points(2, 3), points(3, 3));
    all.add(&name("a"), one.remove(0)).unwrap();
    all.add(&name("b"), one.remove(0)).unwrap();
    all.add(&name("c"), other.remove(2)).unwrap();
    assert_eq!(all.combine(None).unwrap_err(), Refused::Inconsistent);
}

#[test]
#[should_panic(expected = "too few shares are combined")]
fn too_few_shares_are_not_combined() {
    let mut all = unanimous_of(2);
    all.add(&name("alice"), share(ALICE)).unwrap();
    let _ = all.combine(None);
}

#[test]
fn only_names_are_shown() {
    let mut all = unanimous_of(2);
    all.add(&name("alice"), share(ALICE)).unwrap();
    assert_eq!(format!("{all:?}"), r#"{Participant("alice")}"#);
}

/// With what alice, bob and carol answer, any two of whom sign.
fn signed() -> (Contributions, Vec<Contribution>) {
    let (signers, shares) = signers();
    let names = ["alice", "bob", "carol"].map(name);
    let answers = names.iter().zip(&shares);
    let answers = answers.map(|(name, share)| signers.sign(name, share).unwrap());
    let answers = answers.collect();
    (
        Contributions::new(Rule::Signed(Arc::new(signers)), 3),
        answers,
    )
}

#[test]
fn any_threshold_of_consents_gives_one_key() {
    let keys = [[0, 1], [1, 2], [2, 0]].map(|pair| {
        let (mut all, answers) = signed();
        let mut answers: Vec<_> = answers.into_iter().map(Some).collect();
        assert_eq!(all.needed(), 2);
        for i in pair {
            let whose = name(["alice", "bob", "carol"][i]);
            all.add(&whose, answers[i].take().unwrap()).unwrap();
        }
        key(&all)
    });
    assert!(keys[0] == keys[1] && keys[1] == keys[2]);
}

#[test]
fn a_consent_that_does_not_verify_is_refused_and_the_rest_make_the_key() {
    let (mut all, answers) = signed();
    let [first, second, third] = <[_; 3]>::try_from(answers).unwrap();
    let refused = all.add(&name("alice"), second).unwrap_err();
    assert_eq!(refused, Refused::NotGenuine(name("alice")));
    assert_eq!(
        refused.to_string(),
        "the consent of alice is refused: its signature does not verify"
    );
    assert_eq!(all.count(), 0);
    all.add(&name("carol"), third).unwrap();
    all.add(&name("alice"), first).unwrap();
    let (mut others, answers) = signed();
    for (whose, answer) in ["alice", "bob", "carol"].map(name).iter().zip(answers) {
        others.add(whose, answer).unwrap();
    }
    assert!(key(&all) == key(&others));
}

#[test]
fn a_share_in_place_of_a_consent_is_refused_and_the_other_way_round() {
    let (mut all, answers) = signed();
    let refused = Err(Refused::NotAShare(name("alice"), NotAShare::Length));
    assert_eq!(all.add(&name("alice"), share(ALICE)), refused);
    for consent in answers.into_iter().take(1) {
        assert_eq!(unanimous_of(2).add(&name("alice"), consent), refused);
    }
}

/// With the shares of alice, bob and carol, any two of which are enough.
fn revealed() -> (Contributions, Vec<SigningShare>) {
    let (holders, shares) = holders();
    let rule = Rule::Revealed(Arc::new(holders));
    (Contributions::new(rule, 3), shares)
}

fn copy(share: &SigningShare) -> Contribution {
    Contribution::Revealed(SigningShare::copied_from(share.expose_secret()))
}

#[test]
fn shares_of_a_groups_key_are_given_out_and_sign_as_the_group_does() {
    let (group, message) = (holders().0.group().clone(), b"a message");
    for names in [&["carol", "alice"][..], &["bob", "carol", "alice"]] {
        let (mut all, shares) = revealed();
        assert_eq!(all.needed(), 2);
        for whose in names {
            let i = ["alice", "bob", "carol"].iter().position(|n| n == whose);
            all.add(&name(whose), copy(&shares[i.unwrap()])).unwrap();
        }
        let given = all.into_key_shares();
        assert_eq!(given.len(), names.len());
        let partials: Vec<_> = given.iter().map(|share| share.sign(message)).collect();
        let signature = group.combine_verified(message, &partials).unwrap();
        assert_eq!(group.key().verify(message, &signature), Ok(()));
    }
}

#[test]
fn a_share_that_was_not_dealt_to_its_participant_is_refused_and_the_rest_are_given_out() {
    let (mut all, shares) = revealed();
    // In place of a good one, which is gone then.
    all.add(&name("alice"), copy(&shares[0])).unwrap();
    for bad in [
        copy(&shares[1]),
        copy(&SigningShare::copied_from(&[0; 32])),
        copy(&SigningShare::copied_from(&[0xff; 32])),
    ] {
        let refused = all.add(&name("alice"), bad);
        assert_eq!(refused, Err(Refused::NotTheirs(name("alice"))));
        assert!(!all.has(&name("alice")));
    }
    let refused = all.add(&name("mallory"), copy(&shares[0]));
    assert_eq!(refused, Err(Refused::NotTheirs(name("mallory"))));
    all.add(&name("bob"), copy(&shares[1])).unwrap();
    all.add(&name("carol"), copy(&shares[2])).unwrap();
    let indices = all.into_key_shares();
    let indices = indices.iter().map(|share| share.index().get());
    assert_eq!(indices.collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn a_revealed_share_in_place_of_a_consent_is_refused_and_the_other_way_round() {
    let (mut all, shares) = revealed();
    let refused = Err(Refused::NotAShare(name("alice"), NotAShare::Length));
    let (mut consents, answers) = signed();
    assert_eq!(consents.add(&name("alice"), copy(&shares[0])), refused);
    assert_eq!(
        unanimous_of(2).add(&name("alice"), copy(&shares[0])),
        refused
    );
    for other in answers.into_iter().take(1).chain([share(ALICE)]) {
        assert_eq!(all.add(&name("alice"), other), refused);
    }
}

#[test]
#[should_panic(expected = "too few shares are given out")]
fn too_few_shares_are_not_given_out() {
    let (mut all, shares) = revealed();
    all.add(&name("alice"), copy(&shares[0])).unwrap();
    all.into_key_shares();
}

#[test]
#[should_panic(expected = "shares that make a key are not given out")]
fn shares_that_make_a_key_are_not_given_out() {
    let (mut all, answers) = signed();
    for (whose, answer) in ["alice", "bob"].map(name).iter().zip(answers) {
        all.add(whose, answer).unwrap();
    }
    all.into_key_shares();
}

#[test]
#[should_panic(expected = "shares that are revealed make no key")]
fn revealed_shares_are_not_combined() {
    let (mut all, shares) = revealed();
    all.add(&name("alice"), copy(&shares[0])).unwrap();
    all.add(&name("bob"), copy(&shares[1])).unwrap();
    let _ = all.combine(None);
}
