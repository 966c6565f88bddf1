//! How a participant's consent reaches a workload: the release of a share, the lease on it, and its end.
//!
//! [`message`] is what both sides say to each other; all else is the workload's side. [`client`] is one exchange with
//! one keeper, over whatever [`connect`] gives.
#![forbid(unsafe_code)]

pub mod client;
pub mod clock;
pub mod connect;
pub mod message;
