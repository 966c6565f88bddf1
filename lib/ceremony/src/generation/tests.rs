use super::*;
use crate::sealed::opening_key;
use crate::tests::{
    at, derived, index, key, keys, known_group, purpose, random, terms, terms_of, unhex,
};
use mcbn_threshold::{Group, ProofOfPossession};
use serde_json::Value;
use std::convert::Infallible;

/// By when all must be done.
const DEADLINE: u64 = 60;

fn generation(count: u8) -> Generation {
    generation_of(terms(count), 7)
}

fn generation_of(terms: Terms, seed: u8) -> Generation {
    Generation::new(terms, purpose(), at(DEADLINE), random(seed)).unwrap()
}

fn joining(generation: &Generation, number: u8) -> Joining {
    let expected = Expected {
        terms: generation.announced().terms.clone(),
        purpose: purpose(),
        index: index(number),
    };
    let announced = generation.announced().clone();
    Joining::new(&expected, announced, &key(number), random(number)).unwrap()
}

fn approve(
    generation: &mut Generation,
    number: u8,
    now: u64,
) -> Result<(), NotTaken<Refused, Infallible>> {
    let joining = joining(generation, number);
    let approval = joining.approve(&key(number));
    let encryption_key = joining.encryption_key();
    generation.approve(at(now), index(number), encryption_key, approval, random(9))
}

fn dealt(count: u8) -> Generation {
    let mut generation = generation(count);
    for number in 1..=count {
        approve(&mut generation, number, 0).unwrap();
    }
    generation
}

fn open(generation: &mut Generation, number: u8) -> Opened {
    let joining = joining(generation, number);
    let given = generation.sealed_share(at(1), index(number)).unwrap();
    joining.open(given.group.clone(), given.sealed).unwrap()
}

fn confirm(generation: &mut Generation, number: u8) -> Result<(), Refused> {
    let confirmation = open(generation, number).confirm(&key(number));
    generation.confirm(at(2), index(number), confirmation)
}

fn missing(numbers: &[u8]) -> Vec<Index> {
    numbers.iter().map(|number| index(*number)).collect()
}

#[test]
fn all_agree_and_any_two_of_them_sign() {
    let mut generation = generation(3);
    let waiting = Standing::Approving {
        missing: missing(&[1, 2, 3]),
    };
    assert_eq!(generation.standing(at(0)), waiting);
    for number in [2, 3, 1] {
        approve(&mut generation, number, 0).unwrap();
    }
    let waiting = Standing::Confirming {
        missing: missing(&[1, 2, 3]),
    };
    assert_eq!(generation.standing(at(1)), waiting);
    let opened: Vec<Opened> = (1..=3)
        .map(|number| open(&mut generation, number))
        .collect();
    for (number, opened) in (1..=3).zip(&opened) {
        assert_eq!(generation.receipt(at(2)), Err(Refused::TooEarly));
        let confirmation = opened.confirm(&key(number));
        generation
            .confirm(at(2), index(number), confirmation)
            .unwrap();
    }
    assert_eq!(generation.standing(at(3)), Standing::Done);
    // The deadline does not take back what is done.
    let receipt = generation.receipt(at(DEADLINE + 1)).unwrap();
    let [first, _, third] = opened.as_slice() else {
        panic!("three")
    };
    let partials = [first, third].map(|opened| {
        let finished = opened.finish(receipt).unwrap();
        assert_eq!(finished.group(), receipt.group());
        finished.share().sign(b"a message")
    });
    let group = receipt.group().group();
    let combined = group.combine(b"a message", &partials, random(3)).unwrap();
    assert_eq!(
        group.key().verify(b"a message", &combined.signature),
        Ok(())
    );
}

#[test]
fn as_many_as_there_are_may_be_needed() {
    let participants = crate::Participants::new(keys(3)).unwrap();
    let mut generation = generation_of(terms_of([1; 32], [2; 32], 3, participants), 7);
    for number in 1..=3 {
        approve(&mut generation, number, 0).unwrap();
    }
    let given = generation.sealed_share(at(1), index(1)).unwrap();
    assert_eq!(given.group.group().threshold().get(), 3);
}

