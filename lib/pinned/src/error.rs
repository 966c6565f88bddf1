//! Why there is no stream.

use std::error::Error;
use std::fmt;

use mcbn_tls::{HandshakeError, PeerFault, Setup};

/// A connection that did not come to be.
#[derive(Debug)]
pub enum NoStream {
    /// Whoever answers has another key than the pinned one.
    WrongKey,
    /// The handshake failed for another reason.
    Handshake(HandshakeError),
}

impl NoStream {
    /// A short fixed word for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::WrongKey => "wrong_key",
            Self::Handshake(error) => error.reason(),
        }
    }
}

impl From<HandshakeError> for NoStream {
    fn from(error: HandshakeError) -> Self {
        match error {
            HandshakeError::Peer(PeerFault::Certificate) => Self::WrongKey,
            other => Self::Handshake(other),
        }
    }
}

impl From<Setup> for NoStream {
    fn from(setup: Setup) -> Self {
        Self::Handshake(HandshakeError::Local(setup))
    }
}

impl fmt::Display for NoStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongKey => f.write_str("the server has another key than the pinned one"),
            Self::Handshake(error) => error.fmt(f),
        }
    }
}

impl Error for NoStream {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::WrongKey => None,
            Self::Handshake(error) => error.source(),
        }
    }
}
