//! Why a keeper said no.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt::{self, Display};
use std::str::FromStr;

/// The answer to everything that is not granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    pub refused: Code,
    /// What was asked for and not found: a token's flaw, or the demands of the policy that it does not meet.
    #[serde(deserialize_with = "few")]
    pub reasons: Vec<Reason>,
}

mcbn_body::codes! {
    /// The request is not one of this protocol.
    Request = "request", 400;
    /// The keeper guards a share for another manifest.
    Manifest = "manifest", 409;
    /// The token is not genuine, not timely, or not for this keeper, connection and challenge.
    Token = "token", 401;
    /// The token is genuine, and what it says does not meet the policy.
    Policy = "policy", 403;
    /// A person must approve first. It is worth asking again.
    Pending = "pending", 403;
    /// A person said no to this instance.
    Denied = "denied", 403;
    /// The participant has withdrawn consent from the whole network, or revoked what this instance had.
    Withdrawn = "withdrawn", 403;
    /// No live lease of this name and instance. A release must be asked for again.
    Lease = "lease", 404;
    /// Too much at one time; `Retry-After` says when to ask again.
    Busy = "busy", 429;
    /// The keeper cannot decide: its ledger or the issuer's keys are out of reach.
    Unavailable = "unavailable", 503;
}

impl Code {
    /// Whether a workload that starts need not ask again.
    pub const fn is_final(self) -> bool {
        match self {
            Code::Request | Code::Manifest | Code::Policy | Code::Denied | Code::Withdrawn => true,
            Code::Token | Code::Pending | Code::Lease | Code::Busy | Code::Unavailable => false,
        }
    }

    /// Whether the participant took back what was given: the share must not be used from now on.
    pub const fn ends_consent(self) -> bool {
        matches!(self, Code::Denied | Code::Withdrawn)
    }
}

/// The name of something that was demanded: 1 to 63 lower-case letters, digits and `-`. It can be shown to a person as
/// it stands, whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Reason(String);

impl Reason {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reason {
    type Err = NotAReason;

    fn from_str(text: &str) -> Result<Reason, NotAReason> {
        let well_formed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        match (1..=63).contains(&text.len()) && text.bytes().all(well_formed) {
            true => Ok(Reason(text.into())),
            false => Err(NotAReason),
        }
    }
}

impl Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Reason, D::Error> {
        let text = <&str>::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAReason;

impl Display for NotAReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reason is 1 to 63 lower-case letters, digits and '-'")
    }
}

impl std::error::Error for NotAReason {}

/// There are not so many demands.
const MOST_REASONS: usize = 64;

fn few<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Reason>, D::Error> {
    let reasons = Vec::deserialize(from)?;
    match reasons.len() <= MOST_REASONS {
        true => Ok(reasons),
        false => Err(D::Error::custom("too many reasons")),
    }
}
