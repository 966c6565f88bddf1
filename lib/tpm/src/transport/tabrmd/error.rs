//! What goes wrong between this program and the broker.

use std::fmt;
use std::io;

use super::Bus;
use super::message::Message;

/// Why the broker gave no connection.
#[derive(Debug)]
pub(super) enum NoConnection {
    /// Nothing says where the bus is.
    NoAddress(Bus),
    /// Nobody listens there, or not this user.
    NoBus(Bus, io::Error),
    /// The bus broke off, or there is no answer in time.
    Lost(io::Error),
    /// It does not take this user.
    Rejected,
    /// It passes no descriptors.
    PassesNone,
    /// What it says is no D-Bus.
    Garbled,
    /// Nobody has the broker's name.
    NoBroker,
    /// Somebody has it, and nothing that can be asked.
    NotServing,
    /// The bus's policy does not let this user ask the broker.
    Denied,
    /// The broker, or the bus, says something else.
    Refused { error: String, text: String },
    /// There is not one descriptor in the answer, but so many.
    Descriptors(usize),
    /// There is one, of something else.
    NoSocket,
}

impl NoConnection {
    pub(super) fn of(refusal: Message) -> Self {
        let error = refusal.error.unwrap_or_default();
        match error.strip_prefix("org.freedesktop.DBus.Error.") {
            Some("ServiceUnknown" | "NameHasNoOwner") => Self::NoBroker,
            Some("UnknownMethod" | "UnknownObject" | "UnknownInterface") => Self::NotServing,
            Some("AccessDenied") => Self::Denied,
            _ => Self::Refused {
                error,
                text: refusal.text.unwrap_or_default(),
            },
        }
    }

    fn kind(&self) -> io::ErrorKind {
        match self {
            Self::NoAddress(_) | Self::NoBroker | Self::NotServing => io::ErrorKind::NotFound,
            Self::NoBus(_, source) | Self::Lost(source) => source.kind(),
            Self::Rejected | Self::Denied => io::ErrorKind::PermissionDenied,
            Self::PassesNone | Self::NoSocket | Self::Descriptors(_) => io::ErrorKind::Unsupported,
            Self::Garbled => io::ErrorKind::InvalidData,
            Self::Refused { .. } => io::ErrorKind::ConnectionRefused,
        }
    }
}

impl From<io::Error> for NoConnection {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

impl From<NoConnection> for io::Error {
    fn from(error: NoConnection) -> Self {
        Self::new(error.kind(), error)
    }
}

impl fmt::Display for NoConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress(Bus::Session) => {
                f.write_str("DBUS_SESSION_BUS_ADDRESS has no Unix socket of a message bus")
            }
            Self::NoAddress(Bus::System) => {
                f.write_str("DBUS_SYSTEM_BUS_ADDRESS has no Unix socket of a message bus")
            }
            Self::NoAddress(Bus::At(_)) => {
                f.write_str("the path of the message bus is too long for a socket")
            }
            Self::NoBus(bus, _) => write!(f, "no message bus answers ({bus})"),
            Self::Lost(_) => f.write_str("no answer comes over the message bus"),
            Self::Rejected => f.write_str(
                "the message bus does not take this user, who may be unknown to the host",
            ),
            Self::PassesNone => f.write_str("the message bus passes no descriptors"),
            Self::Garbled => f.write_str("the message bus does not speak D-Bus"),
            Self::NoBroker => f.write_str("no broker has the name on the message bus"),
            Self::NotServing => f.write_str(
                "what has the broker's name on the message bus is no broker, or not yet",
            ),
            Self::Denied => {
                f.write_str("the message bus's policy does not let this user ask the broker")
            }
            Self::Refused { error, text } => {
                let (error, text) = (error.escape_debug(), text.escape_debug());
                write!(f, "the message bus or the broker refused: {error}: {text}")
            }
            Self::Descriptors(number) => {
                write!(f, "the broker gave {number} descriptors, not one")
            }
            Self::NoSocket => f.write_str("the broker's descriptor is no stream socket"),
        }
    }
}

impl std::error::Error for NoConnection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoBus(_, source) | Self::Lost(source) => Some(source),
            _ => None,
        }
    }
}
