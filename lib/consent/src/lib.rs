//! How a participant's consent reaches a workload: the release of a share, the lease on it, and its end.
//!
//! [`message`] is what both sides say to each other.
#![forbid(unsafe_code)]

pub mod message;
