//! A group whose key was once somebody's: what the key's dealer proves, and what its owners check.

use std::fmt;

use mcbn_threshold::{Group, NotGenuine, ProofOfPossession};
use sha2::{Digest, Sha256};

use crate::framing::Framed;

const LABEL: &str = "mcbn/v1/threshold-commitments";

/// A group, and the proof that its key is not made of others' (a rogue key).
#[derive(Clone, PartialEq, Eq)]
pub struct ProvenGroup {
    group: Group,
    proof: ProofOfPossession,
}

impl ProvenGroup {
    pub fn new(group: Group, proof: ProofOfPossession) -> Result<Self, NotGenuine> {
        proof.verify(group.key())?;
        Ok(Self { group, proof })
    }

    #[cfg(test)]
    pub(crate) fn unproven(group: Group, proof: ProofOfPossession) -> Self {
        Self { group, proof }
    }

    pub fn group(&self) -> &Group {
        &self.group
    }

    pub fn proof(&self) -> &ProofOfPossession {
        &self.proof
    }

    /// SHA-256 of `"mcbn/v1/threshold-commitments" ‖ 0x00 ‖ field(commitment 1: 48 bytes) ‖ …`.
    pub fn digest(&self) -> [u8; 32] {
        let commitments = self.group.commitments().iter();
        let framed = commitments.fold(Framed::labelled(LABEL), |framed, commitment| {
            framed.field(&commitment.to_bytes())
        });
        Sha256::digest(framed.into_bytes()).into()
    }
}

impl fmt::Debug for ProvenGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProvenGroup({:?})", self.group.key())
    }
}
