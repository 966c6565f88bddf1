//! What turns a plain connection into an encrypted one. This crate knows no encryption: those that do say here how.

use std::error::Error;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// One side of a handshake with a peer that has to show that it has the key.
pub trait Handshake: Send + Sync + 'static {
    /// A connection to a peer that has shown it. A break is an error there, and never looks like an end.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    type Error: HandshakeFailure;

    /// Ends when the peer lets it end: the caller sets the deadline, and says here that it stops waiting at `until`.
    fn handshake(
        &self,
        plain: TcpStream,
        until: Instant,
    ) -> impl Future<Output = Result<Self::Stream, Self::Error>> + Send;
}

/// Why there is no encrypted connection.
pub trait HandshakeFailure: Error + Send + 'static {
    /// A short fixed word for logs and metrics.
    fn reason(&self) -> &'static str;

    fn fault(&self) -> Fault;

    /// What to do next, in lower case and without a full stop.
    fn hint(&self) -> Option<&'static str> {
        None
    }
}

/// Whose fault a failed handshake is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nobody's that matters: a peer that is just being started or stopped closes connections too. It may pass.
    Network,
    /// The peer's: it does not speak the protocol, has another key, or refused this side.
    Peer,
    /// This machine's.
    Local,
}
