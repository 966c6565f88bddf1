//! What the tests of `lib/tpm` share that need programs of others.

#![forbid(unsafe_code)]

pub mod broker;
pub mod fake;
pub mod host;
pub mod ours;
pub mod pem;
pub mod raw;
pub mod shared;
