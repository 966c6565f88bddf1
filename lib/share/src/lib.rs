//! From the participants' shares to one key, or to what a program needs to sign with them.
//!
//! A [`Plan`] is what the configuration says: a [`Derivation`], and a [`Source`] for each [`Participant`]. It claims the
//! descriptors that it names before the program opens any of its own. Reading it then gives [`Contributions`], to which
//! shares from elsewhere may be added; those become [`Combined`] material, and that gives keys, each for one purpose. Shares
//! of a group's key that are [revealed](Plan::revealed) become no key: they are given out, each verified.
//! Every layout of bytes is that of the project's page on the wire and the key schedule, under the label that stands there.
//!
//! Every participant contributes secret bytes of their own, so a share that was never random (all zeros, a text, another
//! participant's share) would quietly take consent out of the key. Such shares are refused by the participant's name and
//! never by value. What cannot be seen here: whether a share is fresh, and whether its owner keeps it.
//!
//! Shares and everything made from them are decoded, compared and combined without branches or table look-ups that
//! depend on them. They are wiped after use, as far as the primitives leave no copies on the stack.
#![forbid(unsafe_code)]

mod combine;
mod contribution;
mod contributions;
mod derivation;
pub mod fresh;
mod holders;
mod participant;
mod plan;
mod quality;
pub mod shamir;
mod signers;
mod source;
pub mod text;

pub use combine::{Combined, ContextTooLong, ManifestDigest, NotAManifestDigest};
pub use contribution::{Contribution, Kind};
pub use contributions::Contributions;
pub use derivation::{Derivation, NotADerivation};
pub use holders::Holders;
pub use participant::{NotAParticipant, Participant};
pub use plan::{ClaimedPlan, NoKey, NoPlan, Plan, Refused};
pub use signers::Signers;
pub use source::{Claimed, NotASource, Source};

// What is said here of thresholds and of the places of shares.
pub use mcbn_place::{Inheritance, NotAPlace, NotClaimed, Place, Unreadable};
pub use mcbn_threshold::{KeyShare, NotAThreshold, Threshold};

#[cfg(test)]
mod known_answers;
