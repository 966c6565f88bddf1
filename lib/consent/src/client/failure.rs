//! Why a question gave nothing, by who is at fault.

use crate::cloud::NotFetched;
use crate::connect::NoChannel;
use crate::message::{Code, NotAMessage, Reason, Refusal};
use mcbn_share::Refused;
use std::error::Error;
use std::fmt::{self, Display};
use std::time::Duration;

#[derive(Debug)]
pub enum Failure {
    /// The keeper is out of reach, or somebody else answers in its place.
    Channel(NoChannel),
    /// The platform gave no token.
    Token(mcbn_launcher::Error),
    /// The keeper said no.
    Refused {
        refusal: Refusal,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The keeper broke off, or does not speak HTTP.
    Broken(hyper::Error),
    /// The keeper answered something else than it should.
    Malformed(NotAMessage),
    /// The participant's share in Google Cloud could not be read.
    Cloud(NotFetched),
    /// What stands there in place of the participant's share is none.
    Share(Refused),
    /// It is another share than before.
    OtherShare,
    /// It took too long.
    Slow,
}

impl Failure {
    /// A short fixed word for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Failure::Channel(error) => error.reason,
            Failure::Token(error) => error.reason(),
            Failure::Refused { refusal, .. } => refusal.refused.as_str(),
            Failure::Broken(_) => "broken",
            Failure::Malformed(_) => "malformed",
            Failure::Cloud(error) => error.reason,
            Failure::Share(_) => "bad_share",
            Failure::OtherShare => "other_share",
            Failure::Slow => "slow",
        }
    }

    /// What the keeper said, if it said no.
    pub fn code(&self) -> Option<Code> {
        match self {
            Failure::Refused { refusal, .. } => Some(refusal.refused),
            _ => None,
        }
    }

    /// Whether the participant, and not a circumstance, stands against it.
    pub fn is_refusal(&self) -> bool {
        match self {
            Failure::Refused { refusal, .. } => match refusal.refused {
                Code::Pending | Code::Lease | Code::Busy | Code::Unavailable => false,
                Code::Request
                | Code::Manifest
                | Code::Token
                | Code::Policy
                | Code::Denied
                | Code::Withdrawn => true,
            },
            other => other.is_final(),
        }
    }

    /// Whether asking again soon would change nothing.
    pub fn is_final(&self) -> bool {
        match self {
            Failure::Refused { refusal, .. } => refusal.refused.is_final(),
            Failure::Cloud(error) => error.is_final,
            Failure::Share(_) | Failure::OtherShare => true,
            Failure::Channel(_)
            | Failure::Token(_)
            | Failure::Broken(_)
            | Failure::Malformed(_)
            | Failure::Slow => false,
        }
    }

    /// Whether what was given before is taken back: the share must not be used from now on.
    ///
    /// A keeper says so itself. In Google Cloud, whatever is final is something that the participant has changed.
    pub fn ends_consent(&self) -> bool {
        match self {
            Failure::Refused { refusal, .. } => refusal.refused.ends_consent(),
            other => other.is_final(),
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Channel(error) => error.fmt(f),
            Failure::Token(error) => error.fmt(f),
            Failure::Refused { refusal, .. } => write_refusal(refusal, f),
            // The source tells the rest.
            Failure::Broken(_) => f.write_str("the keeper broke off"),
            Failure::Malformed(error) => write!(f, "the keeper answered with {error}"),
            Failure::Cloud(error) => error.fmt(f),
            Failure::Share(refused) => refused.fmt(f),
            Failure::OtherShare => f.write_str("it is another share than before"),
            Failure::Slow => f.write_str("the answer, or the token for it, took too long"),
        }
    }
}

fn write_refusal(refusal: &Refusal, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(match refusal.refused {
        Code::Request => "the keeper does not take the request",
        Code::Manifest => "the keeper guards a share for another manifest",
        Code::Token => "the keeper does not accept the token",
        Code::Policy => "the policy is not met",
        Code::Pending => "a person must approve first",
        Code::Denied => "a person has said no",
        Code::Withdrawn => "consent was withdrawn",
        Code::Lease => "the keeper does not know the lease",
        Code::Busy => "the keeper is busy",
        Code::Unavailable => "the keeper cannot decide now",
    })?;
    let reasons: Vec<&str> = refusal.reasons.iter().map(Reason::as_str).collect();
    match reasons.is_empty() {
        true => Ok(()),
        false => write!(f, " ({})", reasons.join(", ")),
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Failure::Channel(error) => error.source(),
            Failure::Token(error) => error.source(),
            Failure::Broken(error) => Some(error),
            Failure::Cloud(error) => error.source(),
            Failure::Refused { .. }
            | Failure::Malformed(_)
            | Failure::Share(_)
            | Failure::OtherShare
            | Failure::Slow => None,
        }
    }
}
