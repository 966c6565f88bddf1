//! Why there is no end of a connection, by who is at fault.

use std::error::Error;
use std::fmt;

use mcbn_gcp::{Failure, NotAnAlgorithm, Protection};
use mcbn_tls13::End;

/// This side cannot be set up.
#[derive(Debug)]
pub enum Setup {
    /// Google Cloud says nothing of the key, or does not sign with it.
    Kms(Failure),
    /// Secret Manager does not give what this setting names.
    Secret(&'static str, Failure),
    /// A file that this setting names cannot be read.
    File(&'static str, std::io::Error),
    /// What this setting names is no certificate.
    NotACertificate(&'static str, NotACertificate),
    /// The key is kept in another way than it must be.
    Protection {
        is: Protection,
        must_be: Protection,
    },
    /// The key has no use here.
    Algorithm(NotAnAlgorithm),
    /// It decrypts, and signs nothing.
    NotASigner(mcbn_gcp::Algorithm),
    /// It signs as TLS 1.3 forbids.
    Pkcs1InTls13(mcbn_gcp::Algorithm),
    /// Our certificate is not for this key, this end, or this time.
    Certificate(Unfit),
    /// What Cloud KMS gave is no signature by the key.
    ForeignSignature,
    /// TLS itself.
    Tls(rustls::Error),
    NoClock,
}

/// Why a text is no certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotACertificate {
    NotPem,
    Malformed,
}

/// Why a certificate does not do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    Unreadable(NotACertificate),
    OtherKey,
    Expired,
    NotYetValid,
    /// It does not say that it is for this end.
    Usage(End),
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kms(_) => f.write_str("cannot use the key in Cloud KMS"),
            Self::Secret(flag, _) => write!(f, "cannot read the secret of {flag}"),
            Self::File(flag, _) => write!(f, "cannot read the file of {flag}"),
            Self::NotACertificate(flag, why) => write!(f, "{flag} is refused: {why}"),
            Self::Protection { is, must_be } => write!(
                f,
                "the key is refused: its protection level is {is}, and it must be {must_be}"
            ),
            Self::Algorithm(why) => write!(f, "the key is refused: {why}"),
            Self::NotASigner(algorithm) => {
                write!(f, "the key is refused: {algorithm} signs nothing")
            }
            Self::Pkcs1InTls13(algorithm) => write!(
                f,
                "the key is refused: {algorithm} signs PKCS #1, which TLS 1.3 forbids in handshakes (RFC 8446, 4.2.3)"
            ),
            Self::Certificate(why) => write!(f, "our certificate is refused: {why}"),
            Self::ForeignSignature => f.write_str(
                "what Cloud KMS gave is no signature of what was asked for by the key in our certificate",
            ),
            Self::Tls(_) => f.write_str("cannot set up TLS"),
            Self::NoClock => f.write_str("cannot tell the time"),
        }
    }
}

impl Error for Setup {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Kms(source) | Self::Secret(_, source) => Some(source),
            Self::File(_, source) => Some(source),
            Self::Tls(source) => Some(source),
            _ => None,
        }
    }
}

impl fmt::Display for NotACertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPem => "no certificate in PEM",
            Self::Malformed => "a certificate is malformed",
        })
    }
}

impl Error for NotACertificate {}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable(why) => return why.fmt(f),
            Self::OtherKey => "it is not of the key in Cloud KMS",
            Self::Expired => "it has expired",
            Self::NotYetValid => "it is not valid yet",
            Self::Usage(End::Client) => "it does not say that it is for clients to sign with",
            Self::Usage(End::Server) => "it does not say that it is for servers to sign with",
        })
    }
}

impl Error for Unfit {}
