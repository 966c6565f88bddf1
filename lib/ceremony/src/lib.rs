//! What participants and a server inside an attested machine do together: make a key that nobody has, and sign with it.
//!
//! [`approval`] is a participant's signature under one act. [`generation`] makes a group's key and gives each participant
//! its share, [`sealed`] so that nobody else can open it. [`signing`] collects partial signatures and combines
//! them. [`message`] is how both sides write what they say to each other.
//!
//! It is logic alone: it opens no connection and no file and has no clock. Time and random bytes are parameters, and
//! who speaks is known by what it signed, whatever connection that came over. That the server is the attested image,
//! its token over each answer says (the project's page on the wire, §5), which is not for this crate to check.
//!
//! Invariants, and the threat that each one answers:
//! - Whatever is signed, hashed or sealed is labelled and framed: nothing that was made for one use fits another.
//! - An approval is of one request of one start of a server: it cannot be moved, nor used again.
//! - Thresholds count participants with distinct keys, never signatures.
//! - A share counts only with the receipt that every participant has confirmed: no key is half given.
#![forbid(unsafe_code)]

mod agreed;
pub mod approval;
mod framing;
pub mod generation;
mod group;
pub mod message;
mod participants;
pub mod sealed;
pub mod signing;
mod taken;
mod terms;

pub use agreed::NotAgreed;
pub use group::ProvenGroup;
pub use participants::{NotAParticipantKey, NotParticipants, ParticipantKey, Participants};
pub use taken::NotTaken;
pub use terms::{Moment, NotAPurpose, Purpose, Terms, ThresholdTooHigh};

#[cfg(test)]
mod tests;
