//! What ends the program, by who is at fault.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use mcbn_consent::lease::Lost;
use mcbn_dtls::{Ended, HandshakeError, NoSession, PeerFault};
use mcbn_psk::settings::KeyError;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_tunnel::datagram::Dropped;
use mcbn_tunnel::dial::{Cause, Unreachable};
use mcbn_tunnel::names::NoResolver;

use crate::connect::NoHandshake;

#[derive(Debug)]
pub enum Error {
    /// The port cannot be opened.
    Listen(SocketAddr, io::Error),
    /// There is no key.
    Key(KeyError),
    /// OpenSSL cannot be set up.
    Dtls(mcbn_dtls::Setup),
    /// A name cannot be looked up.
    Names(NoResolver),
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
            Self::Key(_) => f.write_str("cannot make the key"),
            Self::Dtls(_) => f.write_str("cannot set up DTLS"),
            Self::Unreachable(_) => f.write_str("cannot connect"),
            Self::Names(_) => f.write_str("cannot look up the names in --server"),
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
            Self::Key(source) => Some(source),
            Self::Dtls(source) => Some(source),
            Self::Unreachable(source) => Some(source),
            Self::Names(source) => Some(source),
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
            Self::Key(source) => source.exit(),
            Self::ConsentLost(lost) => lost.exit(),
            Self::Names(_) | Self::Dtls(_) => Exit::Platform,
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
            Self::Key(source) => source.hint(),
            Self::ConsentLost(lost) => lost.hint(),
            Self::Names(_) => Some(
                "give a DNS server with --dns-server, or addresses in place of the names".into(),
            ),
            Self::Unreachable(unreachable) if is_about_the_key(unreachable) => Some(
                "both ends need the same shares, derivation, manifest digest and identity".into(),
            ),
            Self::NoAnswer => Some(
                "datagrams can be lost, and nothing is sent twice: start again, or wait longer with --answer-timeout"
                    .into(),
            ),
            _ => None,
        }
    }
}

fn handshakes(unreachable: &Unreachable<NoHandshake>) -> impl Iterator<Item = &NoSession> {
    unreachable
        .failures()
        .iter()
        .filter_map(|failure| match &failure.cause {
            Cause::Establish(NoHandshake(error)) => Some(error),
            _ => None,
        })
}

/// A server that was there and refused says more than those that were not there.
fn unreachable_exit(unreachable: &Unreachable<NoHandshake>) -> Exit {
    let exits = handshakes(unreachable).map(|error| match error {
        NoSession::Failed(HandshakeError::Peer(PeerFault::Closed) | HandshakeError::Io(_))
        | NoSession::NoAnswer
        | NoSession::Replaced => Exit::Unavailable,
        NoSession::Failed(HandshakeError::Peer(_)) | NoSession::Unproven => Exit::Refused,
        NoSession::Failed(HandshakeError::Local(_) | HandshakeError::NoKey(_)) => Exit::Platform,
    });
    let mut exits = exits.filter(|exit| *exit != Exit::Unavailable);
    exits.next().unwrap_or(Exit::Unavailable)
}

fn is_about_the_key(unreachable: &Unreachable<NoHandshake>) -> bool {
    handshakes(unreachable).any(|error| {
        matches!(
            error,
            // bad_record_mac, illegal_parameter, decrypt_error: what servers answer to another key, if they answer.
            NoSession::Unproven
                | NoSession::Failed(HandshakeError::Peer(
                    PeerFault::WrongKey | PeerFault::Alert(20 | 47 | 51)
                ))
        )
    })
}
