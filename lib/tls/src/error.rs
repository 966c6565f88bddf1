//! Why a handshake gave no stream, sorted by who is at fault. No variant says anything about a key.

use std::fmt;
use std::io;

use openssl::error::ErrorStack;
use openssl::ssl::{Error, ErrorCode};

/// A handshake that failed.
#[derive(Debug)]
pub enum HandshakeError {
    /// The other side does not speak the protocol, or could not show that it knows the key.
    Peer(PeerFault),
    /// The network broke.
    Io(io::Error),
    /// This side could not do its part.
    Local(Setup),
    /// This side has no key for this session, and why: a fixed phrase.
    NoKey(&'static str),
}

/// What the other side did wrong.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum PeerFault {
    /// It closed the connection before the handshake was over.
    Closed,
    /// It sent something that is not TLS.
    NotTls,
    /// It sent an HTTP request in clear.
    PlainHttp,
    /// It offered no protocol version that is allowed here.
    Version,
    /// It offered no pre-shared key, or no cipher suite or group that is allowed here.
    NothingShared,
    /// It does not know the key, or named an identity that does not exist: the two are meant to look the same.
    WrongKey,
    /// It came with a certificate instead of the key.
    Certificate,
    /// It does not bind the master secret to the handshake ([RFC 7627]).
    ///
    /// [RFC 7627]: https://www.rfc-editor.org/rfc/rfc7627
    NoExtendedMasterSecret,
    /// It sent this fatal alert ([RFC 8446 §6]).
    ///
    /// [RFC 8446 §6]: https://www.rfc-editor.org/rfc/rfc8446#section-6
    Alert(u8),
    /// It broke the protocol in another way.
    Protocol,
}

/// OpenSSL could not be set up. Says in which step.
#[derive(Debug)]
pub struct Setup {
    step: &'static str,
    source: ErrorStack,
}

impl HandshakeError {
    /// A short fixed word for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Peer(fault) => fault.reason(),
            Self::Io(_) => "io",
            Self::Local(_) => "local",
            Self::NoKey(_) => "no_key",
        }
    }
}

impl PeerFault {
    /// A short fixed word for logs and metrics.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::NotTls => "not_tls",
            Self::PlainHttp => "plain_http",
            Self::Version => "version",
            Self::NothingShared => "nothing_shared",
            Self::WrongKey => "wrong_key",
            Self::Certificate => "certificate",
            Self::NoExtendedMasterSecret => "no_extended_master_secret",
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
            Self::Local(setup) => setup.fmt(f),
            Self::NoKey(why) => write!(f, "there is no key for this session: {why}"),
        }
    }
}

impl fmt::Display for PeerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the peer closed the connection during the handshake"),
            Self::NotTls => f.write_str("the peer does not speak TLS"),
            Self::PlainHttp => f.write_str("the peer sent an HTTP request in clear"),
            Self::Version => f.write_str("the peer offered no allowed protocol version"),
            Self::NothingShared => f.write_str(
                "the peer offered no pre-shared key, cipher suite or group allowed here",
            ),
            Self::WrongKey => f.write_str("the peer has another key or named an unknown identity"),
            Self::Certificate => f.write_str("the peer came with a certificate instead of the key"),
            Self::NoExtendedMasterSecret => {
                f.write_str("the peer does not do extended master secrets")
            }
            Self::Alert(number) => match alert_name(*number) {
                Some(name) => write!(f, "the peer refused with alert {number}, {name}"),
                None => write!(f, "the peer refused with alert {number}"),
            },
            Self::Protocol => f.write_str("the peer broke the protocol"),
        }
    }
}

impl std::error::Error for HandshakeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Peer(_) | Self::NoKey(_) => None,
            Self::Io(source) => Some(source),
            Self::Local(setup) => Some(setup),
        }
    }
}

impl Setup {
    /// For `map_err`; the step is what OpenSSL could not do, as in "make a context".
    pub fn step(step: &'static str) -> impl FnOnce(ErrorStack) -> Self {
        move |source| Self { step, source }
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenSSL could not {}", self.step)
    }
}

impl std::error::Error for Setup {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Sorts what OpenSSL says about a failed handshake step.
pub fn classify(error: Error) -> HandshakeError {
    if let Some(stack) = error.ssl_error() {
        // The first entry is the cause, what follows are its consequences.
        return match stack.errors().first() {
            Some(first) => by_reason(first.reason_code()),
            None => HandshakeError::Peer(PeerFault::Protocol),
        };
    }
    let code = error.code();
    match error.into_io_error() {
        Ok(source) => match source.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe => HandshakeError::Peer(PeerFault::Closed),
            _ => HandshakeError::Io(source),
        },
        // OpenSSL reports a plain end of the stream as a system error without one.
        Err(_) if code == ErrorCode::SYSCALL || code == ErrorCode::ZERO_RETURN => {
            HandshakeError::Peer(PeerFault::Closed)
        }
        Err(_) => HandshakeError::Peer(PeerFault::Protocol),
    }
}

/// `SSL_AD_REASON_OFFSET`: OpenSSL reports a received alert as this number plus the alert's.
const ALERT_OFFSET: i32 = 1000;

/// The `SSL_R_…` numbers of `openssl/sslerr.h`, which are part of its stable interface.
fn by_reason(reason: i32) -> HandshakeError {
    const CLIENT_HELLO_NO_VERSION: [i32; 5] = [258, 191, 396, 266, 292];
    HandshakeError::Peer(match reason {
        // HTTP_REQUEST, HTTPS_PROXY_REQUEST
        156 | 155 => PeerFault::PlainHttp,
        // WRONG_VERSION_NUMBER, PACKET_LENGTH_TOO_LONG, BAD_RECORD_TYPE, RECORD_LAYER_FAILURE
        267 | 198 | 443 | 313 => PeerFault::NotTls,
        // UNEXPECTED_EOF_WHILE_READING
        294 => PeerFault::Closed,
        // BINDER_DOES_NOT_VERIFY, DIGEST_CHECK_FAILED, DECRYPTION_FAILED_OR_BAD_RECORD_MAC
        253 | 149 | 281 => PeerFault::WrongKey,
        // CERTIFICATE_VERIFY_FAILED
        134 => PeerFault::Certificate,
        // NO_SHARED_CIPHER, NO_SUITABLE_SIGNATURE_ALGORITHM, NO_SUITABLE_KEY_SHARE, NO_SUITABLE_GROUPS,
        // MISSING_PSK_KEX_MODES_EXTENSION
        193 | 118 | 101 | 295 | 310 => PeerFault::NothingShared,
        // UNSUPPORTED_PROTOCOL, NO_PROTOCOLS_AVAILABLE, VERSION_TOO_LOW, WRONG_SSL_VERSION, BAD_LEGACY_VERSION
        reason if CLIENT_HELLO_NO_VERSION.contains(&reason) => PeerFault::Version,
        reason => match u8::try_from(reason - ALERT_OFFSET) {
            Ok(alert) => PeerFault::Alert(alert),
            Err(_) => PeerFault::Protocol,
        },
    })
}

/// The alerts that a handshake with a key can end in ([RFC 8446 §6]).
///
/// [RFC 8446 §6]: https://www.rfc-editor.org/rfc/rfc8446#section-6
fn alert_name(number: u8) -> Option<&'static str> {
    Some(match number {
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => return None,
    })
}
