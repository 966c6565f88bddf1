//! Both sides of the handshake, for whatever serves or uses encrypted connections.

use std::time::Instant;

use mcbn_tunnel::handshake::Handshake;
use tokio::net::TcpStream;

use crate::{Acceptor, Connector, HandshakeError, MtlsStream};

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
