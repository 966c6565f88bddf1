//! TLS 1.3 to a pinned key, over rustls: the connector of `lib/pinned` for programs that speak rustls in any case.
//!
//! The invariants are those of [`mcbn_pinned`]. In two ways it is not as the connector over OpenSSL:
//! - rustls does not wipe its copies of what was read, and has no setting for it. A share that came this way stays in the
//!   program's freed memory until that is used again.
//! - The server's certificate is read by rustls, so it is one of version 3 without critical extensions that rustls does
//!   not know.
#![forbid(unsafe_code)]

mod connector;
mod error;
mod handshake;

pub use connector::Rustls;
