//! TLS with an external pre-shared key, and nothing else: TLS 1.3 `psk_dhe_ke` by default, TLS 1.2
//! `ECDHE_PSK` when asked for ([RFC 8446 §2.2], [RFC 5489]).
//!
//! [`Acceptor`] and [`Connector`] turn a byte stream into a [`PskStream`]. There is no other way to get one, and
//! each carries the proof that its handshake was authenticated by the key ([`AuthenticatedPeer`]).
//!
//! The key is one for all, or a [`KeySource`] makes one for each session from both randoms. Only TLS 1.2 and DTLS 1.2
//! have both randoms when the key is asked for: a source has constructors of its own, which take no versions.
//!
//! What this crate is not: it has no certificates, no tickets, no early data and no renegotiation, and no resumption unless
//! [`Resumption`] says so. Each of them is a way around the key.
//!
//! Invariants, and the threat that each one answers:
//! - A peer without the key gets no stream, whatever certificate it holds: a server has no certificate to offer,
//!   a client trusts none, and both ask the finished handshake which kind it was.
//! - A stranger cannot learn which identities exist: an unknown identity is answered with a random key, so that
//!   the alert and the work are those of a wrong key.
//! - A source that is slow holds up no connection but those that wait for a key: it has a number of seats, and what has no
//!   seat waits without a thread.
//! - A key that leaks tomorrow opens nothing that was recorded today: every handshake has its own (EC)DHE.
//!
//! [RFC 8446 §2.2]: https://www.rfc-editor.org/rfc/rfc8446#section-2.2
//! [RFC 5489]: https://www.rfc-editor.org/rfc/rfc5489

#![deny(unsafe_code)]

mod answer;
mod asking;
mod client;
mod context;
mod decoy;
mod ffi;
pub mod handshake;
mod identity;
mod key;
#[cfg(feature = "keylog")]
mod keylog;
mod offer;
mod peer;
mod server;
mod sessions;
pub mod settings;
mod source;
mod witness;

pub use answer::{ClientKeys, ServerKeys};
pub use asking::Asking;
pub use client::Connector;
pub use context::Versions;
pub use identity::{Identity, InvalidIdentity};
pub use key::{KeySource, NoKey, Randoms};
pub use mcbn_tls::{HandshakeError, PeerFault, Setup};
pub use peer::{AuthenticatedPeer, Protocol, PskStream};
pub use server::Acceptor;
pub use sessions::Resumption;
pub use source::Source;
pub use witness::Witness;
