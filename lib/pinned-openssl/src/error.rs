//! What OpenSSL says of a failure, in the words of `lib/pinned`.

use mcbn_pinned::{NoStream, PeerFault, Setup, Unproven};
use mcbn_tls::HandshakeError;
use mcbn_tls::PeerFault as Found;
use openssl::error::ErrorStack;

/// For `map_err`; the step is what OpenSSL could not do.
pub fn setup(step: &'static str) -> impl FnOnce(ErrorStack) -> Setup {
    move |stack| Setup::because(mcbn_tls::Setup::step(step)(stack))
}

/// What the judge of a finished handshake says to OpenSSL's stream, which ends it.
pub fn fault(unproven: Unproven) -> Found {
    match unproven {
        Unproven::Version => Found::Version,
        Unproven::Key => Found::Certificate,
        Unproven::Exporter => Found::Protocol,
    }
}

pub fn no_stream(error: HandshakeError) -> NoStream {
    let found = match error {
        HandshakeError::Peer(found) => found,
        HandshakeError::Io(source) => return NoStream::Io(source),
        HandshakeError::Local(setup) => return NoStream::Local(Setup::because(setup)),
        no_key @ HandshakeError::NoKey(_) => return NoStream::Local(Setup::because(no_key)),
    };
    NoStream::Peer(match found {
        // Of a certificate nothing else is looked at.
        Found::Certificate => return NoStream::WrongKey,
        Found::Closed => PeerFault::Closed,
        Found::NotTls | Found::PlainHttp => PeerFault::NotTls,
        Found::Version => PeerFault::Version,
        Found::NothingShared => PeerFault::NothingShared,
        Found::Alert(number) => PeerFault::Alert(number),
        _ => PeerFault::Protocol,
    })
}
