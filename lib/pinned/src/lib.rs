//! TLS 1.3 to a server that is known by its public key, and by nothing else.
//!
//! The key's pin, the SHA-256 of its SubjectPublicKeyInfo, is what the consent manifest says of a keeper. Names, dates
//! and issuers in the server's certificate do not matter: whoever could forge them could not use the key.
//!
//! A [`Connector`] gives a [`PinnedStream`], which carries the proof of the comparison and the exporter that binds an
//! attestation token to this one connection ([RFC 9266]). [`Keepers`] reaches the keepers of a manifest in this way, and
//! [`gather`] and [`gather_revealed`] ask them for their shares.
//!
//! What this crate is not: it links no TLS stack. Programs name the connector of the stack that they have anyway,
//! `lib/pinned-openssl` or `lib/pinned-rustls`, and have one.
//!
//! Invariants of every connector, and the threat that each one answers:
//! - The key is compared inside the handshake, so a wrong server gets not one byte of data; and again afterwards, so
//!   that a handshake which never came to the comparison gives no stream.
//! - The server has signed this handshake with that key: TLS itself checks it, whatever the comparison says.
//! - There is no resumption, no early data and no pre-shared key: every connection shows the key anew.
//!
//! [RFC 9266]: https://www.rfc-editor.org/rfc/rfc9266
#![forbid(unsafe_code)]

mod connector;
mod error;
mod gather;
mod keepers;
mod peer;

pub use connector::{Connector, HTTP_1_1, PinnedStream, Plain};
pub use error::{NoStream, PeerFault, Setup};
pub use gather::{NoKey, gather, gather_revealed};
pub use keepers::{Keepers, NoKeepers};
pub use peer::{Finished, PinnedPeer, Unproven};
