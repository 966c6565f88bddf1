//! What can go wrong between here and a registry, by who can mend it.

use std::fmt;
use std::io;

use mcbn_oci::digest::Digest;

use crate::credentials;
use crate::destination::NotADestination;

#[derive(Debug)]
pub enum Error {
    /// The command line, a file, an image that is not in the lock.
    Local(mcbn_oci::error::Error),
    /// The registry's name on the command line.
    Destination(NotADestination),
    /// Docker's configuration or a credential helper.
    Credentials(credentials::Unusable),
    /// No answer: refused, timed out, not found, no trust in its certificate.
    Unreachable { url: String, error: ureq::Error },
    /// Something answers, but not with the registry's protocol.
    NotARegistry { url: String, status: u16 },
    /// The registry wants to know who pushes, or does not let them.
    Unauthorised { host: String, named: bool },
    /// The registry asks for the password to be sent where others could read it.
    UnsafeRealm { realm: String },
    /// The registry refuses a request.
    Refused {
        doing: String,
        status: u16,
        said: String,
    },
    /// The registry did not do what it said, or what the specification says.
    Misbehaved { doing: String, fault: Fault },
}

#[derive(Debug)]
pub enum Fault {
    NoLocation,
    Location(String),
    OtherDigest { expected: Digest, found: String },
    NotAnIndex(serde_json::Error),
    NoToken,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLocation => f.write_str("its answer names no place to upload to"),
            Self::Location(place) => write!(f, "its answer names an unusable place, {place}"),
            Self::OtherDigest { expected, found } => {
                write!(f, "it keeps {found} where {expected} was sent")
            }
            Self::NotAnIndex(error) => write!(f, "its index of referrers is unreadable: {error}"),
            Self::NoToken => f.write_str("its token service gave no token"),
        }
    }
}

impl Error {
    /// As `sysexits.h` has them; a difference from the lock is 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Local(error) => error.exit_code(),
            Self::Destination(_) => 64,
            Self::Unreachable { .. } => 69,
            Self::NotARegistry { .. } | Self::Refused { .. } | Self::Misbehaved { .. } => 76,
            Self::Unauthorised { .. } => 77,
            Self::Credentials(_) | Self::UnsafeRealm { .. } => 78,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unauthorised { named: false, .. } => {
                "log in with `docker login`, `skopeo login` or a credential helper first"
            }
            Self::Unauthorised { named: true, .. } => {
                "the credentials are wrong, or do not allow pushing to this repository"
            }
            Self::Unreachable { url, error } if url.starts_with("https") && is_trust(error) => {
                "for a registry with a private CA, name its certificate in SSL_CERT_FILE"
            }
            Self::Destination(NotADestination::Plaintext(_)) => {
                "use TLS, or say --insecure-plaintext where no one can listen"
            }
            Self::NotARegistry { .. } => "is the host right, and the port?",
            _ => return None,
        })
    }

    /// `oci-push: error: …`, then a hint where there is one.
    pub fn report(&self) -> String {
        if let Self::Local(error) = self {
            return error.report("oci-push");
        }
        let mut text = format!("oci-push: error: {self}\n");
        if let Some(hint) = self.hint() {
            text.push_str(&format!("oci-push: hint: {hint}\n"));
        }
        text
    }
}

/// TLS answers that cannot be believed come as invalid data of the connection.
fn is_trust(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Io(error) => error.kind() == io::ErrorKind::InvalidData,
        ureq::Error::Rustls(_) => true,
        _ => false,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(error) => error.fmt(f),
            Self::Destination(error) => error.fmt(f),
            Self::Credentials(error) => error.fmt(f),
            Self::Unreachable { url, error } => write!(f, "{url}: no answer: {error}"),
            Self::NotARegistry { url, status } => {
                write!(f, "{url} answers {status}: this is no registry")
            }
            Self::Unauthorised { host, named: false } => {
                write!(f, "{host} wants credentials, and there are none for it")
            }
            Self::Unauthorised { host, named: true } => write!(f, "{host} refuses the credentials"),
            Self::UnsafeRealm { realm } => {
                write!(
                    f,
                    "the registry asks for credentials to be sent in clear, to {realm}"
                )
            }
            Self::Refused {
                doing,
                status,
                said,
            } if said.is_empty() => {
                write!(f, "{doing}: the registry answers {status}")
            }
            Self::Refused {
                doing,
                status,
                said,
            } => {
                write!(f, "{doing}: the registry answers {status}: {said}")
            }
            Self::Misbehaved { doing, fault } => {
                write!(f, "{doing}: the registry is at fault: {fault}")
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<mcbn_oci::error::Error> for Error {
    fn from(error: mcbn_oci::error::Error) -> Self {
        Self::Local(error)
    }
}
