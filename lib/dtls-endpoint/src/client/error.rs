//! What ends a client, by who is at fault.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use mcbn_consent::lease::Lost;
use mcbn_dtls::Ended;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_tunnel::datagram::Dropped;
use mcbn_tunnel::dial::{Cause, Unreachable};
use mcbn_tunnel::handshake::{Fault, HandshakeFailure};

use super::NoHandshake;

#[derive(Debug)]
pub enum Error {
    /// The port cannot be opened.
    Listen(SocketAddr, io::Error),
    /// No server can be reached, or none shows that it knows the key.
    Unreachable(Unreachable<NoHandshake>),
    /// The datagram did not leave. The largest that can has so many bytes.
    NotSent { reason: Dropped, largest: usize },
    /// The server ended the session, or it broke, before the answer.
    Ended(Ended),
    /// The datagram or its answer was lost, or the server has none.
    NoAnswer,
    /// Standard input or output broke.
    Stdio(io::Error),
    /// There was a key, and too few participants agree to its use now.
    ConsentLost(Lost),
    /// A signal, and then the end of the drain, came first.
    Cut,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(address, _) => write!(f, "cannot listen on {address}"),
            Self::Unreachable(_) => f.write_str("cannot connect"),
            Self::NotSent {
                reason: Dropped::TooLarge,
                largest,
            } => write!(
                f,
                "the datagram is larger than the {largest} bytes that a packet of this path holds"
            ),
            Self::NotSent {
                reason: Dropped::Empty,
                ..
            } => f.write_str("there is nothing to send"),
            Self::NotSent { .. } => f.write_str("the datagram could not be sent"),
            Self::Ended(_) => f.write_str("there was no answer"),
            Self::NoAnswer => f.write_str("there was no answer in time"),
            Self::Stdio(_) => f.write_str("standard input or output broke"),
            Self::ConsentLost(lost) => lost.fmt(f),
            Self::Cut => f.write_str("ended by a signal before the work was done"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen(_, source) | Self::Stdio(source) => Some(source),
            Self::Unreachable(source) => Some(source),
            Self::Ended(source) => Some(source),
            Self::ConsentLost(lost) => lost.source(),
            Self::NotSent { .. } | Self::NoAnswer | Self::Cut => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Listen(_, source) => source.exit(),
            Self::ConsentLost(lost) => lost.exit(),
            Self::Unreachable(unreachable) => unreachable_exit(unreachable),
            Self::NoAnswer => Exit::Unavailable,
            Self::NotSent {
                reason: Dropped::TooLarge | Dropped::Empty,
                ..
            } => Exit::Usage,
            Self::NotSent { .. } | Self::Ended(_) | Self::Stdio(_) | Self::Cut => Exit::Io,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::ConsentLost(lost) => lost.hint(),
            Self::Unreachable(unreachable) => {
                let mut hints = handshakes(unreachable).filter_map(HandshakeFailure::hint);
                hints.next().map(Into::into)
            }
            Self::NoAnswer => Some(
                "datagrams can be lost, and nothing is sent twice: start again, or wait longer with --answer-timeout"
                    .into(),
            ),
            _ => None,
        }
    }
}

fn handshakes(unreachable: &Unreachable<NoHandshake>) -> impl Iterator<Item = &NoHandshake> {
    unreachable
        .failures()
        .iter()
        .filter_map(|failure| match &failure.cause {
            Cause::Establish(error) => Some(error),
            _ => None,
        })
}

/// A server that was there and refused says more than those that were not there.
fn unreachable_exit(unreachable: &Unreachable<NoHandshake>) -> Exit {
    let exits = handshakes(unreachable).map(|error| match error.fault() {
        Fault::Network => Exit::Unavailable,
        Fault::Peer => Exit::Refused,
        Fault::Local => Exit::Platform,
    });
    let mut exits = exits.filter(|exit| *exit != Exit::Unavailable);
    exits.next().unwrap_or(Exit::Unavailable)
}
