//! Mutual TLS whose private key never leaves Google Cloud KMS: each full handshake is signed there, by AsymmetricSign.
//!
//! Both ends show a certificate of an outside CA. [`Acceptor`] and [`Connector`] turn a byte stream into an [`MtlsStream`],
//! which carries the proof of who the peer is ([`AuthenticatedPeer`]).
//!
//! It needs tokio's runtime of several threads: rustls can wait for a signature only on the thread that it runs on.
//!
//! What this crate is not: it makes no certificates, and it does not hide from Google that a handshake takes place. Whoever
//! may call AsymmetricSign for the key can be this end: that is what Cloud KMS's permissions and logs are for.
//!
//! Invariants, and the threat that each one answers:
//! - What comes back from Cloud KMS is sent to a peer only where it is a signature, of this very message, by the key in our
//!   certificate: a corrupt or a foreign one is our own error, by name.
//! - A scheme is offered only where the key's one algorithm is that scheme: Cloud KMS would refuse, in the midst of a
//!   handshake, what we had promised to a peer.
//! - A slow or absent Cloud KMS holds up no connection that is open, and none that needs no signature of its own step: what
//!   waits for a seat waits without a thread, and what has one may block a thread of the runtime only by telling it so.
//! - A session is resumed no longer than the lifetime after the handshake that was signed for it, however often it was
//!   resumed since, and not past the end of the peer's certificate, which is judged anew each time. It is in memory only,
//!   each ticket opens one connection, and every connection has a key exchange of its own. No early data.
//! - There is no peer without a certificate, and a server has a CA that its clients come from, or does not start.

#![forbid(unsafe_code)]

mod certificate;
mod client;
mod credentials;
mod error;
mod key;
mod metrics;
mod peer;
mod server;
mod sessions;
pub mod settings;
mod signer;
mod turn;

pub use certificate::Chain;
pub use client::Connector;
pub use credentials::{Credentials, Limits, NotAVersion, Version};
pub use error::{NotACertificate, Setup, Unfit};
pub use key::{Key, KmsKey, Signs};
pub use mcbn_mutual::{HandshakeError, PeerFault};
pub use mcbn_tls13::End;
pub use metrics::Metrics;
pub use peer::{AuthenticatedPeer, Peers};
pub use server::Acceptor;

/// A connection to a peer that has shown who it is.
pub type MtlsStream<S> = mcbn_mutual::MtlsStream<S, AuthenticatedPeer>;
