use super::*;
use crate::approval::RequestId;
use crate::participants::Participants;
use crate::tests::{index, key, keys, purpose, random, terms, terms_of};
use mcbn_threshold::{NotGenuine, ProofOfPossession, Threshold, generate};

fn announced(terms: Terms) -> Announced {
    Announced {
        id: RequestId([3; 32]),
        terms,
        purpose: purpose(),
    }
}

fn expected() -> Expected {
    Expected {
        terms: terms(3),
        purpose: purpose(),
        index: index(2),
    }
}

fn join(announced: Announced) -> Result<Joining, NotJoined<std::convert::Infallible>> {
    Joining::new(&expected(), announced, &key(2), random(5))
}

#[track_caller]
fn refuses(announced: Announced, differs: Differs) {
    let refused = join(announced.clone()).unwrap_err();
    assert_eq!(refused, NotJoined::Differs(differs));
    let kept = OpeningKey::copied_from(&[7; 32]);
    let refused = Joining::again(&expected(), announced, &key(2), kept);
    assert_eq!(refused.unwrap_err(), differs);
}

#[test]
fn what_was_expected_is_joined() {
    let joining = join(announced(terms(3))).unwrap();
    assert_eq!(joining.index(), index(2));
    let kept = OpeningKey::copied_from(joining.opening_key().expose_secret());
    let again = Joining::again(&expected(), announced(terms(3)), &key(2), kept).unwrap();
    assert_eq!(again.encryption_key(), joining.encryption_key());
    assert_eq!(again.approve(&key(2)), joining.approve(&key(2)));
}

#[test]
fn other_terms_than_expected_are_refused() {
    let three = || Participants::new(keys(3)).unwrap();
    let other = |manifest, image, threshold, participants| {
        announced(terms_of(manifest, image, threshold, participants))
    };
    refuses(other([9; 32], [2; 32], 2, three()), Differs::Manifest);
    refuses(other([1; 32], [9; 32], 2, three()), Differs::Image);
    refuses(other([1; 32], [2; 32], 3, three()), Differs::Threshold);
    refuses(announced(terms(4)), Differs::Participants);
    let mut turned = keys(3);
    turned.swap(0, 2);
    let turned = Participants::new(turned).unwrap();
    refuses(other([1; 32], [2; 32], 2, turned), Differs::Participants);
}

#[test]
fn another_purpose_than_expected_is_refused() {
    let other = Announced {
        purpose: "sign cheques".parse().unwrap(),
        ..announced(terms(3))
    };
    refuses(other, Differs::Purpose);
}

#[test]
fn a_place_with_another_key_is_refused() {
    for other in [
        Joining::new(&expected(), announced(terms(3)), &key(3), random(5)),
        Joining::new(
            &Expected {
                index: index(4),
                ..expected()
            },
            announced(terms(3)),
            &key(2),
            random(5),
        ),
    ] {
        assert_eq!(other.unwrap_err(), NotJoined::Differs(Differs::Place));
    }
}

#[test]
fn a_source_of_random_bytes_that_fails_joins_nothing() {
    let refused = Joining::new(&expected(), announced(terms(3)), &key(2), |_| Err("empty"));
    assert_eq!(refused.unwrap_err(), NotJoined::Random("empty"));
}

/// What a server may send to participant 2: a group of this shape, and somebody's share, sealed as it should be.
fn sent(threshold: u8, count: u8, whose: u8, joining: &Joining) -> (ProvenGroup, SealedShare) {
    let threshold = Threshold::new(threshold).unwrap();
    let dealt = generate(threshold, count, random(4)).unwrap();
    let group = ProvenGroup::new(dealt.group, dealt.proof).unwrap();
    let secret = dealt.shares[usize::from(whose) - 1].secret();
    let context = joining.announced.sealing(&group, joining.index);
    let to = joining.encryption_key();
    let sealed = SealedShare::seal(&context, &to, &secret, random(6)).unwrap();
    (group, sealed)
}

#[test]
fn ones_own_share_is_opened() {
    let joining = join(announced(terms(3))).unwrap();
    let (group, sealed) = sent(2, 3, 2, &joining);
    assert!(joining.open(group, &sealed).is_ok());
}

#[test]
fn anothers_share_is_refused() {
    let joining = join(announced(terms(3))).unwrap();
    let (group, sealed) = sent(2, 3, 1, &joining);
    let refused = joining.open(group, &sealed).unwrap_err();
    assert_eq!(refused, NotTheShare::NotPromised);
}

#[test]
fn a_share_that_is_no_number_is_refused() {
    let joining = join(announced(terms(3))).unwrap();
    let (group, _) = sent(2, 3, 2, &joining);
    let context = joining.announced.sealing(&group, joining.index);
    let zero = mcbn_secret::SigningShare::copied_from(&[0; 32]);
    let to = joining.encryption_key();
    let sealed = SealedShare::seal(&context, &to, &zero, random(6)).unwrap();
    let refused = joining.open(group, &sealed).unwrap_err();
    assert_eq!(refused, NotTheShare::NotPromised);
}

#[test]
fn a_share_sealed_for_another_group_is_refused() {
    let joining = join(announced(terms(3))).unwrap();
    let (_, sealed) = sent(2, 3, 2, &joining);
    let other = generate(Threshold::new(2).unwrap(), 3, random(77)).unwrap();
    let other = ProvenGroup::new(other.group, other.proof).unwrap();
    let refused = joining.open(other, &sealed).unwrap_err();
    assert_eq!(refused, NotTheShare::NotOpened);
}

#[test]
fn a_group_of_another_shape_is_refused() {
    let joining = join(announced(terms(3))).unwrap();
    for (threshold, count) in [(3, 3), (2, 4), (2, 2)] {
        let (group, sealed) = sent(threshold, count, 2, &joining);
        let refused = joining.open(group, &sealed).unwrap_err();
        assert_eq!(refused, NotTheShare::OtherGroup, "{threshold} of {count}");
    }
}

#[test]
fn a_group_without_the_proof_is_refused() {
    // A rogue key has no proof of its own; another's does not fit it.
    let deal = |seed| generate(Threshold::new(2).unwrap(), 3, random(seed)).unwrap();
    let (rogue, other) = (deal(4), deal(77));
    let proof = ProofOfPossession::from_bytes(&other.proof.to_bytes()).unwrap();
    let refused = ProvenGroup::new(rogue.group, proof);
    assert_eq!(refused, Err(NotGenuine));
}

#[test]
fn nothing_secret_is_shown() {
    let joining = join(announced(terms(3))).unwrap();
    let (group, sealed) = sent(2, 3, 2, &joining);
    let opened = joining.open(group, &sealed).unwrap();
    for shown in [format!("{joining:?}"), format!("{opened:?}")] {
        assert!(shown.contains("(..)") || shown.contains(", ..)"), "{shown}");
    }
}