#[test]
fn a_participant_that_does_not_approve_ends_it() {
    let mut generation = generation(3);
    approve(&mut generation, 1, 0).unwrap();
    approve(&mut generation, 3, 0).unwrap();
    let abandoned = Standing::Abandoned {
        missing: missing(&[2]),
    };
    assert_ne!(generation.standing(at(DEADLINE - 1)), abandoned);
    let late = approve(&mut generation, 2, DEADLINE);
    assert_eq!(late, Err(NotTaken::Refused(Refused::Abandoned)));
    assert_eq!(generation.standing(at(DEADLINE)), abandoned);
    let share = generation.sealed_share(at(DEADLINE), index(1));
    assert_eq!(share.unwrap_err(), Refused::Abandoned);
}

#[test]
fn a_participant_that_does_not_confirm_ends_it() {
    let mut generation = dealt(3);
    confirm(&mut generation, 1).unwrap();
    let third = open(&mut generation, 3).confirm(&key(3));
    generation.confirm(at(2), index(3), third).unwrap();
    let second = open(&mut generation, 2).confirm(&key(2));
    let late = generation.confirm(at(DEADLINE), index(2), second);
    assert_eq!(late, Err(Refused::Abandoned));
    let abandoned = Standing::Abandoned {
        missing: missing(&[2]),
    };
    assert_eq!(generation.standing(at(DEADLINE)), abandoned);
    // Sealed shares are given out no more, there is no receipt, and no clock brings them back.
    for now in [DEADLINE, 0] {
        let share = generation.sealed_share(at(now), index(1));
        assert_eq!(share.unwrap_err(), Refused::Abandoned);
        assert_eq!(generation.receipt(at(now)), Err(Refused::Abandoned));
        let again = generation.confirm(at(now), index(3), third);
        assert_eq!(again, Err(Refused::Abandoned));
    }
}

#[test]
fn a_repeated_approval_is_answered_as_before() {
    let mut generation = generation(2);
    approve(&mut generation, 1, 0).unwrap();
    approve(&mut generation, 1, 1).unwrap();
    approve(&mut generation, 2, 2).unwrap();
    let given = generation.sealed_share(at(3), index(1)).unwrap();
    let group = given.group.clone();
    // No other key is made for it.
    approve(&mut generation, 1, 3).unwrap();
    let given = generation.sealed_share(at(3), index(1)).unwrap();
    assert_eq!(*given.group, group);
}

#[test]
fn another_approval_after_the_first_is_refused() {
    let mut generation = generation(2);
    let changed = Err(NotTaken::Refused(Refused::Changed(index(1))));
    for _ in ["approving", "dealt"] {
        approve(&mut generation, 1, 0).unwrap();
        // With another encryption key, genuinely signed.
        let other = EncryptionKey::of(&opening_key(random(200)).unwrap());
        let payload = generation.announced.approval_payload(&other);
        let approval = generation.announced.request(&payload).approve(&key(1));
        let refused = generation.approve(at(1), index(1), other, approval, random(9));
        assert_eq!(refused, changed);
        // With the same key, and another signature.
        let same = joining(&generation, 1).encryption_key();
        let refused = generation.approve(at(1), index(1), same, Approval([0; 64]), random(9));
        assert_eq!(refused, changed);
        approve(&mut generation, 2, 2).unwrap();
    }
}

#[test]
fn an_approval_with_another_encryption_key_than_was_signed_is_refused() {
    let mut generation = generation(2);
    let approval = joining(&generation, 1).approve(&key(1));
    let other = EncryptionKey::of(&opening_key(random(200)).unwrap());
    let refused = generation.approve(at(0), index(1), other, approval, random(9));
    let not_genuine = Refused::NotApproved(NotApproved::NotGenuine(index(1)));
    assert_eq!(refused, Err(NotTaken::Refused(not_genuine)));
}

