//! TLS over OpenSSL as an asynchronous stream, and what every context of this project has in common.
//!
//! It does not know what authenticates a peer: [`TlsStream::handshake`] is given a [`Judge`], which sees the finished
//! handshake and gives the proof that the stream then carries, or no stream. The crates above it are the judges.
//!
//! Invariants, and the threat that each one answers:
//! - No tickets, no resumption, no renegotiation, no compression: each of them is a way around the judge.
//! - A connection that just breaks off does not look like one that ended: anyone on the path can break it.
//! - Memory is bounded for each connection, whatever its peer sends.

#![deny(unsafe_code)]

mod context;
mod error;
mod ffi;
mod judge;
mod stream;
mod wire;

pub use context::context;
pub use error::{HandshakeError, PeerFault, Setup, classify};
pub use judge::Judge;
pub use stream::TlsStream;
