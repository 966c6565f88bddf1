//! Why a server said no.

use mcbn_threshold::Index;
use serde::{Deserialize, Serialize};

use super::fixed;
use crate::approval::NotApproved;
use crate::{NotTaken, generation, signing};

/// The answer to everything that is not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    pub refused: Code,
    /// Who is at fault, where it is one participant.
    #[serde(
        with = "fixed::index::option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub participant: Option<Index>,
}

mcbn_body::codes! {
    /// The request is not one of this protocol.
    Request = "request", 400;
    /// The signature is not that participant's under this, or there is no such participant.
    Approval = "approval", 403;
    /// The participant has said something else before, which holds.
    Changed = "changed", 409;
    /// Another participant has given this encryption key.
    EncryptionKey = "encryption-key", 409;
    /// Others have not done yet what must come before. It is worth asking again.
    TooEarly = "too-early", 409;
    /// The share was not fetched, and cannot be confirmed.
    NotFetched = "not-fetched", 409;
    /// The key generation has ended, and what was made counts for nothing.
    Abandoned = "abandoned", 410;
    /// The partial signature does not verify with the participant's share of the key, or is missing; or there is one
    /// where shares are revealed.
    Partial = "partial", 422;
    /// No such request is open.
    NotOpen = "not-open", 404;
    /// The participant has its part of the open requests.
    TooMany = "too-many", 429;
    /// The server cannot do it now.
    Unavailable = "unavailable", 503;
}

impl From<Code> for Refusal {
    fn from(refused: Code) -> Self {
        Self {
            refused,
            participant: None,
        }
    }
}

fn of(refused: Code, index: Index) -> Refusal {
    Refusal {
        refused,
        participant: Some(index),
    }
}

impl From<NotApproved> for Refusal {
    fn from(refused: NotApproved) -> Self {
        match refused {
            NotApproved::Stranger(index) | NotApproved::NotGenuine(index) => {
                of(Code::Approval, index)
            }
        }
    }
}

impl From<generation::Refused> for Refusal {
    fn from(refused: generation::Refused) -> Self {
        use generation::Refused;
        match refused {
            Refused::Abandoned => Code::Abandoned.into(),
            Refused::TooEarly => Code::TooEarly.into(),
            Refused::NotApproved(reason) => reason.into(),
            Refused::Changed(index) => of(Code::Changed, index),
            Refused::SameEncryptionKey(index, _) => of(Code::EncryptionKey, index),
            Refused::NotFetched(index) => of(Code::NotFetched, index),
        }
    }
}

impl From<signing::Refused> for Refusal {
    fn from(refused: signing::Refused) -> Self {
        use signing::Refused;
        match refused {
            Refused::NotOpen => Code::NotOpen.into(),
            Refused::NotApproved(reason) => reason.into(),
            Refused::BadPartial(index) => of(Code::Partial, index),
            Refused::Changed(index) => of(Code::Changed, index),
            Refused::TooMany { index, .. } => of(Code::TooMany, index),
        }
    }
}

impl<R: Into<Refusal>, E> From<NotTaken<R, E>> for Refusal {
    fn from(not_taken: NotTaken<R, E>) -> Self {
        match not_taken {
            NotTaken::Refused(refused) => refused.into(),
            NotTaken::Random(_) => Code::Unavailable.into(),
        }
    }
}