#[test]
fn two_participants_with_one_encryption_key_are_refused() {
    let mut generation = generation(3);
    approve(&mut generation, 1, 0).unwrap();
    let same = joining(&generation, 1).encryption_key();
    let payload = generation.announced.approval_payload(&same);
    let approval = generation.announced.request(&payload).approve(&key(2));
    let refused = generation.approve(at(0), index(2), same, approval, random(9));
    let same_key = Refused::SameEncryptionKey(index(2), index(1));
    assert_eq!(refused, Err(NotTaken::Refused(same_key)));
    // The second may still come with one of its own.
    approve(&mut generation, 2, 1).unwrap();
}

#[test]
fn an_approval_of_another_generation_is_refused() {
    // What differs: the id alone (a restart), then manifest, image, t, and the list.
    let three = || crate::Participants::new(keys(3)).unwrap();
    let mut turned = keys(3);
    turned.swap(1, 2);
    let turned = crate::Participants::new(turned).unwrap();
    let others = [
        generation_of(terms(3), 8),
        generation_of(terms_of([9; 32], [2; 32], 2, three()), 7),
        generation_of(terms_of([1; 32], [9; 32], 2, three()), 7),
        generation_of(terms_of([1; 32], [2; 32], 3, three()), 7),
        generation_of(terms_of([1; 32], [2; 32], 2, turned), 7),
        generation_of(terms(4), 7),
    ];
    for mut other in others {
        let here = generation(3);
        let first = joining(&here, 1);
        let approval = first.approve(&key(1));
        let refused = other.approve(at(0), index(1), first.encryption_key(), approval, random(9));
        let not_genuine = Refused::NotApproved(NotApproved::NotGenuine(index(1)));
        assert_eq!(refused, Err(NotTaken::Refused(not_genuine)), "{other:?}");
    }
}

#[test]
fn an_approval_of_another_purpose_is_refused() {
    let here = generation(3);
    let mut other = here.announced().clone();
    other.purpose = "sign cheques".parse().unwrap();
    let key_of_first = joining(&here, 1).encryption_key();
    let payload = other.approval_payload(&key_of_first);
    let approval = other.request(&payload).approve(&key(1));
    let mut here = here;
    let refused = here.approve(at(0), index(1), key_of_first, approval, random(9));
    let not_genuine = Refused::NotApproved(NotApproved::NotGenuine(index(1)));
    assert_eq!(refused, Err(NotTaken::Refused(not_genuine)));
}

#[test]
fn an_approval_in_another_name_is_refused() {
    let mut generation = generation(3);
    let first = joining(&generation, 1);
    let (encryption_key, approval) = (first.encryption_key(), first.approve(&key(1)));
    let refused = generation.approve(at(0), index(2), encryption_key, approval, random(9));
    let not_genuine = Refused::NotApproved(NotApproved::NotGenuine(index(2)));
    assert_eq!(refused, Err(NotTaken::Refused(not_genuine)));
    for mut generation in [generation, dealt(3)] {
        let refused = generation.approve(at(0), index(4), encryption_key, approval, random(9));
        let stranger = Refused::NotApproved(NotApproved::Stranger(index(4)));
        assert_eq!(refused, Err(NotTaken::Refused(stranger)));
        let share = generation.sealed_share(at(0), index(4));
        assert!(share.is_err());
    }
}

#[test]
fn a_share_before_all_have_approved_is_refused() {
    let mut generation = generation(2);
    approve(&mut generation, 1, 0).unwrap();
    let share = generation.sealed_share(at(0), index(1));
    assert_eq!(share.unwrap_err(), Refused::TooEarly);
    let confirmed = generation.confirm(at(0), index(1), Approval([0; 64]));
    assert_eq!(confirmed, Err(Refused::TooEarly));
    assert_eq!(generation.receipt(at(0)), Err(Refused::TooEarly));
}

#[test]
fn a_confirmation_before_the_share_was_fetched_is_refused() {
    let mut generation = dealt(2);
    // Participant 2 knows the group from participant 1.
    let group = open(&mut generation, 1).group().clone();
    let payload = confirmation_payload(&group);
    let confirmation = generation.announced.request(&payload).approve(&key(2));
    let refused = generation.confirm(at(1), index(2), confirmation);
    assert_eq!(refused, Err(Refused::NotFetched(index(2))));
    open(&mut generation, 2);
    generation.confirm(at(1), index(2), confirmation).unwrap();
}

