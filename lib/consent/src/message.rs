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
//! [`Released`] holds a share and has a reader of its own. Nothing of the other side is taken as a text that could later be
//! shown as it stands.

mod bytes;
mod proof;
mod refusal;
mod released;

pub use bytes::Lease;
pub use mcbn_binding::{Challenge, EXPORTER_LABEL, Exporter, nonces};
pub use mcbn_body::{LARGEST as LARGEST_BODY, NotAMessage, NotBytes, read, write};
pub use proof::audience;
pub use refusal::{Code, NotAReason, Reason, Refusal};
pub use released::Released;

use mcbn_share::ManifestDigest;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use std::time::Duration;

/// Where the messages go.
pub mod path {
    pub const CHALLENGE: &str = "/v1/challenge";
    pub const RELEASE: &str = "/v1/release";
    pub const RENEW: &str = "/v1/renew";
}

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

#[cfg(test)]
mod tests;
