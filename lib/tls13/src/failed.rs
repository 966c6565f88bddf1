//! What rustls says of a handshake that failed.

use rustls::{CertificateError, Error, InvalidMessage, PeerIncompatible};
use std::io;

/// By who is at fault: the peer, down to `Protocol`; the network; this side.
#[derive(Debug)]
pub enum Failed {
    /// The peer closed the connection before the handshake was over.
    Closed,
    /// It sent something that is not TLS.
    NotTls,
    /// It offered no TLS 1.3.
    Version,
    /// It offered no cipher suite, group or signature scheme that is allowed here.
    NothingShared,
    /// It showed no certificate.
    NoCertificate,
    /// Its certificate is refused, by the judge or as one whose key has not signed.
    Certificate(CertificateError),
    /// It sent this fatal alert ([RFC 8446 §6]).
    ///
    /// [RFC 8446 §6]: https://www.rfc-editor.org/rfc/rfc8446#section-6
    Alert(u8),
    /// It broke the protocol in another way.
    Protocol,
    /// The network broke.
    Io(io::Error),
    /// This side could not do its part.
    Local(Error),
}

impl From<io::Error> for Failed {
    /// Sorts what tokio-rustls gives.
    fn from(error: io::Error) -> Failed {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe => return Failed::Closed,
            _ => {}
        }
        let source = error.get_ref();
        match source.and_then(|source| source.downcast_ref::<Error>()) {
            Some(tls) => Failed::from(tls.clone()),
            None => Failed::Io(error),
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        match error {
            Error::InvalidCertificate(refused) => Failed::Certificate(refused),
            Error::NoCertificatesPresented => Failed::NoCertificate,
            Error::AlertReceived(alert) => Failed::Alert(u8::from(alert)),
            Error::InvalidMessage(
                InvalidMessage::InvalidContentType
                | InvalidMessage::UnknownProtocolVersion
                | InvalidMessage::MessageTooLarge,
            ) => Failed::NotTls,
            Error::PeerIncompatible(
                PeerIncompatible::SupportedVersionsExtensionRequired
                | PeerIncompatible::Tls13RequiredForQuic
                | PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::Tls12NotOfferedOrEnabled
                | PeerIncompatible::Tls12NotOffered,
            ) => Failed::Version,
            Error::PeerIncompatible(_) => Failed::NothingShared,
            Error::InvalidMessage(_)
            | Error::PeerMisbehaved(_)
            | Error::InappropriateMessage { .. }
            | Error::InappropriateHandshakeMessage { .. }
            | Error::DecryptError
            | Error::PeerSentOversizedRecord
            | Error::NoApplicationProtocol => Failed::Protocol,
            local => Failed::Local(local),
        }
    }
}
