//! What ends a command that signs, or looks at what is signed.

use super::subject::NotAMessage;
use crate::threshold::error;
use crate::threshold::member::NotAgreedOn;
use crate::threshold::own_share::NotOwnShare;
use crate::threshold::session::NotSaid;
use mcbn_ceremony::message::Code;
use mcbn_runtime::exit::{Exit, Failure};
use std::fmt::{self, Display};
use std::io;

#[derive(Debug)]
pub enum Error {
    TakingPart(error::Error),
    Message(NotAMessage),
    Share(NotOwnShare),
    /// The server needs partial signatures.
    NoShare,
    /// The server has the shares itself.
    ShareNotTaken,
    /// The server signs for others than the manifest says, or with another key.
    OtherSigners,
    /// The request is about another message than was given here.
    OtherMessage,
    /// The request is for another purpose than was given here.
    OtherPurpose,
    /// The signature that the server shows is not the group's.
    NotTheGroups,
    /// It is gone before it was signed; these had not approved it.
    Expired(String),
    SignatureUnreadable(io::Error),
    NotASignature,
}

/// One line a kind that stands in it.
macro_rules! made_of {
    ($($kind:ty: $error:ident => $made:expr;)*) => {$(
        impl From<$kind> for Error {
            fn from($error: $kind) -> Self {
                $made
            }
        }
    )*};
}

made_of! {
    error::Error: error => Self::TakingPart(error);
    NotAgreedOn: error => Self::TakingPart(error.into());
    NotSaid: error => Self::TakingPart(error.into());
    NotAMessage: error => Self::Message(error);
    NotOwnShare: error => Self::Share(error);
}

impl Error {
    /// What the server refuses.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::TakingPart(error::Error::Said(NotSaid::Refused(refusal))) => {
                Some(refusal.refused)
            }
            _ => None,
        }
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakingPart(error) => error.fmt(f),
            Self::Message(error) => error.fmt(f),
            Self::Share(error) => error.fmt(f),
            Self::NoShare => f.write_str("--share is missing: this server has no shares"),
            Self::ShareNotTaken => {
                f.write_str("--share is given, and this server has the shares itself")
            }
            Self::OtherSigners => f.write_str(
                "the server signs for others than the manifest says, or with another key",
            ),
            Self::OtherMessage => {
                f.write_str("the request is about another message than the one that is given here")
            }
            Self::OtherPurpose => {
                f.write_str("the request is for another purpose than the one that is given here")
            }
            Self::NotTheGroups => {
                f.write_str("the signature is not the group's under this message")
            }
            Self::Expired(names) => {
                write!(
                    f,
                    "the request is gone, and is not signed: it waited for {names}"
                )
            }
            Self::SignatureUnreadable(_) => f.write_str("cannot read the signature"),
            Self::NotASignature => f.write_str("the file holds no signature: 192 hex digits"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::TakingPart(error) => error.source(),
            Self::Message(error) => error.source(),
            Self::Share(error) => error.source(),
            Self::SignatureUnreadable(error) => Some(error),
            _ => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::TakingPart(error) => error.exit(),
            Self::Message(error) => error.exit(),
            Self::Share(error) => error.exit(),
            Self::NoShare | Self::ShareNotTaken => Exit::Usage,
            Self::OtherSigners
            | Self::OtherMessage
            | Self::OtherPurpose
            | Self::NotTheGroups
            | Self::NotASignature => Exit::Refused,
            Self::Expired(_) => Exit::Unavailable,
            Self::SignatureUnreadable(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        let of_code = match self.code() {
            Some(Code::NotOpen) => {
                Some("it has expired, or the server was started anew: announce it again")
            }
            Some(Code::TooMany) => Some("each that expires makes room for another"),
            Some(Code::Approval) => Some("where the server was just started anew, try again"),
            _ => None,
        };
        match self {
            Self::TakingPart(error) => of_code.map(str::to_owned).or_else(|| error.hint()),
            Self::Message(error) => error.hint(),
            Self::Share(error) => error.hint(),
            Self::OtherMessage | Self::OtherPurpose => Some(
                "nothing was approved; mcbn threshold sign status shows what the request says"
                    .into(),
            ),
            Self::Expired(_) => Some("announce it again".into()),
            _ => None,
        }
    }
}
