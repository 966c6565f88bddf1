//! What ends a client, by who is at fault.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use hyper::StatusCode;
use mcbn_consent::lease::Lost;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_tunnel::dial::{Cause, Unreachable};
use mcbn_tunnel::handshake::{Fault, HandshakeFailure};

use super::NoHandshake;

#[derive(Debug)]
pub enum Error<E> {
    /// The port cannot be opened.
    Listen(SocketAddr, io::Error),
    /// No server can be reached, or none shows that it knows the key.
    Unreachable(Unreachable<NoHandshake<E>>),
    /// The server breaks off or does not speak HTTP.
    Http(hyper::Error),
    /// The server's answer is another than success.
    Status(StatusCode),
    /// The connection broke.
    Broken(io::Error),
    /// Nothing moved for too long.
    Idle,
    /// Standard input or output broke.
    Stdio(io::Error),
    /// There was a key, and too few participants agree to its use now.
    ConsentLost(Lost),
    /// A signal, and then the end of the drain, came first.
    Cut,
}

impl<E> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(address, _) => write!(f, "cannot listen on {address}"),
            Self::Unreachable(_) => f.write_str("cannot connect"),
            Self::Http(_) => f.write_str("the server did not give a whole HTTP answer"),
            Self::Status(status) => write!(f, "the server answered {status}"),
            Self::Broken(_) => f.write_str("the connection broke"),
            Self::Idle => f.write_str("nothing moved on the connection for too long"),
            Self::Stdio(_) => f.write_str("standard input or output broke"),
            Self::ConsentLost(lost) => lost.fmt(f),
            Self::Cut => f.write_str("ended by a signal before the work was done"),
        }
    }
}

impl<E: HandshakeFailure> std::error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen(_, source) | Self::Broken(source) | Self::Stdio(source) => Some(source),
            Self::Unreachable(source) => Some(source),
            Self::Http(source) => Some(source),
            Self::ConsentLost(lost) => lost.source(),
            Self::Status(_) | Self::Idle | Self::Cut => None,
        }
    }
}

impl<E: HandshakeFailure> Failure for Error<E> {
    fn exit(&self) -> Exit {
        match self {
            Self::Listen(_, source) => source.exit(),
            Self::ConsentLost(lost) => lost.exit(),
            Self::Unreachable(unreachable) => unreachable_exit(unreachable),
            Self::Idle => Exit::Unavailable,
            Self::Status(status) if status.is_server_error() => Exit::Unavailable,
            Self::Status(_) => Exit::Refused,
            Self::Http(error) if is_refusal(error) => Exit::Refused,
            Self::Broken(error) if is_refusal(error) => Exit::Refused,
            Self::Http(_) | Self::Broken(_) | Self::Stdio(_) | Self::Cut => Exit::Io,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::ConsentLost(lost) => lost.hint(),
            Self::Unreachable(unreachable) => {
                let mut hints = handshakes(unreachable).filter_map(HandshakeFailure::hint);
                hints.next().map(Into::into)
            }
            _ => None,
        }
    }
}

fn handshakes<E>(unreachable: &Unreachable<NoHandshake<E>>) -> impl Iterator<Item = &E> {
    unreachable
        .failures()
        .iter()
        .filter_map(|failure| match &failure.cause {
            Cause::Establish(NoHandshake::Failed(error)) => Some(error),
            _ => None,
        })
}

/// A server that was there and refused says more than those that were not there.
fn unreachable_exit<E: HandshakeFailure>(unreachable: &Unreachable<NoHandshake<E>>) -> Exit {
    let exits = handshakes(unreachable).map(|error| match error.fault() {
        Fault::Network => Exit::Unavailable,
        Fault::Peer => Exit::Refused,
        Fault::Local => Exit::Platform,
    });
    let mut exits = exits.filter(|exit| *exit != Exit::Unavailable);
    exits.next().unwrap_or(Exit::Unavailable)
}

/// Whether a server refused us once our side of the handshake was over.
fn is_refusal(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut chain = std::iter::successors(Some(error), |error| error.source());
    chain.any(|error| {
        let error = error.downcast_ref::<io::Error>();
        error.is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    })
}
