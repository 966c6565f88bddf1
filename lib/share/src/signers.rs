//! Consent by signature (`bls-prf-v1`): no share ever leaves its owner, and t of n signatures of one message make the key.
//!
//! The message is the manifest's digest under a label, so that a signature says nothing of another network. BLS signatures
//! are unique: whichever participants sign, the group's signature is the same, and who has fewer than t of them cannot
//! tell it from random. Each participant's is verified against their public share when it comes, and a bad one is refused
//! by their name.

use crate::combine::ManifestDigest;
use crate::contribution::Contribution;
use crate::participant::Participant;
use crate::plan::Refused;
use mcbn_secret::{ConsentSignature, SigningShare};
use mcbn_threshold::{Group, Index, KeyShare, PartialSignature, Signature, Threshold};
use std::convert::Infallible;

/// Whose signatures make the key, and of what.
#[derive(Debug, PartialEq, Eq)]
pub struct Signers {
    group: Group,
    /// Those of the group's participants 1, 2, 3 and so on.
    names: Vec<Participant>,
    manifest: ManifestDigest,
}

/// The project's page on the wire, §1.
const LABEL: &[u8; 16] = b"mcbn/v1/consent\0";
const MESSAGE: usize = LABEL.len() + 32;

impl Signers {
    /// `names` in the order in which the shares were dealt.
    ///
    /// # Panics
    ///
    /// Where there are more or fewer of them than the group has participants.
    pub fn new(group: Group, names: Vec<Participant>, manifest: &ManifestDigest) -> Signers {
        assert_eq!(names.len(), usize::from(group.count()));
        Signers {
            group,
            names,
            manifest: *manifest,
        }
    }

    pub fn group(&self) -> &Group {
        &self.group
    }

    /// In the order of the group's participants.
    pub fn names(&self) -> &[Participant] {
        &self.names
    }

    pub(crate) fn threshold(&self) -> Threshold {
        self.group.threshold()
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
        let refused = || Refused::NotTheirs(whose.clone());
        let index = self.index(whose).ok_or_else(refused)?;
        let share = KeyShare::new(index, share).map_err(|_| refused())?;
        self.group.check(&share).map_err(|_| refused())?;
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
        let verified = self.group.verify_partial(&self.message(), &partial);
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
        let combined = self.group.combine_verified(&self.message(), &partials);
        secret(&combined.expect("enough were verified, of distinct participants"))
    }

    fn partial(
        &self,
        whose: &Participant,
        signature: &ConsentSignature,
    ) -> Option<PartialSignature> {
        // To compute with it.
        let signature = Signature::from_bytes(signature.expose_secret()).ok()?;
        let index = self.index(whose)?;
        Some(PartialSignature { index, signature })
    }

    fn index(&self, whose: &Participant) -> Option<Index> {
        let mut numbered = self.names.iter().zip(Index::all(self.group.count()));
        let (_, index) = numbered.find(|(name, _)| *name == whose)?;
        Some(index)
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
    use mcbn_threshold::generate;

    pub(crate) const MANIFEST: ManifestDigest = ManifestDigest([7; 32]);

    pub(crate) fn name(name: &str) -> Participant {
        name.parse().unwrap()
    }

    /// alice, bob and carol, any two of whom sign.
    pub(crate) fn signers() -> (Signers, Vec<SigningShare>) {
        let mut drawn = 0;
        let random = |bytes: &mut [u8]| {
            drawn += 1;
            bytes.fill(drawn);
            Ok::<_, Infallible>(())
        };
        let dealt = generate(Threshold::new(2).unwrap(), 3, random).unwrap();
        let names = ["alice", "bob", "carol"].map(name).to_vec();
        let shares = dealt.shares.iter().map(KeyShare::secret).collect();
        (Signers::new(dealt.group, names, &MANIFEST), shares)
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
        let other = Signers::new(
            signers.group.clone(),
            signers.names.clone(),
            &ManifestDigest([8; 32]),
        );
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
    fn a_share_of_another_participant_or_group_is_refused() {
        let (signers, shares) = signers();
        for (whose, share) in [
            ("alice", &shares[1]),
            ("mallory", &shares[0]),
            ("alice", &SigningShare::copied_from(&[9; 32])),
            ("alice", &SigningShare::copied_from(&[0xff; 32])),
        ] {
            let refused = Err(Refused::NotTheirs(name(whose)));
            assert_eq!(signers.sign(&name(whose), share), refused);
        }
    }
}
