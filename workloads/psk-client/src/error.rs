//! What ends the program, by who is at fault.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use hyper::StatusCode;
use mcbn_psk::settings::KeyError;
use mcbn_psk::{HandshakeError, PeerFault};
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_tunnel::dial::Unreachable;

#[derive(Debug)]
pub enum Error {
    /// The port cannot be opened.
    Listen(SocketAddr, io::Error),
    /// There is no key.
    Key(KeyError),
    /// OpenSSL cannot be set up.
    Tls(mcbn_psk::Setup),
    /// No server answers.
    Unreachable(Unreachable),
    /// The server does not prove that it knows the key.
    Handshake(HandshakeError),
    /// The server does not finish the handshake.
    HandshakeDeadline,
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
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(address, _) => write!(f, "cannot listen on {address}"),
            Self::Key(_) => f.write_str("cannot make the key"),
            Self::Tls(_) => f.write_str("cannot set up TLS"),
            Self::Unreachable(_) => f.write_str("cannot connect"),
            Self::Handshake(_) => f.write_str("the handshake failed"),
            Self::HandshakeDeadline => {
                f.write_str("the server did not finish the handshake in time")
            }
            Self::Http(_) => f.write_str("the server did not give a whole HTTP answer"),
            Self::Status(status) => write!(f, "the server answered {status}"),
            Self::Broken(_) => f.write_str("the connection broke"),
            Self::Idle => f.write_str("nothing moved on the connection for too long"),
            Self::Stdio(_) => f.write_str("standard input or output broke"),
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
            Self::Handshake(source) => Some(source),
            Self::Http(source) => Some(source),
            Self::HandshakeDeadline | Self::Status(_) | Self::Idle => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Listen(_, source) => source.exit(),
            Self::Key(source) => source.exit(),
            Self::Tls(_) => Exit::Platform,
            Self::Unreachable(_) | Self::HandshakeDeadline | Self::Idle => Exit::Unavailable,
            Self::Handshake(HandshakeError::Peer(PeerFault::Closed) | HandshakeError::Io(_)) => {
                Exit::Unavailable
            }
            Self::Handshake(HandshakeError::Peer(_)) => Exit::Refused,
            Self::Handshake(HandshakeError::Local(_)) => Exit::Platform,
            Self::Status(status) if status.is_server_error() => Exit::Unavailable,
            Self::Status(_) => Exit::Refused,
            Self::Http(_) | Self::Broken(_) | Self::Stdio(_) => Exit::Io,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Key(source) => source.hint(),
            Self::Handshake(HandshakeError::Peer(
                PeerFault::WrongKey | PeerFault::Alert(20 | 47 | 51),
            )) => Some(
                "both ends need the same shares, derivation, manifest digest and identity".into(),
            ),
            _ => None,
        }
    }
}
