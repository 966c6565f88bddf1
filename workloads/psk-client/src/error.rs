//! What ends the program, by who is at fault.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use hyper::StatusCode;
use mcbn_consent::lease::Lost;
use mcbn_psk::settings::KeyError;
use mcbn_psk::{HandshakeError, PeerFault};
use mcbn_runtime::exit::{Exit, Failure};
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
    Tls(mcbn_psk::Setup),
    /// A name cannot be looked up.
    Names(NoResolver),
    /// No server can be reached, or none shows that it knows the key.
    Unreachable(Unreachable<NoHandshake>),
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

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(address, _) => write!(f, "cannot listen on {address}"),
            Self::Key(_) => f.write_str("cannot make the key"),
            Self::Tls(_) => f.write_str("cannot set up TLS"),
            Self::Unreachable(_) => f.write_str("cannot connect"),
            Self::Names(_) => f.write_str("cannot look up the names in --server"),
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

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen(_, source) | Self::Broken(source) | Self::Stdio(source) => Some(source),
            Self::Key(source) => Some(source),
            Self::Tls(source) => Some(source),
            Self::Unreachable(source) => Some(source),
            Self::Names(source) => Some(source),
            Self::Http(source) => Some(source),
            Self::ConsentLost(lost) => lost.source(),
            Self::Status(_) | Self::Idle | Self::Cut => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Listen(_, source) => source.exit(),
            Self::Key(source) => source.exit(),
            Self::ConsentLost(lost) => lost.exit(),
            Self::Names(_) | Self::Tls(_) => Exit::Platform,
            Self::Unreachable(unreachable) => unreachable_exit(unreachable),
            Self::Idle => Exit::Unavailable,
            Self::Status(status) if status.is_server_error() => Exit::Unavailable,
            Self::Status(_) => Exit::Refused,
            Self::Http(_) | Self::Broken(_) | Self::Stdio(_) | Self::Cut => Exit::Io,
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
            _ => None,
        }
    }
}

fn handshakes(unreachable: &Unreachable<NoHandshake>) -> impl Iterator<Item = &HandshakeError> {
    unreachable
        .failures()
        .iter()
        .filter_map(|failure| match &failure.cause {
            Cause::Establish(NoHandshake::Failed(error)) => Some(error),
            _ => None,
        })
}

/// A server that was there and refused says more than those that were not there.
fn unreachable_exit(unreachable: &Unreachable<NoHandshake>) -> Exit {
    let exits = handshakes(unreachable).map(|error| match error {
        HandshakeError::Peer(PeerFault::Closed) | HandshakeError::Io(_) => Exit::Unavailable,
        HandshakeError::Peer(_) => Exit::Refused,
        HandshakeError::Local(_) => Exit::Platform,
    });
    let mut exits = exits.filter(|exit| *exit != Exit::Unavailable);
    exits.next().unwrap_or(Exit::Unavailable)
}

fn is_about_the_key(unreachable: &Unreachable<NoHandshake>) -> bool {
    handshakes(unreachable).any(|error| {
        matches!(
            error,
            // bad_record_mac, illegal_parameter, decrypt_error: what servers answer to another key.
            HandshakeError::Peer(PeerFault::WrongKey | PeerFault::Alert(20 | 47 | 51))
        )
    })
}
