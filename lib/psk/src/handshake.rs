//! Both sides of the handshake, for whatever serves or uses encrypted connections.

use std::fmt;
use std::time::Instant;

use mcbn_tls::{HandshakeError, PeerFault};
use mcbn_tunnel::handshake::{Fault, Handshake, HandshakeFailure};
use tokio::net::TcpStream;

use crate::context::Keys;
use crate::{Acceptor, Connector, PskStream, Source};

impl Handshake for Acceptor {
    type Stream = PskStream<TcpStream>;
    type Error = NoStream;

    async fn handshake(&self, plain: TcpStream, until: Instant) -> Result<Self::Stream, NoStream> {
        // On the heap: it is needed for a short time only, and its space would stay in each connection.
        let accepted = Box::pin(self.accept_by(plain, Some(until))).await;
        accepted.map_err(|error| NoStream::of(error, &self.source, self.keys))
    }
}

impl Handshake for Connector {
    type Stream = PskStream<TcpStream>;
    type Error = NoStream;

    async fn handshake(&self, plain: TcpStream, until: Instant) -> Result<Self::Stream, NoStream> {
        let connected = self.connect_by(plain, Some(until)).await;
        connected.map_err(|error| NoStream::of(error, &self.source, self.keys))
    }
}

/// There is no [`PskStream`].
#[derive(Debug)]
pub struct NoStream {
    error: HandshakeError,
    hint: Option<&'static str>,
}

/// What servers answer to another key or identity: bad_record_mac, illegal_parameter, decrypt_error, and where they tell,
/// unknown_psk_identity.
const ANOTHER_KEY: [u8; 4] = [20, 47, 51, 115];

/// The alert `protocol_version`.
const ANOTHER_VERSION: u8 = 70;

const NOT_TLS13: &str =
    "both ends need TLS 1.2: in TLS 1.3 the randoms are there too late for a key of the session";

impl NoStream {
    fn of(error: HandshakeError, source: &Source, keys: Keys) -> Self {
        let hint = match &error {
            HandshakeError::Peer(PeerFault::WrongKey) => Some(source.advice()),
            HandshakeError::Peer(PeerFault::Alert(alert)) if ANOTHER_KEY.contains(alert) => {
                Some(source.advice())
            }
            HandshakeError::Peer(PeerFault::Version | PeerFault::Alert(ANOTHER_VERSION))
                if keys == Keys::OfSessions =>
            {
                Some(NOT_TLS13)
            }
            _ => None,
        };
        Self { error, hint }
    }

    pub fn error(&self) -> &HandshakeError {
        &self.error
    }
}

impl HandshakeFailure for NoStream {
    fn reason(&self) -> &'static str {
        self.error.reason()
    }

    fn fault(&self) -> Fault {
        match &self.error {
            HandshakeError::Peer(PeerFault::Closed) | HandshakeError::Io(_) => Fault::Network,
            HandshakeError::Peer(_) => Fault::Peer,
            HandshakeError::Local(_) | HandshakeError::NoKey(_) => Fault::Local,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        self.hint
    }
}

impl fmt::Display for NoStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for NoStream {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}
