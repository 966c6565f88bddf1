//! What a workload and a participant's keeper say to each other: HTTP/1.1 over TLS 1.3, bodies in JSON.
//!
//! | request | asks with | is answered with |
//! |---|---|---|
//! | `POST /v1/challenge` | [`AskChallenge`] | [`Challenged`] |
//! | `POST /v1/release` | [`AskRelease`] | [`Released`] |
//! | `POST /v1/renew` | [`AskRenewal`] | [`Renewed`] |
//!
//! Whatever else happens is a [`Refusal`], under the HTTP status of its [`Code`]. A challenge is worth something on the
//! connection that it was given on, once, for [`CHALLENGE_LIFE`]. What a token must say is made by [`audience`] and
//! [`nonces`].
//!
//! A body is read whole or refused: no unknown field, no field twice, nothing after its end, at most [`LARGEST_BODY`].
//! Nothing of the other side is taken as a text that could later be shown as it stands.

mod bytes;
mod proof;
mod refusal;
mod released;

pub use bytes::Lease;
pub use mcbn_binding::{Challenge, EXPORTER_LABEL, Exporter, NotBytes, nonces};
pub use proof::audience;
pub use refusal::{Code, NotAReason, Reason, Refusal};
pub use released::Released;

use mcbn_share::ManifestDigest;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display};
use std::num::NonZeroU32;
use std::time::Duration;

/// Where the messages go.
pub mod path {
    pub const CHALLENGE: &str = "/v1/challenge";
    pub const RELEASE: &str = "/v1/release";
    pub const RENEW: &str = "/v1/renew";
}

/// Bytes of the largest body that either side reads.
pub const LARGEST_BODY: usize = 64 * 1024;

/// How long a challenge waits for its token.
pub const CHALLENGE_LIFE: Duration = Duration::from_secs(60);

/// The first message of a connection: says whose consent is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskChallenge {
    #[serde(with = "bytes::hex")]
    pub manifest: ManifestDigest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenged {
    #[serde(with = "bytes::text")]
    pub challenge: Challenge,
}

/// A token's characters need no escape in JSON, so they are borrowed from the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskRelease<'a> {
    pub token: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskRenewal<'a> {
    pub token: &'a str,
    pub lease: Lease,
}

/// From the moment at which the workload asked, the lease runs for so many seconds more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renewed {
    pub seconds: NonZeroU32,
}

/// Reads a body.
///
/// [`Released`] holds a share and has a reader of its own.
///
/// # Errors
///
/// [`NotAMessage`], which repeats nothing of the body.
pub fn read<'a, M: Deserialize<'a>>(body: &'a [u8]) -> Result<M, NotAMessage> {
    // serde would take an array for a structure, too.
    let object = body.trim_ascii_start().starts_with(b"{");
    match object && body.len() <= LARGEST_BODY {
        true => serde_json::from_slice(body).map_err(|_| NotAMessage),
        false => Err(NotAMessage),
    }
}

/// Writes a body.
pub fn write<M: Serialize>(message: &M) -> Vec<u8> {
    serde_json::to_vec(message).expect("a message's fields are texts and numbers")
}

/// The body is not the message that should stand there. The peer is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAMessage;

impl Display for NotAMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a body that is not the message expected")
    }
}

impl std::error::Error for NotAMessage {}

#[cfg(test)]
mod tests;
