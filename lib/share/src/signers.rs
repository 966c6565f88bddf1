//! Consent by signature (`bls-prf-v1`): no share ever leaves its owner, and t of n signatures of one message make the key.
//!
//! The message is the manifest's digest under a label, so that a signature says nothing of another network. BLS signatures
//! are unique: whichever participants sign, the group's signature is the same, and who has fewer than t of them cannot
//! tell it from random. Each participant's is verified against their public share when it comes, and a bad one is refused
//! by their name.

use crate::combine::ManifestDigest;
use crate::contribution::Contribution;
use crate::holders::Holders;
use crate::participant::Participant;
use crate::plan::Refused;
use mcbn_secret::{ConsentSignature, SigningShare};
use mcbn_threshold::{PartialSignature, Signature};
use std::convert::Infallible;

/// Whose signatures make the key, and of what.
#[derive(Debug, PartialEq, Eq)]
pub struct Signers {
    holders: Holders,
    manifest: ManifestDigest,
}

/// The project's page on the wire, §1.
const LABEL: &[u8; 16] = b"mcbn/v1/consent\0";
const MESSAGE: usize = LABEL.len() + 32;

impl Signers {
    pub fn new(holders: Holders, manifest: &ManifestDigest) -> Signers {
        Signers {
            holders,
            manifest: *manifest,
        }
    }

    pub fn holders(&self) -> &Holders {
        &self.holders
    }

    pub(crate) fn manifest(&self) -> &ManifestDigest {
        &self.manifest
    }

    /// What is signed.
    fn message(&self) -> [u8; MESSAGE] {
        let mut message = [0; MESSAGE];
        let (label, digest) = message.split_at_mut(LABEL.len());
        label.copy_from_slice(LABEL);
        digest.copy_from_slice(&self.manifest.0);
        message
    }

    /// What a participant answers who gives their consent.
    ///
    /// # Errors
    ///
    /// [`Refused`], where the share is not that of this participant in this group.
    pub fn sign(&self, whose: &Participant, share: &SigningShare) -> Result<Contribution, Refused> {
        let share = self.holders.share(whose, share)?;
        let signature = share.sign(&self.message()).signature;
        Ok(Contribution::Consent(secret(&signature)))
    }

    pub(crate) fn verify(
        &self,
        whose: &Participant,
        signature: &ConsentSignature,
    ) -> Result<(), Refused> {
        let refused = || Refused::NotGenuine(whose.clone());
        let partial = self.partial(whose, signature).ok_or_else(refused)?;
        let verified = self
            .holders
            .group()
            .verify_partial(&self.message(), &partial);
        verified.map_err(|_| refused())
    }

    /// Of those that verified, at least as many as the threshold says.
    pub(crate) fn combine<'a>(
        &self,
        signed: impl Iterator<Item = (&'a Participant, &'a ConsentSignature)>,
    ) -> ConsentSignature {
        let partials: Option<Vec<_>> = signed
            .map(|(whose, signature)| self.partial(whose, signature))
            .collect();
        let partials = partials.expect("each was verified");
        let combined = self
            .holders
            .group()
            .combine_verified(&self.message(), &partials);
        secret(&combined.expect("enough were verified, of distinct participants"))
    }

    fn partial(
        &self,
        whose: &Participant,
        signature: &ConsentSignature,
    ) -> Option<PartialSignature> {
        // To compute with it.
        let signature = Signature::from_bytes(signature.expose_secret()).ok()?;
        let index = self.holders.index(whose)?;
        Some(PartialSignature { index, signature })
    }
}

fn secret(signature: &Signature) -> ConsentSignature {
    let filled = ConsentSignature::fill(|bytes| {
        bytes.copy_from_slice(&signature.to_bytes());
        Ok::<_, Infallible>(())
    });
    filled.unwrap_or_else(|never| match never {})
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::holders::tests::{holders, name};

    pub(crate) const MANIFEST: ManifestDigest = ManifestDigest([7; 32]);

    /// alice, bob and carol, any two of whom sign.
    pub(crate) fn signers() -> (Signers, Vec<SigningShare>) {
        let (holders, shares) = holders();
        (Signers::new(holders, &MANIFEST), shares)
    }

    pub(crate) fn consent(contribution: Contribution) -> ConsentSignature {
        match contribution {
            Contribution::Consent(signature) => signature,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_a_participant_signs_verifies_as_theirs_alone() {
        let (signers, shares) = signers();
        let signature = consent(signers.sign(&name("bob"), &shares[1]).unwrap());
        assert_eq!(signers.verify(&name("bob"), &signature), Ok(()));
        for other in ["alice", "mallory"].map(name) {
            let refused = Err(Refused::NotGenuine(other.clone()));
            assert_eq!(signers.verify(&other, &signature), refused);
        }
    }

    #[test]
    fn a_signature_for_another_manifest_is_refused() {
        let (signers, shares) = signers();
        let other = Signers::new(signers.holders.clone(), &ManifestDigest([8; 32]));
        let signature = consent(other.sign(&name("bob"), &shares[1]).unwrap());
        let refused = Err(Refused::NotGenuine(name("bob")));
        assert_eq!(signers.verify(&name("bob"), &signature), refused);
    }

    #[test]
    fn bytes_that_are_no_point_are_refused() {
        let (signers, _) = signers();
        for byte in [0, 0xc0, 0xff] {
            let refused = Err(Refused::NotGenuine(name("bob")));
            let signature = ConsentSignature::copied_from(&[byte; 96]);
            assert_eq!(signers.verify(&name("bob"), &signature), refused);
        }
    }

    #[test]
    fn a_share_of_another_participant_is_refused() {
        let (signers, shares) = signers();
        let refused = Err(Refused::NotTheirs(name("alice")));
        assert_eq!(signers.sign(&name("alice"), &shares[1]), refused);
    }
}
