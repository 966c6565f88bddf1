//! A participant's signature under one act: the project's page on the wire, §6.
//!
//! What is signed, with Ed25519 ([RFC 8032 §5.1]), is these bytes:
//!
//! ```text
//! "mcbn/v1/consent-signature" ‖ 0x00
//!   ‖ field(request id: 32 random bytes of the server)
//!   ‖ field(manifest digest: 32 bytes)
//!   ‖ field(image digest: 32 bytes)
//!   ‖ field(t: 1 byte)
//!   ‖ field(n: 1 byte)
//!   ‖ field(participants: field(key 1: 32 bytes) ‖ … ‖ field(key n: 32 bytes))
//!   ‖ field(payload)
//!
//! field(x) = u32be(length of x) ‖ x
//! ```
//!
//! The list of the keys is one field, which is itself a list of fields, in the participants' order. The payload says
//! what is done, and begins with a label of its own: that of one act is none of another's.
//!
//! An [`Approval`] is 64 bytes until it is verified, which gives a [`VerifiedApproval`]; there is no other way to one.
//! Thresholds count participants, each of which has one key, and never signatures.
//!
//! The signatures are ring's. It takes the one signature that RFC 8032 makes: S must be below the group's order, and R
//! the one encoding of the point that it computes, without the cofactor. It takes any key that decodes; those of small
//! order and in other encodings are refused by [`ParticipantKey`]. It does not wipe a private key: [`SigningKey`] is
//! for the participant's own short-lived program, and no server has one.
//!
//! Threat: an approval that was given is used for something else. Another request, image, manifest, number, list or
//! payload is another message, and the request's id is of the server's own randomness, so a server that starts again
//! takes none of the old approvals.
//!
//! [RFC 8032 §5.1]: https://www.rfc-editor.org/rfc/rfc8032#section-5.1

use std::error::Error;
use std::fmt;

use mcbn_threshold::Index;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::framing::Framed;
use crate::participants::ParticipantKey;
use crate::terms::Terms;

const LABEL: &str = "mcbn/v1/consent-signature";

/// Random bytes of the server: which of its requests an approval is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub [u8; Self::LENGTH]);

impl RequestId {
    /// In bytes.
    pub const LENGTH: usize = 32;

    /// `random` fills a slice with fresh random bytes.
    pub fn fresh<E>(random: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut bytes = [0; Self::LENGTH];
        random(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = self.0.map(|byte| format!("{byte:02x}")).concat();
        write!(f, "RequestId({hex})")
    }
}

/// What is approved, in full.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub id: RequestId,
    pub terms: &'a Terms,
    /// Labelled by whoever makes it.
    pub payload: &'a [u8],
}

impl Request<'_> {
    /// What is signed.
    fn bytes(&self) -> Vec<u8> {
        let threshold = u8::try_from(self.terms.threshold().get()).expect("at most 255");
        let participants = self.terms.participants();
        let keys = participants.keys().iter().map(|key| &key.as_bytes()[..]);
        Framed::labelled(LABEL)
            .field(&self.id.0)
            .field(&self.terms.manifest().0)
            .field(&self.terms.image().0)
            .field(&[threshold])
            .field(&[participants.count()])
            .field(&Framed::list(keys))
            .field(self.payload)
            .into_bytes()
    }

    pub fn approve(&self, key: &SigningKey) -> Approval {
        let signature = key.0.sign(&self.bytes());
        Approval(signature.as_ref().try_into().expect("Ed25519 gives 64"))
    }

    /// Whether it is this participant's approval of this.
    pub fn verify(
        &self,
        index: Index,
        approval: &Approval,
    ) -> Result<VerifiedApproval, NotApproved> {
        let key = self.terms.participants().key(index);
        let key = key.ok_or(NotApproved::Stranger(index))?;
        UnparsedPublicKey::new(&ED25519, key.as_bytes())
            .verify(&self.bytes(), &approval.0)
            .map_err(|_| NotApproved::NotGenuine(index))?;
        Ok(VerifiedApproval {
            index,
            request: self.id,
        })
    }
}

/// A signature that may be an approval: whose and of what, [`Request::verify`] says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Approval(pub [u8; Self::LENGTH]);

impl Approval {
    /// In bytes: R, then S.
    pub const LENGTH: usize = 64;
}

impl fmt::Debug for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = self.0.map(|byte| format!("{byte:02x}")).concat();
        write!(f, "Approval({hex})")
    }
}

/// That this participant approved this request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VerifiedApproval {
    index: Index,
    request: RequestId,
}

impl VerifiedApproval {
    pub fn index(&self) -> Index {
        self.index
    }

    pub fn request(&self) -> RequestId {
        self.request
    }
}

/// The participant's private key.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// From PKCS #8, version 1 or 2 ([RFC 8410 §7]). Wiping the bytes is left to the caller.
    ///
    /// [RFC 8410 §7]: https://www.rfc-editor.org/rfc/rfc8410#section-7
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, NotASigningKey> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der);
        pair.map(Self).map_err(|_| NotASigningKey)
    }

    pub fn public(&self) -> ParticipantKey {
        let bytes = self.0.public_key().as_ref().try_into();
        ParticipantKey::from_bytes(&bytes.expect("32 bytes"))
            .expect("a multiple of the generator, which is not zero")
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// The participant is at fault, or whoever speaks in its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotApproved {
    /// There is no such participant.
    Stranger(Index),
    /// The signature does not verify: another key made it, or it is of something else.
    NotGenuine(Index),
}

impl fmt::Display for NotApproved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stranger(index) => write!(f, "there is no participant {index}"),
            Self::NotGenuine(index) => {
                write!(f, "not a signature of participant {index} under this")
            }
        }
    }
}

impl Error for NotApproved {}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotASigningKey;

impl fmt::Display for NotASigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an Ed25519 private key in PKCS #8")
    }
}

impl Error for NotASigningKey {}

#[cfg(test)]
mod tests;
