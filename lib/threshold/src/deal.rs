use crate::error::NotDealt;
use crate::group::Group;
use crate::index::Index;
use crate::key::{ProofOfPossession, PublicKey};
use crate::scalar::Scalar;
use crate::share::KeyShare;
use crate::threshold::Threshold;
use zeroize::Zeroizing;

/// A group, and what only its participants may have.
#[derive(Debug)]
pub struct Dealt {
    pub group: Group,
    /// Of the group's key, which nobody has any more.
    pub proof: ProofOfPossession,
    /// That of participant 1 first.
    pub shares: Vec<KeyShare>,
}

/// Makes a key, deals its shares to `count` participants and forgets it. `random` fills a slice with fresh random bytes.
///
/// Each share is checked against the commitments before any is given away.
pub fn generate<E>(
    threshold: Threshold,
    count: u8,
    mut random: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<Dealt, NotDealt<E>> {
    if usize::from(count) < threshold.get() {
        return Err(NotDealt::FewerThanThreshold);
    }
    loop {
        let mut coefficients = Vec::with_capacity(threshold.get());
        for _ in 0..threshold.get() {
            let mut bytes = Zeroizing::new([0; 32]);
            random(&mut *bytes).map_err(NotDealt::Random)?;
            coefficients.push(Scalar::of_random(&bytes));
        }
        // A share that is zero comes once in 2^247 keys.
        if let Some(dealt) = deal(&coefficients, count) {
            return Ok(dealt);
        }
    }
}

/// The values of the polynomial at 1 to `count`; its value at 0 is the key. None where one of them is zero.
pub(crate) fn deal(coefficients: &[Scalar], count: u8) -> Option<Dealt> {
    let commitments = coefficients.iter().map(PublicKey::of).collect();
    let group = Group::new(commitments, count).ok()?;
    let shares: Option<Vec<_>> = Index::all(count)
        .map(|index| Some(KeyShare::at(index, evaluate(coefficients, index)?)))
        .collect();
    let shares = shares?;
    for share in &shares {
        group
            .check(share)
            .expect("the commitments are of the same polynomial");
    }
    Some(Dealt {
        group,
        proof: ProofOfPossession::of(coefficients.first()?),
        shares,
    })
}

fn evaluate(coefficients: &[Scalar], at: Index) -> Option<Scalar> {
    let at = Scalar::from(at);
    let mut rest = coefficients.iter().rev();
    let highest = rest.next()?.times(&Scalar::one());
    rest.try_fold(highest, |sum, coefficient| sum.times(&at).plus(coefficient))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::NotGenuine;
    use std::convert::Infallible;

    /// Never the same twice.
    pub fn counting() -> impl FnMut(&mut [u8]) -> Result<(), Infallible> {
        let mut next = 0_u8;
        move |bytes| {
            next += 1;
            bytes.fill(next);
            Ok(())
        }
    }

    fn dealt() -> Dealt {
        generate(Threshold::new(2).unwrap(), 3, counting()).unwrap()
    }

    #[test]
    fn each_share_is_its_owners_alone() {
        let dealt = dealt();
        assert_eq!(dealt.shares.len(), 3);
        assert_eq!(dealt.proof.verify(dealt.group.key()), Ok(()));
        for share in &dealt.shares {
            assert_eq!(dealt.group.check(share), Ok(()));
            let number = share.index().get() % 3 + 1;
            let other = Index::new(number).unwrap();
            let moved = KeyShare::new(other, &share.secret()).unwrap();
            assert_eq!(dealt.group.check(&moved), Err(NotGenuine));
        }
    }

    #[test]
    fn a_share_of_nobody_is_refused() {
        let dealt = dealt();
        let share = KeyShare::new(Index::new(4).unwrap(), &dealt.shares[0].secret()).unwrap();
        assert_eq!(dealt.group.check(&share), Err(NotGenuine));
    }

    #[test]
    fn more_than_there_are_is_refused_as_a_threshold() {
        let refused = generate(Threshold::new(4).unwrap(), 3, counting());
        assert_eq!(refused.unwrap_err(), NotDealt::FewerThanThreshold);
    }

    #[test]
    fn a_source_of_random_bytes_that_fails_makes_no_key() {
        let mut left = 1;
        let refused = generate(Threshold::new(2).unwrap(), 3, |bytes| {
            bytes.fill(7);
            left -= 1;
            if left < 0 { Err("empty") } else { Ok(()) }
        });
        assert_eq!(refused.unwrap_err(), NotDealt::Random("empty"));
    }

    #[test]
    fn a_polynomial_that_is_zero_somewhere_is_not_dealt() {
        let two = Scalar::from(Index::new(2).unwrap());
        let minus_one = Scalar::one().minus(&two).unwrap();
        assert!(deal(&[two, minus_one], 3).is_none());
    }
}