#[test]
fn a_confirmation_of_another_group_is_refused() {
    let mut other = dealt_with(2, 55);
    let mut generation = dealt(2);
    open(&mut generation, 1);
    let confirmation = open(&mut other, 1).confirm(&key(1));
    let refused = generation.confirm(at(1), index(1), confirmation);
    let not_genuine = NotApproved::NotGenuine(index(1));
    assert_eq!(refused, Err(Refused::NotApproved(not_genuine)));
    // Nor is an approval a confirmation.
    let approval = joining(&generation, 1).approve(&key(1));
    let refused = generation.confirm(at(1), index(1), approval);
    assert_eq!(refused, Err(Refused::NotApproved(not_genuine)));
}

/// The same request, and another key.
fn dealt_with(count: u8, seed: u8) -> Generation {
    let mut generation = generation(count);
    for number in 1..=count {
        let joining = joining(&generation, number);
        let (key, approval) = (joining.encryption_key(), joining.approve(&key(number)));
        let approved = generation.approve(at(0), index(number), key, approval, random(seed));
        approved.unwrap();
    }
    generation
}

#[test]
fn a_repeated_confirmation_is_answered_as_before_and_another_is_refused() {
    let mut generation = dealt(2);
    for _ in ["confirming", "done"] {
        confirm(&mut generation, 1).unwrap();
        confirm(&mut generation, 1).unwrap();
        let refused = generation.confirm(at(2), index(1), Approval([0; 64]));
        assert_eq!(refused, Err(Refused::Changed(index(1))));
        confirm(&mut generation, 2).unwrap();
    }
    assert_eq!(generation.standing(at(2)), Standing::Done);
}

#[test]
fn a_source_of_random_bytes_that_fails_makes_no_key() {
    let failed: Result<Generation, _> =
        Generation::new(terms(2), purpose(), at(DEADLINE), |_| Err("empty"));
    assert_eq!(failed.unwrap_err(), "empty");
    let mut generation = generation(2);
    approve(&mut generation, 1, 0).unwrap();
    // At each of its draws: two coefficients, and an ephemeral key for each share.
    for good in 0..4 {
        let second = joining(&generation, 2);
        let mut left = good;
        let refused = generation.approve(
            at(0),
            index(2),
            second.encryption_key(),
            second.approve(&key(2)),
            |bytes| {
                bytes.fill(good + 1);
                left = left.checked_sub(1).ok_or("empty")?;
                Ok(())
            },
        );
        assert_eq!(refused, Err(NotTaken::Random("empty")), "{good}");
        let waiting = Standing::Approving {
            missing: missing(&[2]),
        };
        assert_eq!(generation.standing(at(0)), waiting);
    }
    approve(&mut generation, 2, 0).unwrap();
}

#[test]
fn the_largest_number_of_participants_is_served() {
    let mut generation = dealt(255);
    for number in 1..=255 {
        confirm(&mut generation, number).unwrap();
    }
    assert_eq!(generation.standing(at(2)), Standing::Done);
}

/// Computed by testdata/derive.py.
#[test]
fn the_layouts_have_a_known_answer() {
    let answer = derived("generation");
    let bytes = |value: &Value| unhex(value.as_str().unwrap());
    let group = known_group();
    assert_eq!(group.digest().as_slice(), bytes(&answer["digest"]));
    let announced = Announced {
        purpose: answer["purpose"].as_str().unwrap().parse().unwrap(),
        ..generation(3).announced().clone()
    };
    let key = bytes(&answer["encryption_key"]).try_into().unwrap();
    let key = EncryptionKey::from_bytes(&key).unwrap();
    assert_eq!(announced.approval_payload(&key), bytes(&answer["approval"]));
    assert_eq!(confirmation_payload(&group), bytes(&answer["confirmation"]));
}

mod receipt;
