//! Pushes images to a registry: by digest, their bills of materials as referrers, tags last.
//!
//! Its own crate, so that what makes images holds no network code. Only images that equal their
//! line in digests.lock are pushed.
//!
//! [OCI distribution spec 1.1](https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md)

#![forbid(unsafe_code)]

pub mod client;
pub mod credentials;
pub mod destination;
pub mod error;
pub mod push;
