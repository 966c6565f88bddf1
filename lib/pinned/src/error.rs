//! Why there is no stream, by who is at fault, whichever TLS stack says it.

use std::error::Error;
use std::fmt;
use std::io;

use crate::peer::Unproven;

/// A connection that did not come to be.
#[derive(Debug)]
pub enum NoStream {
    /// Whoever answers has another key than the pinned one.
    WrongKey,
    /// Whoever answers does not do their part of the handshake.
    Peer(PeerFault),
    /// The network broke.
    Io(io::Error),
    /// This side could not do its part.
    Local(Setup),
}

/// What the server did wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PeerFault {
    /// It closed the connection before the handshake was over.
    Closed,
    /// It sent something that is not TLS.
    NotTls,
    /// It speaks no TLS 1.3.
    Version,
    /// It has no cipher suite, group or signature scheme that is allowed here.
    NothingShared,
    /// It sent this fatal alert ([RFC 8446 §6]).
    ///
    /// [RFC 8446 §6]: https://www.rfc-editor.org/rfc/rfc8446#section-6
    Alert(u8),
    /// It broke the protocol in another way, or has not signed with the key that it showed.
    Protocol,
}

/// The TLS stack could not be set up, or failed. Says what the stack says.
#[derive(Debug)]
pub struct Setup(Box<dyn Error + Send + Sync>);

impl NoStream {
    /// A short fixed word for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::WrongKey => "wrong_key",
            Self::Peer(fault) => fault.reason(),
            Self::Io(_) => "io",
            Self::Local(_) => "local",
        }
    }
}

impl PeerFault {
    fn reason(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::NotTls => "not_tls",
            Self::Version => "version",
            Self::NothingShared => "nothing_shared",
            Self::Alert(_) => "alert",
            Self::Protocol => "protocol",
        }
    }
}

impl Setup {
    /// For `map_err`.
    pub fn because(source: impl Error + Send + Sync + 'static) -> Self {
        Self(Box::new(source))
    }
}

impl From<Unproven> for NoStream {
    fn from(unproven: Unproven) -> Self {
        match unproven {
            Unproven::Version => Self::Peer(PeerFault::Version),
            Unproven::Key => Self::WrongKey,
            Unproven::Exporter => Self::Peer(PeerFault::Protocol),
        }
    }
}

impl fmt::Display for NoStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongKey => f.write_str("the server has another key than the pinned one"),
            Self::Peer(fault) => fault.fmt(f),
            Self::Io(source) => write!(f, "the connection broke during the handshake: {source}"),
            Self::Local(setup) => setup.fmt(f),
        }
    }
}

impl fmt::Display for PeerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the server closed the connection during the handshake",
            Self::NotTls => "the server does not speak TLS",
            Self::Version => "the server speaks no TLS 1.3",
            Self::NothingShared => {
                "the server has no cipher suite, group or signature scheme allowed here"
            }
            Self::Alert(number) => return write!(f, "the server refused with alert {number}"),
            Self::Protocol => "the server broke the protocol",
        })
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for NoStream {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::WrongKey | Self::Peer(_) => None,
            Self::Io(source) => Some(source),
            Self::Local(setup) => setup.source(),
        }
    }
}

impl Error for Setup {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
