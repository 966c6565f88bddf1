//! Why a token is refused, sorted by who is at fault. No variant carries a part of the token: its sender may be anyone.

use crate::chain::ChainFault;
use crate::fetch::Unfetched;
use crate::json::JsonFault;
use crate::jwks::NotAJwks;
use crate::location::Location;
use std::fmt::{self, Display};

/// A token that was not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Who presents it is at fault: another token is needed.
    Token(TokenFault),
    /// The keys to verify it could not be had, which says nothing of the token: the same one may be taken later.
    Keys(KeysFault),
}

/// What is wrong with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenFault {
    /// More than [`crate::Unverified::MAX_LEN`] bytes.
    TooLong,
    /// Not three parts between two full stops.
    Parts,
    /// A part is not base64url without padding.
    Base64(Part),
    /// A part is not JSON of the allowed form.
    Json(Part, JsonFault),
    /// The header's algorithm is not RS256.
    Algorithm,
    /// The header's type is not JWT.
    Type,
    /// The header has a parameter that it must not have.
    Parameter(&'static str),
    /// The header lacks a parameter, or it has another form than it should.
    NoParameter(&'static str),
    /// The header has another parameter that is not of the form that it has.
    Header,
    /// No key of the issuer has the token's key id.
    UnknownKey,
    /// The certificates do not lead to the pinned root.
    Chain(ChainFault),
    /// Not signed by the key that it names.
    Signature,
    /// A claim that must be there is not. Its path.
    Missing(&'static str),
    /// A claim has another form than it should. Its path.
    Form(&'static str),
    /// Another issuer than the expected one.
    Issuer,
    /// For another audience than this one, or for more than this one.
    Audience,
    /// Other nonces than the expected ones, or in another order or number.
    Nonces,
    /// Its time is over.
    Expired,
    /// Its time has not come, or it was issued in the future.
    NotYetValid,
    /// It ends before it begins, or lives longer than [`crate::Verifier::MAX_LIFETIME`].
    Lifetime,
}

/// A part of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Header,
    Claims,
    Signature,
}

/// Why the issuer's keys are not there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeysFault {
    /// They are being fetched by another call.
    Busy,
    /// They could not be fetched from there.
    Fetch(Location, Unfetched),
    /// The issuer's description of itself is malformed, or another issuer's.
    Discovery,
    /// What it publishes is not a key set.
    Jwks(NotAJwks),
}

impl Refused {
    /// A short fixed word for logs, metrics and answers.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Token(fault) => fault.reason(),
            Self::Keys(fault) => fault.reason(),
        }
    }
}

impl TokenFault {
    /// A short fixed word for logs, metrics and answers.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TooLong | Self::Parts | Self::Base64(_) | Self::Json(..) => "malformed",
            Self::Algorithm => "algorithm",
            Self::Type | Self::Parameter(_) | Self::NoParameter(_) | Self::Header => "header",
            Self::UnknownKey => "unknown-key",
            Self::Chain(_) => "chain",
            Self::Signature => "signature",
            Self::Missing(_) | Self::Form(_) => "claims",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Nonces => "nonces",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::Lifetime => "lifetime",
        }
    }
}

impl KeysFault {
    /// A short fixed word for logs, metrics and answers.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Busy => "keys-busy",
            Self::Fetch(..) | Self::Discovery | Self::Jwks(_) => "keys-unavailable",
        }
    }
}

impl From<TokenFault> for Refused {
    fn from(fault: TokenFault) -> Self {
        Self::Token(fault)
    }
}

impl From<KeysFault> for Refused {
    fn from(fault: KeysFault) -> Self {
        Self::Keys(fault)
    }
}

impl Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(fault) => fault.fmt(f),
            Self::Keys(fault) => fault.fmt(f),
        }
    }
}

impl Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the token is longer than 64 KiB"),
            Self::Parts => f.write_str("the token has not three parts"),
            Self::Base64(part) => write!(f, "the token's {part} is not base64url"),
            Self::Json(part, fault) => write!(f, "the token's {part}: {fault}"),
            Self::Algorithm => f.write_str("the token's algorithm is not RS256"),
            Self::Type => f.write_str("the token's type is not JWT"),
            Self::Parameter(name) => {
                write!(f, "the token's header has {name}, which is not allowed")
            }
            Self::NoParameter(name) => write!(f, "the token's header has no well-formed {name}"),
            Self::Header => f.write_str("the token's header is not of the form that it has"),
            Self::UnknownKey => f.write_str("the issuer has no key of the token's key id"),
            Self::Chain(fault) => write!(f, "the token's certificates: {fault}"),
            Self::Signature => f.write_str("the token's signature is wrong"),
            Self::Missing(claim) => write!(f, "the token has no {claim}"),
            Self::Form(claim) => write!(f, "the token's {claim} is not of the form that it has"),
            Self::Issuer => f.write_str("the token is of another issuer"),
            Self::Audience => f.write_str("the token is for another audience"),
            Self::Nonces => f.write_str("the token has other nonces than were asked for"),
            Self::Expired => f.write_str("the token has expired"),
            Self::NotYetValid => f.write_str("the token is not valid yet"),
            Self::Lifetime => f.write_str("the token lives longer than two hours"),
        }
    }
}

impl Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Claims => "claims",
            Self::Signature => "signature",
        })
    }
}

impl Display for KeysFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the issuer's keys are being fetched"),
            Self::Fetch(location, why) => write!(f, "could not fetch {location}: {why}"),
            Self::Discovery => f.write_str("the issuer does not describe itself as it should"),
            Self::Jwks(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for Refused {}
impl std::error::Error for TokenFault {}
impl std::error::Error for KeysFault {}
