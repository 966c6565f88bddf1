use blst::min_pk::AggregatePublicKey;

use crate::error::{NotAGroup, NotGenuine};
use crate::index::Index;
use crate::key::PublicKey;
use crate::share::KeyShare;
use crate::signature::PartialSignature;
use crate::threshold::Threshold;

/// What is public of a group: everything that comes from a participant is verified against it.
///
/// It is made of Feldman's commitments: the coefficients of the polynomial, each times the generator of G1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    threshold: Threshold,
    commitments: Vec<PublicKey>,
    /// Public keys of the participants' shares, the first that of participant 1.
    shares: Vec<PublicKey>,
}

impl Group {
    /// From commitments as they were published, as many as the threshold, for `count` participants.
    pub fn new(commitments: Vec<PublicKey>, count: u8) -> Result<Self, NotAGroup> {
        let threshold = u8::try_from(commitments.len())
            .ok()
            .and_then(|threshold| Threshold::new(threshold).ok())
            .ok_or(NotAGroup::Threshold)?;
        if usize::from(count) < threshold.get() {
            return Err(NotAGroup::FewerThanThreshold);
        }
        let shares = Index::all(count)
            .map(|index| evaluate(&commitments, index).ok_or(NotAGroup::NoShare(index)));
        let shares = shares.collect::<Result<_, _>>()?;
        Ok(Self {
            threshold,
            commitments,
            shares,
        })
    }

    /// How many participants it takes to sign.
    pub fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// Participants 1 to this.
    pub fn count(&self) -> u8 {
        u8::try_from(self.shares.len()).expect("made of that many")
    }

    /// What the group's signatures verify with.
    pub fn key(&self) -> &PublicKey {
        self.commitments.first().expect("two at least")
    }

    pub fn commitments(&self) -> &[PublicKey] {
        &self.commitments
    }

    /// What this participant's partial signatures verify with.
    pub fn public_share(&self, index: Index) -> Option<&PublicKey> {
        self.shares.get(usize::from(index.get()) - 1)
    }

    /// Whether the share is what the commitments promise to its owner.
    pub fn check(&self, share: &KeyShare) -> Result<(), NotGenuine> {
        match self.public_share(share.index()) {
            Some(promised) if *promised == share.public_key() => Ok(()),
            _ => Err(NotGenuine),
        }
    }

    pub fn verify_partial(
        &self,
        message: &[u8],
        partial: &PartialSignature,
    ) -> Result<(), NotGenuine> {
        let key = self.public_share(partial.index).ok_or(NotGenuine)?;
        key.verify(message, &partial.signature)
    }
}

/// The committed polynomial at this place, by Horner's rule; none where that is infinity. What is computed here is public.
fn evaluate(commitments: &[PublicKey], at: Index) -> Option<PublicKey> {
    let (highest, rest) = commitments.split_last()?;
    let mut sum = AggregatePublicKey::from_public_key(&highest.0);
    for commitment in rest.iter().rev() {
        sum = times(&sum, at.get());
        sum.add_public_key(&commitment.0, false)
            .expect("nothing is checked again");
    }
    let point = sum.to_public_key();
    point.validate().is_ok().then_some(PublicKey(point))
}

/// By doubling and adding, from the highest bit on. The factor is not zero.
fn times(point: &AggregatePublicKey, factor: u8) -> AggregatePublicKey {
    let mut product = *point;
    for bit in (0..factor.ilog2()).rev() {
        let once = product;
        product.add_aggregate(&once);
        if factor >> bit & 1 == 1 {
            product.add_aggregate(point);
        }
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::Scalar;

    fn commitments(count: u8) -> Vec<PublicKey> {
        (1..=count)
            .map(|byte| PublicKey::of(&Scalar::of_random(&[byte; 32])))
            .collect()
    }

    fn index(number: u8) -> Index {
        Index::new(number).unwrap()
    }

    #[test]
    fn each_place_has_the_value_of_the_polynomial() {
        // 3 + 5x + 2x²
        let coefficients = [3, 5, 2].map(|number| PublicKey::of(&Scalar::from(index(number))));
        let group = Group::new(coefficients.to_vec(), 255).unwrap();
        for x in [1, 2, 3, 7] {
            let value = index(3 + 5 * x + 2 * x * x);
            let expected = PublicKey::of(&Scalar::from(value));
            assert_eq!(group.public_share(index(x)), Some(&expected), "{x}");
        }
        assert_eq!(group.count(), 255);
        assert_eq!(group.threshold(), Threshold::new(3).unwrap());
        assert_eq!(group.key(), &coefficients[0]);
    }

    #[test]
    fn a_threshold_that_is_none_is_refused() {
        assert_eq!(Group::new(vec![], 3), Err(NotAGroup::Threshold));
        assert_eq!(Group::new(commitments(1), 3), Err(NotAGroup::Threshold));
        let many = vec![commitments(1)[0]; 256];
        assert_eq!(Group::new(many, 255), Err(NotAGroup::Threshold));
    }

    #[test]
    fn fewer_participants_than_the_threshold_are_refused() {
        let group = Group::new(commitments(3), 2);
        assert_eq!(group, Err(NotAGroup::FewerThanThreshold));
        assert!(Group::new(commitments(3), 3).is_ok());
    }

    #[test]
    fn commitments_that_leave_somebody_without_a_share_are_refused() {
        // 2 - x, which is zero for participant 2.
        let two = Scalar::from(index(2));
        let minus_one = Scalar::one().minus(&two).unwrap();
        let commitments = vec![PublicKey::of(&two), PublicKey::of(&minus_one)];
        let refused = Group::new(commitments, 3);
        assert_eq!(refused, Err(NotAGroup::NoShare(index(2))));
    }
}
