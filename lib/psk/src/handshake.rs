//! Both sides of the handshake, for whatever serves or uses encrypted connections.

use std::fmt;
use std::time::Instant;

use mcbn_tls::{HandshakeError, PeerFault};
use mcbn_tunnel::handshake::{Fault, Handshake, HandshakeFailure};
use tokio::net::TcpStream;

use crate::{Acceptor, Connector, PskStream};

impl Handshake for Acceptor {
    type Stream = PskStream<TcpStream>;
    type Error = NoStream;

    async fn handshake(&self, plain: TcpStream, _until: Instant) -> Result<Self::Stream, NoStream> {
        self.accept(plain).await.map_err(NoStream)
    }
}

impl Handshake for Connector {
    type Stream = PskStream<TcpStream>;
    type Error = NoStream;

    async fn handshake(&self, plain: TcpStream, _until: Instant) -> Result<Self::Stream, NoStream> {
        self.connect(plain).await.map_err(NoStream)
    }
}

/// There is no [`PskStream`].
#[derive(Debug)]
pub struct NoStream(pub HandshakeError);

/// What servers answer to another key: bad_record_mac, illegal_parameter, decrypt_error.
const ANOTHER_KEY: [u8; 3] = [20, 47, 51];

impl HandshakeFailure for NoStream {
    fn reason(&self) -> &'static str {
        self.0.reason()
    }

    fn fault(&self) -> Fault {
        match &self.0 {
            HandshakeError::Peer(PeerFault::Closed) | HandshakeError::Io(_) => Fault::Network,
            HandshakeError::Peer(_) => Fault::Peer,
            HandshakeError::Local(_) | HandshakeError::NoKey(_) => Fault::Local,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        let about_the_key = match &self.0 {
            HandshakeError::Peer(PeerFault::WrongKey) => true,
            HandshakeError::Peer(PeerFault::Alert(alert)) => ANOTHER_KEY.contains(alert),
            _ => false,
        };
        about_the_key
            .then_some("both ends need the same shares, derivation, manifest digest and identity")
    }
}

impl fmt::Display for NoStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for NoStream {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
