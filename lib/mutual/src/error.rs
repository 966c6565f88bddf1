//! Why a handshake gave no stream, sorted by who is at fault. No variant says anything about a key.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use mcbn_tls13::Failed;
use mcbn_tunnel::handshake::{Fault, HandshakeFailure};
use rustls::{AlertDescription, CertificateError, OtherError};

/// A handshake that failed.
#[derive(Debug)]
pub enum HandshakeError {
    /// The other side does not speak the protocol, or has not shown our key.
    Peer(PeerFault),
    /// The network broke.
    Io(io::Error),
    /// Whoever holds our key has not signed.
    Unsigned(Unsigned),
    /// This side could not do its part.
    Local(rustls::Error),
}

/// Whoever holds our key outside of this program has not signed, and why.
#[derive(Clone, Debug)]
pub struct Unsigned {
    /// A short fixed word for logs and metrics.
    pub reason: &'static str,
    /// Another handshake may come out otherwise, with nothing changed.
    pub may_pass: bool,
    pub source: Arc<dyn Error + Send + Sync>,
}

/// What the other side did wrong.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum PeerFault {
    /// It closed the connection before the handshake was over.
    Closed,
    /// It sent something that is not TLS.
    NotTls,
    /// It offered no version of TLS that is spoken here.
    Version,
    /// It offered no cipher suite, group or signature scheme that is allowed here.
    NothingShared,
    /// It showed no certificate.
    NoCertificate,
    /// Its certificate is of another key.
    OtherKey,
    /// Its certificate has ended.
    Expired,
    /// Its certificate has not begun.
    NotYetValid,
    /// Its certificate does not say that it is for this use.
    Usage,
    /// Its certificate's chain ends at no CA that is trusted here.
    Chain,
    /// Its certificate is for another name.
    Name,
    /// It has not signed the handshake with the key in its certificate.
    Signature,
    /// Its certificate cannot be read, or is refused for another reason.
    Certificate,
    /// It sent this fatal alert ([RFC 8446 §6]).
    ///
    /// [RFC 8446 §6]: https://www.rfc-editor.org/rfc/rfc8446#section-6
    Alert(u8),
    /// It broke the protocol in another way.
    Protocol,
}

impl HandshakeError {
    /// Sorts what tokio-rustls gives.
    pub fn of(error: io::Error) -> Self {
        Self::Peer(match Failed::from(error) {
            Failed::Io(source) => return Self::Io(source),
            Failed::Local(error) => return Self::of_this_side(error),
            Failed::Closed => PeerFault::Closed,
            Failed::NotTls => PeerFault::NotTls,
            Failed::Version => PeerFault::Version,
            Failed::NothingShared => PeerFault::NothingShared,
            Failed::NoCertificate => PeerFault::NoCertificate,
            Failed::Certificate(refused) => PeerFault::of_certificate(&refused),
            Failed::Alert(number) => PeerFault::Alert(number),
            Failed::Protocol => PeerFault::Protocol,
        })
    }

    fn of_this_side(error: rustls::Error) -> Self {
        match &error {
            rustls::Error::Other(OtherError(source)) => match source.downcast_ref::<Unsigned>() {
                Some(unsigned) => Self::Unsigned(unsigned.clone()),
                None => Self::Local(error),
            },
            _ => Self::Local(error),
        }
    }

    /// What reading meets after the handshake: the peer's refusal is told from a break.
    pub fn late(error: io::Error) -> io::Error {
        match error.get_ref().and_then(|source| source.downcast_ref()) {
            Some(rustls::Error::AlertReceived(alert)) => {
                let refused = Self::Peer(PeerFault::Alert(u8::from(*alert)));
                io::Error::new(io::ErrorKind::PermissionDenied, refused)
            }
            _ => error,
        }
    }

    /// A short fixed word for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Peer(fault) => fault.reason(),
            Self::Io(_) => "io",
            Self::Unsigned(unsigned) => unsigned.reason,
            Self::Local(_) => "local",
        }
    }
}

impl PeerFault {
    pub fn of_certificate(refused: &CertificateError) -> Self {
        match refused {
            CertificateError::Other(other) if other.0.is::<OtherKey>() => Self::OtherKey,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Self::Usage
            }
            CertificateError::UnknownIssuer => Self::Chain,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::Name
            }
            CertificateError::BadSignature => Self::Signature,
            _ => Self::Certificate,
        }
    }

    /// A short fixed word for logs and metrics.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::NotTls => "not_tls",
            Self::Version => "version",
            Self::NothingShared => "nothing_shared",
            Self::NoCertificate => "no_certificate",
            Self::OtherKey => "other_key",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Usage => "usage",
            Self::Chain => "chain",
            Self::Name => "name",
            Self::Signature => "signature",
            Self::Certificate => "certificate",
            Self::Alert(_) => "alert",
            Self::Protocol => "protocol",
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(fault) => fault.fmt(f),
            Self::Io(source) => write!(f, "the connection broke during the handshake: {source}"),
            Self::Unsigned(unsigned) => unsigned.fmt(f),
            Self::Local(source) => write!(f, "TLS failed on this side: {source}"),
        }
    }
}

impl fmt::Display for PeerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the peer closed the connection during the handshake",
            Self::NotTls => "the peer does not speak TLS",
            Self::Version => "the peer offered no version of TLS that is spoken here",
            Self::NothingShared => {
                "the peer offered no cipher suite, group or signature scheme allowed here"
            }
            Self::NoCertificate => "the peer showed no certificate",
            Self::OtherKey => "the peer has another key",
            Self::Expired => "the peer's certificate has expired",
            Self::NotYetValid => "the peer's certificate is not valid yet",
            Self::Usage => "the peer's certificate does not say that it is for this use",
            Self::Chain => "the peer's certificate comes from no CA that is trusted here",
            Self::Name => "the peer's certificate is for another name",
            Self::Signature => "the peer has not signed with the key in its certificate",
            Self::Certificate => "the peer's certificate is refused",
            Self::Alert(number) => {
                return write!(
                    f,
                    "the peer refused with alert {number}, {:?}",
                    AlertDescription::from(*number)
                );
            }
            Self::Protocol => "the peer broke the protocol",
        })
    }
}

impl Error for HandshakeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Peer(_) => None,
            Self::Io(source) => Some(source),
            Self::Unsigned(unsigned) => Some(&*unsigned.source),
            Self::Local(source) => Some(source),
        }
    }
}

impl fmt::Display for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "our key has not signed: {}", self.source)
    }
}

impl Error for Unsigned {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// As a signer says it to rustls.
impl From<Unsigned> for rustls::Error {
    fn from(unsigned: Unsigned) -> Self {
        Self::Other(OtherError(Arc::new(unsigned)))
    }
}

/// The peer's certificate is of another key than ours, where both ends should have one.
#[derive(Clone, Copy, Debug)]
pub struct OtherKey;

impl fmt::Display for OtherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the certificate is of another key")
    }
}

impl Error for OtherKey {}

impl HandshakeFailure for HandshakeError {
    fn reason(&self) -> &'static str {
        self.reason()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Peer(PeerFault::Closed) | Self::Io(_) => Fault::Network,
            Self::Peer(_) => Fault::Peer,
            Self::Unsigned(unsigned) if unsigned.may_pass => Fault::Network,
            Self::Unsigned(_) | Self::Local(_) => Fault::Local,
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
