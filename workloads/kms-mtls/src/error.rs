//! What ends the program, by who is at fault.

use std::fmt;
use std::io;
use std::path::PathBuf;

use mcbn_consent::lease::Lost;
use mcbn_endpoint::{client, server};
use mcbn_gcp::Failure as Refusal;
use mcbn_kms::{HandshakeError, Setup, Unfit};
use mcbn_place::NotWritten;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_tunnel::names::NoResolver;

#[derive(Debug)]
pub enum Error {
    /// The key or a certificate cannot be used.
    Setup(Setup),
    /// There is no port.
    Server(server::Error),
    /// A name cannot be looked up.
    Names(NoResolver),
    /// The client's work ended before it was done.
    Client(client::Error<HandshakeError>),
    /// Nobody can take consent back here; what serves says so all the same.
    ConsentLost(Lost),
    /// Cloud KMS does not decrypt.
    Decrypt(Refusal),
    /// There is nothing to decrypt: the file, or standard input, cannot be read.
    Ciphertext(Option<PathBuf>, io::Error),
    /// The plaintext's file cannot be written.
    NotWritten(NotWritten),
    /// Nothing can be waited for.
    Runtime(io::Error),
    /// Standard output broke.
    Print(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setup(error) => error.fmt(f),
            Self::Server(error) => error.fmt(f),
            Self::Names(_) => f.write_str("cannot look up the names in --server"),
            Self::Client(error) => error.fmt(f),
            Self::ConsentLost(lost) => lost.fmt(f),
            Self::Decrypt(_) => f.write_str("cannot decrypt with the key in Cloud KMS"),
            Self::Ciphertext(Some(path), _) => write!(f, "cannot read {}", path.display()),
            Self::Ciphertext(None, _) => f.write_str("cannot read standard input"),
            Self::NotWritten(error) => error.fmt(f),
            Self::Runtime(_) => f.write_str("cannot start to wait"),
            Self::Print(_) => f.write_str("cannot write to standard output"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Setup(error) => error.source(),
            Self::Server(error) => error.source(),
            Self::Names(source) => Some(source),
            Self::Client(error) => error.source(),
            Self::ConsentLost(lost) => lost.source(),
            Self::Decrypt(source) => Some(source),
            Self::Ciphertext(_, source) | Self::Runtime(source) | Self::Print(source) => {
                Some(source)
            }
            // It says it all.
            Self::NotWritten(_) => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Setup(error) => setup_exit(error),
            Self::Server(error) => error.exit(),
            Self::Names(_) | Self::Runtime(_) => Exit::Platform,
            Self::Client(error) => error.exit(),
            Self::ConsentLost(lost) => lost.exit(),
            Self::Decrypt(refusal) => cloud_exit(refusal),
            Self::Ciphertext(_, source) | Self::Print(source) => source.exit(),
            Self::NotWritten(error) => error.error().exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Setup(error) => setup_hint(error).map(Into::into),
            Self::Server(error) => error.hint(),
            Self::Names(_) => Some(
                "give a DNS server with --dns-server, or addresses in place of the names".into(),
            ),
            Self::Client(error) => error.hint(),
            Self::ConsentLost(lost) => lost.hint(),
            Self::Decrypt(Refusal::Denied(_)) => Some(
                "whoever --google-credentials is needs the role roles/cloudkms.cryptoKeyDecrypter on the key".into(),
            ),
            Self::Decrypt(refusal) => cloud_hint(refusal).map(Into::into),
            Self::NotWritten(error) if error.error().kind() == io::ErrorKind::AlreadyExists => {
                Some("nothing is written over: name a file that is not there".into())
            }
            Self::Ciphertext(..) | Self::NotWritten(_) | Self::Runtime(_) | Self::Print(_) => None,
        }
    }
}

fn setup_exit(error: &Setup) -> Exit {
    match error {
        Setup::Kms(refusal) | Setup::Secret(_, refusal) => cloud_exit(refusal),
        Setup::File(_, source) => source.exit(),
        Setup::NotACertificate(..)
        | Setup::Protection { .. }
        | Setup::Algorithm(_)
        | Setup::NotASigner(_)
        | Setup::Pkcs1InTls13(_)
        | Setup::Certificate(_)
        | Setup::ForeignSignature => Exit::Refused,
        Setup::Tls(_) | Setup::NoClock => Exit::Platform,
    }
}

fn setup_hint(error: &Setup) -> Option<&'static str> {
    match error {
        Setup::Kms(Refusal::Denied(_)) => Some(
            "whoever --google-credentials is needs the role roles/cloudkms.signerVerifier on the key",
        ),
        Setup::Secret(_, Refusal::Denied(_)) => Some(
            "whoever --google-credentials is needs the role roles/secretmanager.secretAccessor on the secret",
        ),
        Setup::Kms(refusal) | Setup::Secret(_, refusal) => cloud_hint(refusal),
        Setup::Pkcs1InTls13(_) => Some(
            "give --tls-version 1.2, or a key of an algorithm that begins with EC_SIGN or RSA_SIGN_PSS",
        ),
        Setup::Protection { .. } => {
            Some("give --protection-level where the key is meant to be kept so")
        }
        Setup::Certificate(Unfit::OtherKey) => {
            Some("have a certificate made of the public key of this very version")
        }
        _ => None,
    }
}

fn cloud_exit(refusal: &Refusal) -> Exit {
    match refusal {
        Refusal::NoToken(_) | Refusal::Busy(_) | Refusal::Away(_) | Refusal::Slow => {
            Exit::Unavailable
        }
        Refusal::NoCredentials(_)
        | Refusal::TokenRefused(_)
        | Refusal::Unauthenticated(_)
        | Refusal::Denied(_)
        | Refusal::Missing(_)
        | Refusal::Disabled(_)
        | Refusal::Rejected(_)
        | Refusal::Corrupt(_) => Exit::Refused,
    }
}

fn cloud_hint(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::NoCredentials(_) | Refusal::TokenRefused(_) => {
            Some("see --google-credentials for who this program can be")
        }
        Refusal::Slow => Some("give it more time with --kms-timeout"),
        _ => None,
    }
}
