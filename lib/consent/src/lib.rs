//! How a participant's consent reaches a workload: the release of a share, the lease on it, and its end.
//!
//! [`message`] is what keepers and workloads say to each other; all else is the workload's side. [`client`] is one exchange
//! with one keeper, over whatever [`connect`] gives, and [`cloud`] one look at a share that lies in its participant's own
//! project of Google Cloud; [`mod@ask`] makes one thing of both. [`lease`] is the consent of all participants together, and
//! [`settings`] what a program is told of it. No client of Google's is linked here.
//!
//! Invariants, and the threat that each one answers:
//! - A share goes from a keeper only to a connection that a token vouches for, and a token vouches for one only: who
//!   relays it to another gets nothing.
//! - Consent ends when its lease does, by a clock that nobody can set or stop; a participant who takes it back ends it
//!   with the next renewal.
//! - A manifest cannot be exchanged under a running workload: every token of it names the digest that it started with.
#![forbid(unsafe_code)]

pub mod ask;
pub mod client;
pub mod clock;
pub mod cloud;
pub mod connect;
#[cfg(test)]
mod house;
pub mod lease;
pub mod message;
pub mod metrics;
pub mod settings;
