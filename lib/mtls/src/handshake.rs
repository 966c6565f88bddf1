//! Both sides of the handshake, for whatever serves or uses encrypted connections.

use std::time::Instant;

use mcbn_tunnel::handshake::{Fault, Handshake, HandshakeFailure};
use tokio::net::TcpStream;

use crate::{Acceptor, Connector, HandshakeError, MtlsStream, PeerFault};

impl Handshake for Acceptor {
    type Stream = MtlsStream<TcpStream>;
    type Error = HandshakeError;

    async fn handshake(
        &self,
        plain: TcpStream,
        _until: Instant,
    ) -> Result<Self::Stream, HandshakeError> {
        // On the heap: it is needed for a short time only, and its space would stay in each connection.
        Box::pin(self.accept(plain)).await
    }
}

impl Handshake for Connector {
    type Stream = MtlsStream<TcpStream>;
    type Error = HandshakeError;

    async fn handshake(
        &self,
        plain: TcpStream,
        _until: Instant,
    ) -> Result<Self::Stream, HandshakeError> {
        self.connect(plain).await
    }
}

impl HandshakeFailure for HandshakeError {
    fn reason(&self) -> &'static str {
        self.reason()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Peer(PeerFault::Closed) | Self::Io(_) => Fault::Network,
            Self::Peer(_) => Fault::Peer,
            Self::Local(_) => Fault::Local,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Peer(PeerFault::OtherKey) => Some(
                "both ends need the same shares, derivation, manifest digest, algorithm and bits",
            ),
            _ => None,
        }
    }
}
