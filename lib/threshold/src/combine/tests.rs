use std::convert::Infallible;

use super::*;
use crate::deal::{Dealt, deal};
use crate::share::KeyShare;

const MESSAGE: &[u8] = b"what is agreed to";

fn dealt(threshold: u8, count: u8) -> Dealt {
    let coefficients: Vec<_> = (1..=threshold)
        .map(|byte| Scalar::of_random(&[byte; 32]))
        .collect();
    deal(&coefficients, count).unwrap()
}

/// That of `dealt`, which has no secret but in tests.
fn key_itself() -> Scalar {
    Scalar::of_random(&[1; 32])
}

fn weights(bytes: &mut [u8]) -> Result<(), Infallible> {
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::try_from(place * 89 % 251).unwrap() + 1;
    }
    Ok(())
}

fn signed<'a>(shares: impl IntoIterator<Item = &'a KeyShare>) -> Vec<PartialSignature> {
    shares
        .into_iter()
        .map(|share| share.sign(MESSAGE))
        .collect()
}

fn index(number: u8) -> Index {
    Index::new(number).unwrap()
}

#[test]
fn any_t_make_the_signature_of_the_key_itself() {
    let dealt = dealt(3, 5);
    let of_key = Signature::by(&key_itself(), MESSAGE);
    for a in 0..5 {
        for b in 0..a {
            for c in 0..b {
                let partials = signed([&dealt.shares[a], &dealt.shares[c], &dealt.shares[b]]);
                let combined = dealt.group.combine(MESSAGE, &partials, weights).unwrap();
                assert_eq!(combined.signature, of_key, "{a} {b} {c}");
                assert_eq!(combined.bad, []);
            }
        }
    }
    let combined = dealt
        .group
        .combine(MESSAGE, &signed(&dealt.shares), weights)
        .unwrap();
    assert_eq!(combined.signature, of_key);
}

#[test]
fn fewer_than_t_are_refused() {
    let dealt = dealt(3, 5);
    for count in 0..3 {
        let partials = signed(&dealt.shares[..count]);
        let refused = dealt.group.combine(MESSAGE, &partials, weights);
        let expected = NotCombined::TooFew {
            good: count,
            threshold: 3,
            bad: vec![],
        };
        assert_eq!(refused, Err(expected));
    }
}

#[test]
fn a_bad_one_is_named_and_the_rest_still_sign() {
    let dealt = dealt(2, 4);
    let mut partials = signed(&dealt.shares);
    partials[1].signature = dealt.shares[1].sign(b"something else").signature;
    partials[3].signature = partials[2].signature;
    let combined = dealt.group.combine(MESSAGE, &partials, weights).unwrap();
    assert_eq!(combined.signature, Signature::by(&key_itself(), MESSAGE));
    assert_eq!(combined.bad, [index(2), index(4)]);
    partials[2].signature = partials[0].signature;
    let refused = dealt.group.combine(MESSAGE, &partials, weights);
    let expected = NotCombined::TooFew {
        good: 1,
        threshold: 2,
        bad: vec![index(2), index(3), index(4)],
    };
    assert_eq!(refused, Err(expected));
}

#[test]
fn bad_ones_that_make_up_for_each_other_are_named() {
    // Their sum is right, so that without weights the batch would pass.
    let dealt = dealt(2, 3);
    let mut partials = signed(&dealt.shares);
    let (first, second) = (partials[0].signature, partials[1].signature);
    partials[0].signature = second;
    partials[1].signature = first;
    let combined = dealt.group.combine(MESSAGE, &partials, weights);
    let expected = NotCombined::TooFew {
        good: 1,
        threshold: 2,
        bad: vec![index(1), index(2)],
    };
    assert_eq!(combined, Err(expected));
}

#[test]
fn one_participant_does_not_count_twice() {
    let dealt = dealt(2, 3);
    let partial = dealt.shares[0].sign(MESSAGE);
    let refused = dealt.group.combine(MESSAGE, &[partial, partial], weights);
    assert_eq!(refused, Err(NotCombined::Repeated(index(1))));
}

#[test]
fn a_stranger_is_refused() {
    let dealt = dealt(2, 3);
    let mut partials = signed(&dealt.shares);
    partials[2].index = index(4);
    let refused = dealt.group.combine(MESSAGE, &partials, weights);
    assert_eq!(refused, Err(NotCombined::Stranger(index(4))));
}

#[test]
fn what_was_verified_before_is_not_verified_again() {
    let dealt = dealt(2, 3);
    let mut partials = signed(&dealt.shares);
    let combined = dealt.group.combine_verified(MESSAGE, &partials);
    assert_eq!(combined, Ok(Signature::by(&key_itself(), MESSAGE)));
    // Nobody looks at one that is not used.
    partials[2].signature = partials[0].signature;
    assert_eq!(
        dealt.group.combine_verified(MESSAGE, &partials),
        Ok(Signature::by(&key_itself(), MESSAGE))
    );
}

#[test]
fn a_bad_one_that_was_not_verified_before_is_refused() {
    let dealt = dealt(2, 3);
    let mut partials = signed(&dealt.shares);
    partials[1].signature = partials[0].signature;
    let refused = dealt.group.combine_verified(MESSAGE, &partials);
    assert_eq!(refused, Err(NotCombined::NotGenuine));
}

#[test]
fn a_source_of_random_bytes_that_fails_signs_nothing() {
    let dealt = dealt(2, 3);
    let partials = signed(&dealt.shares);
    let refused = dealt.group.combine(MESSAGE, &partials, |_| Err("empty"));
    assert_eq!(refused, Err(NotCombined::Random("empty")));
}

#[test]
fn the_largest_group_signs() {
    let dealt = dealt(255, 255);
    let partials = signed(&dealt.shares);
    let combined = dealt.group.combine(MESSAGE, &partials, weights).unwrap();
    assert_eq!(combined.signature, Signature::by(&key_itself(), MESSAGE));
}
