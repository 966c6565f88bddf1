//! A signing key that nobody has: BLS signatures over BLS12-381 by any t of n participants.
//!
//! Whoever [generates](generate) a group's key deals each participant a [`KeyShare`], publishes the [`Group`] (Feldman's
//! commitments, of which the first is the group's public key) and forgets the key. Everything that comes from a
//! participant later is verified against the group alone: a share, by its owner; a [`PartialSignature`], by whoever
//! combines; and the signature that any t of them make, which is the one that the key itself would have made.
//!
//! The ciphersuite is `BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_` ([draft-irtf-cfrg-bls-signature §4.2.3], hashing to
//! the curve as in [RFC 9380]): public keys are points of G1, 48 bytes, and signatures points of G2, 96 bytes, both
//! compressed. It is that of Ethereum's beacon chain. Points that are off the curve, outside the group of prime order, at
//! infinity or in another encoding are no values of these types.
//!
//! The arithmetic is that of blst. Nothing here tells apart participants who are not numbered: who has which [`Index`] is
//! for the caller to fix, before any share is dealt.
//!
//! Threat: a participant who sends something bad is named and does no harm to the rest, and fewer than t of them together
//! learn nothing of the key. The dealer knows the key for a moment: it is for an attested machine alone.
//!
//! [draft-irtf-cfrg-bls-signature §4.2.3]: https://datatracker.ietf.org/doc/html/draft-irtf-cfrg-bls-signature-06#section-4.2.3
//! [RFC 9380]: https://www.rfc-editor.org/rfc/rfc9380#section-8.8.2
#![deny(unsafe_code)]

mod combine;
mod deal;
mod error;
mod group;
mod index;
mod key;
mod scalar;
mod share;
mod signature;
mod threshold;

pub use combine::Combined;
pub use deal::{Dealt, generate};
pub use error::{
    NotAGroup, NotAKeyShare, NotAPoint, NotAPublicKey, NotCombined, NotDealt, NotGenuine,
};
pub use group::Group;
pub use index::{Index, NotAnIndex};
pub use key::{ProofOfPossession, PublicKey};
pub use share::KeyShare;
pub use signature::{PartialSignature, Signature};
pub use threshold::{NotAThreshold, Threshold};

#[cfg(test)]
mod known_answers;
