//! TLS 1.3 to a pinned key, over OpenSSL: the connector of `lib/pinned` for programs that speak OpenSSL in any case.
//!
//! The invariants are those of [`mcbn_pinned`]. OpenSSL wipes its copy of what was read: shares come this way.
#![forbid(unsafe_code)]

mod connector;
mod error;
mod handshake;

pub use connector::OpenSsl;
