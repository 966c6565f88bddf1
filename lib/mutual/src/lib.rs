//! What every end of mutual TLS over rustls has, whoever may be at the other end: the stream, and why there is none.
//!
//! The crates above it do the handshake and say who the peer is: `lib/mtls`, whose ends hold one key, and `lib/kms`, whose
//! key is elsewhere.
//!
//! Invariants, and the threat that each one answers:
//! - A connection that just breaks off does not look like one that ended: anyone on the path can break it.
//! - A peer that refuses us after our side of the handshake is told from a break: whoever runs this end looks for the
//!   fault in the right place.
#![forbid(unsafe_code)]

mod error;
mod refused;
mod stream;

pub use error::{HandshakeError, OtherKey, PeerFault, Unsigned};
pub use refused::{no_chain, refused};
pub use stream::MtlsStream;
