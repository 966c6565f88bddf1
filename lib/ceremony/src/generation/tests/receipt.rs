use super::*;

fn confirmations(generation: &mut Generation, count: u8) -> Vec<Approval> {
    (1..=count)
        .map(|number| open(generation, number).confirm(&key(number)))
        .collect()
}

#[test]
fn a_receipt_proves_itself_whoever_hands_it_over() {
    let mut generation = dealt(3);
    let opened = open(&mut generation, 2);
    for number in 1..=3 {
        confirm(&mut generation, number).unwrap();
    }
    let given = generation.receipt(at(2)).unwrap();
    // From the bytes that participant 1 has, for participant 2.
    let group = ProvenGroup::new(
        Group::new(
            given
                .group()
                .group()
                .commitments()
                .iter()
                .map(|key| mcbn_threshold::PublicKey::from_bytes(&key.to_bytes()).unwrap())
                .collect(),
            3,
        )
        .unwrap(),
        ProofOfPossession::from_bytes(&given.group().proof().to_bytes()).unwrap(),
    )
    .unwrap();
    let confirmations = given.confirmations().to_vec();
    let receipt = Receipt::new(given.announced().clone(), group, confirmations).unwrap();
    assert_eq!(receipt, *given);
    assert!(opened.finish(&receipt).is_ok());
}

#[test]
fn a_receipt_without_every_confirmation_is_refused() {
    let mut generation = dealt(3);
    let confirmations = confirmations(&mut generation, 3);
    let group = open(&mut generation, 1).group().clone();
    let receipt = |confirmations: &[Approval]| {
        Receipt::new(
            generation.announced().clone(),
            group.clone(),
            confirmations.to_vec(),
        )
    };
    assert!(receipt(&confirmations).is_ok());
    assert_eq!(receipt(&confirmations[..2]), Err(NotAReceipt::NotAll));
    assert_eq!(receipt(&[]), Err(NotAReceipt::NotAll));
    // One participant's twice is not two participants'.
    let twice = [confirmations[0], confirmations[0], confirmations[2]];
    let not_genuine = NotApproved::NotGenuine(index(2));
    assert_eq!(receipt(&twice), Err(NotAReceipt::Confirmation(not_genuine)));
}

#[test]
fn a_receipt_of_another_group_is_refused() {
    let mut generation = dealt(3);
    let confirmations = confirmations(&mut generation, 3);
    let other = open(&mut dealt_with(3, 55), 1).group().clone();
    let receipt = |terms: Terms, group: ProvenGroup| {
        let announced = Announced {
            terms,
            ..generation.announced().clone()
        };
        Receipt::new(announced, group, confirmations.clone())
    };
    let not_genuine = NotApproved::NotGenuine(index(1));
    let refused = receipt(terms(3), other.clone());
    assert_eq!(refused, Err(NotAReceipt::Confirmation(not_genuine)));
    assert_eq!(receipt(terms(4), other), Err(NotAReceipt::OtherGroup));
}

#[test]
fn a_receipt_of_something_else_is_refused() {
    let mut other_key = dealt_with(2, 55);
    let mut restarted = generation_of(terms(2), 8);
    for number in 1..=2 {
        approve(&mut restarted, number, 0).unwrap();
    }
    let mut generation = dealt(2);
    let opened = open(&mut generation, 1);
    for (other, refused) in [
        (&mut other_key, NotFinished::OtherGroup),
        (&mut restarted, NotFinished::OtherRequest),
    ] {
        for number in 1..=2 {
            confirm(other, number).unwrap();
        }
        let receipt = other.receipt(at(2)).unwrap();
        assert_eq!(opened.finish(receipt).unwrap_err(), refused);
    }
}

/// A server that gives each participant a key of its own gets no receipt out of them.
#[test]
fn confirmations_of_different_groups_are_refused() {
    let mut generation = dealt(2);
    let mut other = dealt_with(2, 55);
    let first = open(&mut generation, 1);
    let confirmations = vec![first.confirm(&key(1)), open(&mut other, 2).confirm(&key(2))];
    let refused = Receipt::new(
        generation.announced().clone(),
        first.group().clone(),
        confirmations,
    );
    let not_genuine = NotApproved::NotGenuine(index(2));
    assert_eq!(refused, Err(NotAReceipt::Confirmation(not_genuine)));
}
