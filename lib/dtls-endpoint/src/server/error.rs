//! Why there is no server, by who is at fault.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use mcbn_runtime::exit::{Exit, Failure};
use mcbn_tunnel::names::NoResolver;

#[derive(Debug)]
pub enum Error {
    /// The port cannot be opened.
    Listen(SocketAddr, io::Error),
    /// A name cannot be looked up.
    Names(NoResolver),
    /// OpenSSL cannot be set up.
    Dtls(mcbn_dtls::Setup),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(address, _) => write!(f, "cannot listen on {address}"),
            Self::Names(_) => f.write_str("cannot look up the name in --forward"),
            Self::Dtls(_) => f.write_str("cannot set up DTLS"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen(_, source) => Some(source),
            Self::Names(source) => Some(source),
            Self::Dtls(source) => Some(source),
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Listen(_, source) => source.exit(),
            Self::Names(_) | Self::Dtls(_) => Exit::Platform,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Listen(_, source) if source.kind() == io::ErrorKind::AddrInUse => {
                Some("another program has this port: give another one with --listen".into())
            }
            Self::Listen(..) | Self::Dtls(_) => None,
            Self::Names(_) => Some(
                "give a DNS server with --dns-server, or an address in place of the name".into(),
            ),
        }
    }
}
