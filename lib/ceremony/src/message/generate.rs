//! What threshold-generate and its participants say.

use mcbn_manifest::ImageDigest;
use mcbn_share::ManifestDigest;
use mcbn_threshold::{Group, Index, ProofOfPossession, PublicKey, Threshold};
use serde::{Deserialize, Serialize};

use super::{NotAMessage, fixed};
use crate::approval::{Approval, RequestId};
use crate::generation::{self, Announced, Given, Receipt};
use crate::group::ProvenGroup;
use crate::participants::{ParticipantKey, Participants};
use crate::sealed::{EncryptionKey, SealedShare};
use crate::terms::{Purpose, Terms};

/// What the server will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    #[serde(with = "fixed")]
    pub request: RequestId,
    #[serde(with = "fixed::shown")]
    pub manifest: ManifestDigest,
    #[serde(with = "fixed::shown")]
    pub image: ImageDigest,
    pub threshold: u8,
    /// Keys, in their order.
    #[serde(with = "fixed::list")]
    pub participants: Vec<ParticipantKey>,
    #[serde(with = "fixed::shown")]
    pub purpose: Purpose,
}

impl Announcement {
    pub fn of(announced: &Announced) -> Self {
        let terms = &announced.terms;
        Self {
            request: announced.id,
            manifest: *terms.manifest(),
            image: *terms.image(),
            threshold: u8::try_from(terms.threshold().get()).expect("at most 255"),
            participants: terms.participants().keys().to_vec(),
            purpose: announced.purpose.clone(),
        }
    }

    pub fn announced(self) -> Result<Announced, NotAMessage> {
        let threshold = Threshold::new(self.threshold).map_err(|_| NotAMessage)?;
        let participants = Participants::new(self.participants).map_err(|_| NotAMessage)?;
        let terms = Terms::new(self.manifest, self.image, threshold, participants);
        Ok(Announced {
            id: self.request,
            terms: terms.map_err(|_| NotAMessage)?,
            purpose: self.purpose,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskApprove {
    #[serde(with = "fixed::index")]
    pub participant: Index,
    #[serde(with = "fixed")]
    pub encryption_key: EncryptionKey,
    #[serde(with = "fixed")]
    pub approval: Approval,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskShare {
    #[serde(with = "fixed::index")]
    pub participant: Index,
}

/// A share that its owner can open, and what it is checked against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenShare {
    #[serde(with = "fixed::list")]
    pub commitments: Vec<PublicKey>,
    #[serde(with = "fixed")]
    pub proof: ProofOfPossession,
    #[serde(with = "fixed")]
    pub sealed: SealedShare,
}

impl GivenShare {
    pub fn of(given: &Given<'_>) -> Self {
        Self {
            commitments: given.group.group().commitments().to_vec(),
            proof: *given.group.proof(),
            sealed: *given.sealed,
        }
    }

    /// For so many participants, as was announced.
    pub fn group(&self, count: u8) -> Result<ProvenGroup, NotAMessage> {
        group(&self.commitments, self.proof, count)
    }
}

/// The proof is verified, too.
fn group(
    commitments: &[PublicKey],
    proof: ProofOfPossession,
    count: u8,
) -> Result<ProvenGroup, NotAMessage> {
    let group = Group::new(commitments.to_vec(), count).map_err(|_| NotAMessage)?;
    ProvenGroup::new(group, proof).map_err(|_| NotAMessage)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskConfirm {
    #[serde(with = "fixed::index")]
    pub participant: Index,
    #[serde(with = "fixed")]
    pub confirmation: Approval,
}

/// Where it stands, and for whom it waits, or would have waited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    pub phase: Phase,
    #[serde(with = "fixed::index::list")]
    pub missing: Vec<Index>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    Approving,
    Confirming,
    Done,
    Abandoned,
}

impl From<generation::Standing> for Standing {
    fn from(standing: generation::Standing) -> Self {
        use generation::Standing;
        let (phase, missing) = match standing {
            Standing::Approving { missing } => (Phase::Approving, missing),
            Standing::Confirming { missing } => (Phase::Confirming, missing),
            Standing::Done => (Phase::Done, Vec::new()),
            Standing::Abandoned { missing } => (Phase::Abandoned, missing),
        };
        Self { phase, missing }
    }
}

/// It proves itself, so a participant can hand it to another as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenReceipt {
    pub announcement: Announcement,
    #[serde(with = "fixed::list")]
    pub commitments: Vec<PublicKey>,
    #[serde(with = "fixed")]
    pub proof: ProofOfPossession,
    /// That of participant 1 first.
    #[serde(with = "fixed::list")]
    pub confirmations: Vec<Approval>,
}

impl GivenReceipt {
    pub fn of(receipt: &Receipt) -> Self {
        Self {
            announcement: Announcement::of(receipt.announced()),
            commitments: receipt.group().group().commitments().to_vec(),
            proof: *receipt.group().proof(),
            confirmations: receipt.confirmations().to_vec(),
        }
    }

    /// Everything in it is verified.
    pub fn receipt(self) -> Result<Receipt, NotAMessage> {
        let announced = self.announcement.announced()?;
        let count = announced.terms.participants().count();
        let group = group(&self.commitments, self.proof, count)?;
        Receipt::new(announced, group, self.confirmations).map_err(|_| NotAMessage)
    }
}
