//! TLS 1.3 over rustls, as far as all of its ends in this project are alike. Its sibling over OpenSSL is `lib/tls`.
//!
//! It does not know who may be at the other end: a [`Judge`] says so inside the handshake, and the crates above it are
//! the judges.
//!
//! Invariants, and the threat that each one answers:
//! - A peer has signed the handshake with the key in its certificate: rustls' own check, which [`Verifier`] never replaces
//!   and never skips. A certificate that was copied opens nothing.
//! - A [`Client`] resumes nothing, sends no early data and offers no TLS 1.2: every connection shows its keys anew.
//! - TLS 1.2 is not spoken. [`Verifier::with_tls12`] is for the one crate above that has peers with nothing newer, and
//!   asks for that in its configuration too.
//! - The provider is named wherever it is used: rustls' process-wide default is whatever some crate turned on.
#![forbid(unsafe_code)]

mod client;
mod failed;
mod finished;
mod verifier;

pub use client::{Client, Shows};
pub use failed::Failed;
pub use finished::{exporter, is_full, public_key};
pub use verifier::{End, Judge, Shown, Verifier};

use rustls::crypto::{CryptoProvider, ring};
use std::sync::Arc;

/// The one protocol that is spoken on a connection that carries requests.
pub const HTTP_1_1: &[u8] = b"http/1.1";

/// The cryptography of every end.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
