//! HTTP/1.1 over mutual TLS 1.3 between a participant and a program in an attested machine, in which a token vouches
//! for every answer.
//!
//! [`server`] is the machine's end: it lets in the participants whose keys it was told, and puts a token beside
//! whatever its handlers answer. [`client`] is the participant's end: it gives an answer out when its token was
//! verified, and never before. Neither knows what is asked and answered.
//!
//! | header | of | is |
//! |---|---|---|
//! | [`CHALLENGE`] | every request, once | 32 random bytes in unpadded base64url |
//! | [`TOKEN`] | every answer to such a request | a token for the client's key, with the nonces of [`mcbn_binding::answer_nonces`] |
//!
//! The two ends know each other in different ways. The server knows a client by its key alone; names, dates and
//! issuers in certificates do not matter. The client knows nothing of the server's key, which is made at each start:
//! it takes any key, and then demands that a machine of the manifest vouches for the connection.
//!
//! Invariants, and the threat that each one answers:
//! - A client's key is compared inside the handshake, so a stranger gets not one byte of an answer; and again
//!   afterwards, so that a handshake which never came to the comparison has no [`server::Caller`].
//! - Both ends have signed the handshake with the key that they show: rustls' own check, never replaced and never
//!   skipped. A certificate that was copied opens nothing.
//! - Where the platform gives no token, the answer is a 503 and holds nothing that a handler said.
//! - A token is for one client, one challenge, one connection, one manifest and one answer. Whoever relays it, repeats
//!   it or changes a byte of the answer gives the client nothing.
//! - There is no resumption, no early data and no TLS 1.2: every connection shows its keys anew and has an exporter of
//!   its own.
//! - Status and headers stand in no nonce. They are as good as the connection, which the token names.
//!
//! What a client sends is sent before any token: a first request must hold nothing that a stranger may not see. After
//! one [`client::AttestedAnswer`] the same connection leads to the same machine.
#![forbid(unsafe_code)]

pub mod client;
mod identity;
pub mod server;

pub use identity::{Identity, NoIdentity};
pub use mcbn_binding::Purpose;

use hyper::header::HeaderName;

/// What a request carries.
pub const CHALLENGE: HeaderName = HeaderName::from_static("mcbn-challenge");

/// What an answer carries.
pub const TOKEN: HeaderName = HeaderName::from_static("mcbn-token");

/// Bytes of the largest body that either end reads.
pub const LARGEST_BODY: usize = 256 * 1024;
