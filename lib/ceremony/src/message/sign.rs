//! What threshold-sign and its participants say.

use base64ct::{Base64UrlUnpadded, Encoding};
use mcbn_manifest::ImageDigest;
use mcbn_share::ManifestDigest;
use mcbn_threshold::{Group, Index, PublicKey, Signature};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{NotAMessage, fixed};
use crate::approval::{Approval, RequestId};
use crate::participants::{ParticipantKey, Participants};
use crate::signing::{self, Message, Open, Progress, Signers, Signing, Subject};
use crate::terms::{Moment, Purpose, Terms};

/// Who signs here, with which group's key, and the id that announcements are signed under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    #[serde(with = "fixed")]
    pub session: RequestId,
    #[serde(with = "fixed::shown")]
    pub manifest: ManifestDigest,
    #[serde(with = "fixed::shown")]
    pub image: ImageDigest,
    #[serde(with = "fixed::list")]
    pub participants: Vec<ParticipantKey>,
    /// As many as the threshold; the first is the group's key.
    #[serde(with = "fixed::list")]
    pub commitments: Vec<PublicKey>,
    pub shares: Shares,
}

/// Where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shares {
    /// With their owners: approvals need partial signatures.
    Kept,
    /// With the server: approvals stand alone.
    Revealed,
}

impl Session {
    pub fn of(signing: &Signing) -> Self {
        let (terms, group) = (signing.signers().terms(), signing.signers().group());
        Self {
            session: signing.session(),
            manifest: *terms.manifest(),
            image: *terms.image(),
            participants: terms.participants().keys().to_vec(),
            commitments: group.commitments().to_vec(),
            shares: match signing.shares() {
                signing::Shares::Kept => Shares::Kept,
                signing::Shares::Revealed(_) => Shares::Revealed,
            },
        }
    }

    /// What a participant holds against its own.
    pub fn signers(self) -> Result<Signers, NotAMessage> {
        let participants = Participants::new(self.participants).map_err(|_| NotAMessage)?;
        let group = Group::new(self.commitments, participants.count()).map_err(|_| NotAMessage)?;
        let terms = Terms::new(self.manifest, self.image, group.threshold(), participants);
        let terms = terms.map_err(|_| NotAMessage)?;
        Signers::new(terms, group).map_err(|_| NotAMessage)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskAnnounce {
    #[serde(with = "fixed::index")]
    pub participant: Index,
    #[serde(with = "subject")]
    pub subject: Subject,
    #[serde(with = "fixed")]
    pub announcement: Approval,
}

/// The request that is open for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announced {
    #[serde(with = "fixed")]
    pub request: RequestId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskSubmit {
    #[serde(with = "fixed")]
    pub request: RequestId,
    #[serde(with = "fixed::index")]
    pub participant: Index,
    /// Where shares are kept.
    #[serde(
        with = "fixed::option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub partial: Option<Signature>,
    #[serde(with = "fixed")]
    pub approval: Approval,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskRequest {
    #[serde(with = "fixed")]
    pub request: RequestId,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenRequest {
    #[serde(with = "fixed")]
    pub request: RequestId,
    /// Who announced it first.
    #[serde(with = "fixed::index")]
    pub by: Index,
    #[serde(with = "subject")]
    pub subject: Subject,
    /// How many more it is open.
    pub seconds: u64,
    #[serde(with = "fixed::index::list")]
    pub approved_by: Vec<Index>,
    #[serde(
        with = "fixed::option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub signature: Option<Signature>,
}

impl OpenRequest {
    pub fn of(open: &Open, progress: Progress, now: Moment) -> Self {
        Self {
            request: open.id(),
            by: open.by(),
            subject: open.subject().clone(),
            seconds: open.expires().since(now).as_secs(),
            approved_by: progress.approved_by,
            signature: progress.signature,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskRequests {
    /// Those behind this one; from the first on, where it is absent.
    #[serde(
        with = "fixed::option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub after: Option<RequestId>,
}

/// As many as a body may have, at most [`OpenRequests::PAGE`]; fewer are the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenRequests {
    #[serde(with = "fixed::list")]
    pub requests: Vec<RequestId>,
}

impl OpenRequests {
    pub const PAGE: usize = 1000;

    pub fn page(signing: &mut Signing, now: Moment, ask: &AskRequests) -> Self {
        let page = signing.after(now, ask.after).take(Self::PAGE);
        Self {
            requests: page.collect(),
        }
    }
}

mod subject {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(with = "fixed::shown")]
        purpose: Purpose,
        #[serde(with = "message")]
        message: Message,
    }

    pub fn serialize<S: Serializer>(subject: &Subject, to: S) -> Result<S::Ok, S::Error> {
        let (message, purpose) = (subject.message().clone(), subject.purpose().clone());
        Body { purpose, message }.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Subject, D::Error> {
        let Body { purpose, message } = Body::deserialize(from)?;
        Ok(Subject::new(message, purpose))
    }
}

/// `{"bytes":"…"}` in base64url, or `{"sha256":"…"}` in hex.
mod message {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Text<T> {
        Bytes(T),
        Sha256(T),
    }

    pub fn serialize<S: Serializer>(message: &Message, to: S) -> Result<S::Ok, S::Error> {
        let text = match message {
            Message::Bytes(bytes) => Text::Bytes(mcbn_body::base64url(bytes.as_slice())),
            Message::Sha256(hash) => Text::Sha256(base16ct::lower::encode_string(hash)),
        };
        text.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Message, D::Error> {
        match Text::<&str>::deserialize(from)? {
            Text::Bytes(text) => {
                let bytes = Base64UrlUnpadded::decode_vec(text).map_err(D::Error::custom)?;
                Message::bytes(&bytes).map_err(D::Error::custom)
            }
            Text::Sha256(text) => {
                let mut hash = [0; 32];
                match base16ct::lower::decode(text, &mut hash) {
                    Ok(all) if all.len() == 32 => Ok(Message::Sha256(hash)),
                    _ => Err(D::Error::custom("not 64 lower-case hex digits")),
                }
            }
        }
    }
}
