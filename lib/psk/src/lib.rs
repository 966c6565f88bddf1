//! TLS with an external pre-shared key, and nothing else: TLS 1.3 `psk_dhe_ke` by default, TLS 1.2
//! `ECDHE_PSK` when asked for ([RFC 8446 §2.2], [RFC 5489]).
//!
//! [`Acceptor`] and [`Connector`] turn a byte stream into a [`PskStream`]. There is no other way to get one, and
//! each carries the proof that its handshake was authenticated by the key ([`AuthenticatedPeer`]).
//!
//! What this crate is not: it has no certificates, no tickets, no resumption, no early data and no
//! renegotiation. Each of them is a way around the key.
//!
//! Invariants, and the threat that each one answers:
//! - A peer without the key gets no stream, whatever certificate it holds: a server has no certificate to offer,
//!   a client trusts none, and both ask the finished handshake which kind it was.
//! - A stranger cannot learn which identities exist: an unknown identity is answered with a random key, so that
//!   the alert and the work are those of a wrong key.
//! - A key that leaks tomorrow opens nothing that was recorded today: every handshake has its own (EC)DHE.
//!
//! [RFC 8446 §2.2]: https://www.rfc-editor.org/rfc/rfc8446#section-2.2
//! [RFC 5489]: https://www.rfc-editor.org/rfc/rfc5489

#![deny(unsafe_code)]

mod client;
mod context;
mod decoy;
mod ffi;
pub mod handshake;
mod identity;
#[cfg(feature = "keylog")]
mod keylog;
mod offer;
mod peer;
mod server;
pub mod settings;
mod witness;

pub use client::Connector;
pub use context::Versions;
pub use decoy::Decoy;
pub use identity::{Identity, InvalidIdentity};
pub use mcbn_tls::{HandshakeError, PeerFault, Setup};
pub use peer::{AuthenticatedPeer, Protocol, PskStream};
pub use server::Acceptor;
pub use witness::Witness;
