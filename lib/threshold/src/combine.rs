use std::collections::BTreeMap;
use std::convert::Infallible;

use blst::MultiPoint;
use blst::min_pk;

use crate::error::{NotCombined, NotGenuine};
use crate::group::Group;
use crate::index::Index;
use crate::key::PublicKey;
use crate::scalar::{self, Scalar};
use crate::signature::{PartialSignature, Signature};

/// The group's signature, and who did not help to make it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Combined {
    /// It verifies with the group's key.
    pub signature: Signature,
    /// Whose partial signatures do not verify, in order.
    pub bad: Vec<Index>,
}

/// Bits of the random weights that a batch is verified with: a batch with a bad signature passes once in 2^128 times.
const WEIGHT: usize = 128;

impl Group {
    /// Verifies all partial signatures of the message, and makes the group's of as many as it takes. It is the same one
    /// whoever's it is made of. `random` fills a slice with fresh random bytes.
    ///
    /// All are verified together; where that fails, each alone.
    pub fn combine<E>(
        &self,
        message: &[u8],
        partials: &[PartialSignature],
        random: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Combined, NotCombined<E>> {
        let mut signed = self.signed(partials)?;
        let all: Vec<_> = signed.values().copied().collect();
        let all_verify = verify_all(message, &all, random).map_err(NotCombined::Random)?;
        let mut bad = Vec::new();
        if !all_verify {
            signed.retain(|index, (key, signature)| {
                let verifies = key.verify(message, signature).is_ok();
                if !verifies {
                    bad.push(*index);
                }
                verifies
            });
        }
        let signature = self.interpolate(&signed, &bad)?;
        self.key()
            .verify(message, &signature)
            .expect("each of the partial signatures verified");
        Ok(Combined { signature, bad })
    }

    /// The same of partial signatures that were [verified](Group::verify_partial) one by one, as they came.
    ///
    /// # Errors
    ///
    /// [`NotCombined::NotGenuine`] where they were not.
    pub fn combine_verified(
        &self,
        message: &[u8],
        partials: &[PartialSignature],
    ) -> Result<Signature, NotCombined<Infallible>> {
        let signature = self.interpolate(&self.signed(partials)?, &[])?;
        match self.key().verify(message, &signature) {
            Ok(()) => Ok(signature),
            Err(NotGenuine) => Err(NotCombined::NotGenuine),
        }
    }

    /// In the order of their participants, with what each verifies with.
    fn signed<E>(&self, partials: &[PartialSignature]) -> Result<Signed, NotCombined<E>> {
        let mut signed = Signed::new();
        for PartialSignature { index, signature } in partials {
            let key = self.public_share(*index);
            let key = key.ok_or(NotCombined::Stranger(*index))?;
            if signed.insert(*index, (*key, *signature)).is_some() {
                return Err(NotCombined::Repeated(*index));
            }
        }
        Ok(signed)
    }

    /// The signature that as many of these as it takes make.
    fn interpolate<E>(&self, signed: &Signed, bad: &[Index]) -> Result<Signature, NotCombined<E>> {
        let threshold = self.threshold().get();
        if signed.len() < threshold {
            return Err(NotCombined::TooFew {
                good: signed.len(),
                threshold,
                bad: bad.to_vec(),
            });
        }
        let used = signed.iter().take(threshold);
        let used: Vec<_> = used.map(|(index, (_, sig))| (*index, *sig)).collect();
        Ok(at_zero(&used))
    }
}

type Signed = BTreeMap<Index, (PublicKey, Signature)>;

/// Whether each verifies, by one equation: the sums of keys and of signatures, each times a weight that nobody could
/// foresee. All are points of the groups of prime order, without which this would say nothing.
fn verify_all<E>(
    message: &[u8],
    signed: &[(PublicKey, Signature)],
    random: impl FnOnce(&mut [u8]) -> Result<(), E>,
) -> Result<bool, E> {
    let [_, ..] = signed else {
        return Ok(true);
    };
    let mut weights = vec![0; signed.len() * WEIGHT / 8];
    random(&mut weights)?;
    let keys: Vec<min_pk::PublicKey> = signed.iter().map(|(key, _)| key.0).collect();
    let signatures: Vec<min_pk::Signature> = signed.iter().map(|(_, sig)| sig.0).collect();
    let key = PublicKey(keys.mult(&weights, WEIGHT).to_public_key());
    let signature = Signature(signatures.mult(&weights, WEIGHT).to_signature());
    Ok(key.verify(message, &signature).is_ok())
}

/// The value at 0 of the polynomial, in the exponent of G2, through these points of it (Lagrange's form).
fn at_zero(points: &[(Index, Signature)]) -> Signature {
    let signatures: Vec<min_pk::Signature> = points.iter().map(|(_, sig)| sig.0).collect();
    let mut weights = Vec::with_capacity(points.len() * scalar::LENGTH);
    for (index, _) in points {
        let own = Scalar::from(*index);
        let (mut above, mut below) = (Scalar::one(), Scalar::one());
        for (other, _) in points.iter().filter(|(other, _)| other != index) {
            let other = Scalar::from(*other);
            let distance = other.minus(&own).expect("they are not equal");
            above = above.times(&other);
            below = below.times(&distance);
        }
        let weight = above.times(&below.inverse());
        weights.extend_from_slice(weight.little_endian());
    }
    Signature(signatures.mult(&weights, scalar::LENGTH * 8).to_signature())
}

#[cfg(test)]
mod tests;
