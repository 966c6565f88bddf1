//! Mutual TLS 1.3 in which both ends hold one RSA key: a peer is accepted when the public key of its certificate is ours.
//!
//! Whoever issued a certificate plays no part in that: the issuer is an outside CA, one that is made for this run, or the
//! key itself. A certificate is still held to its times and its usages; chain and name are checked beside it where the
//! settings ask for that ([`Checks`]).
//!
//! [`Acceptor`] and [`Connector`] turn a byte stream into an [`MtlsStream`]. There is no other way to get one, and each
//! carries the proof that its peer showed the key ([`AuthenticatedPeer`]).
//!
//! What this crate is not: it has no TLS 1.2, no resumption, no tickets, no early data and no peer without a certificate.
//! Each of them is a way around the comparison.
//!
//! Invariants, and the threat that each one answers:
//! - The keys are compared inside the handshake, in constant time, on both ends, so a wrong peer gets not one byte of data;
//!   and again afterwards, so that a handshake which never came to the comparison gives no stream.
//! - The peer has signed this handshake with that key: rustls' own check, never replaced and never skipped. A certificate
//!   that was copied opens nothing.
//! - A connection that just breaks off does not look like one that ended: anyone on the path can break it.
//! - The private key is in OpenSSL's memory, which is wiped when the last holder is dropped; rustls and rcgen never see it.

#![forbid(unsafe_code)]

mod certificate;
mod client;
mod error;
mod handshake;
mod issuer;
mod key;
mod peer;
mod server;
pub mod settings;

pub use certificate::{Credentials, Subject, request};
pub use client::Connector;
pub use error::Setup;
pub use issuer::{Issuer, NotAnIssuer};
pub use key::{Key, Witness};
pub use mcbn_mutual::{HandshakeError, PeerFault};
pub use peer::{AuthenticatedPeer, Checks};
pub use server::Acceptor;

/// A connection to a peer that has shown our key.
pub type MtlsStream<S> = mcbn_mutual::MtlsStream<S, AuthenticatedPeer>;
