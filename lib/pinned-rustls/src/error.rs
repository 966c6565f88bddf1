//! What rustls says of a failure, in the words of `lib/pinned`.

use mcbn_pinned::{NoStream, PeerFault, Setup};
use mcbn_tls13::Failed;
use rustls::CertificateError;

pub fn no_stream(failed: Failed) -> NoStream {
    NoStream::Peer(match failed {
        // Of a certificate that can be read nothing else is judged.
        Failed::Certificate(CertificateError::ApplicationVerificationFailure) => {
            return NoStream::WrongKey;
        }
        Failed::Io(source) => return NoStream::Io(source),
        Failed::Local(error) => return NoStream::Local(Setup::because(error)),
        Failed::Closed => PeerFault::Closed,
        Failed::NotTls => PeerFault::NotTls,
        Failed::Version => PeerFault::Version,
        Failed::NothingShared => PeerFault::NothingShared,
        Failed::Alert(number) => PeerFault::Alert(number),
        Failed::NoCertificate | Failed::Certificate(_) | Failed::Protocol => PeerFault::Protocol,
    })
}
