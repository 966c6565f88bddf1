//! Why there is no answer, by who is at fault.

use hyper::StatusCode;
use mcbn_attest::{KeysFault, Report, TokenFault};
use mcbn_manifest::Name;
use rustls::AlertDescription;
use std::error::Error;
use std::fmt::{self, Display};
use std::io;

#[derive(Debug)]
pub enum Failure {
    /// Nobody answers.
    Unreachable(io::Error),
    /// Who answers does not speak TLS 1.3, or has not the key that they show.
    Handshake(io::Error),
    /// The server does not know our key.
    NotAdmitted,
    /// The server broke off, or does not speak HTTP.
    Broken(hyper::Error),
    /// A step took too long.
    Slow,
    /// The server answered more than any answer has.
    TooLarge,
    /// Nothing vouches for the answer: it has no token, or more than one. Its status is whoever's answered.
    NoToken(StatusCode),
    /// The token is not genuine, not in time or not for us.
    Token(TokenFault),
    /// The token is genuine, and vouches for something else.
    Nonce(Nonce),
    /// The keys to verify the token cannot be had: the issuer, or the way to it, is at fault.
    Keys(KeysFault),
    /// The token is genuine, and the machine does not meet the manifest.
    Policy(Box<Report>),
    /// The machine meets the manifest, and plays another part in it.
    Workload(Name),
    /// An earlier request failed, and the connection ended with it.
    Ended,
    /// There are no random numbers.
    Random,
    /// This program is at fault.
    Bug,
}

/// What a token vouches for, in the order of its nonces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonce {
    Challenge,
    Connection,
    Manifest,
    Answer,
}

impl Nonce {
    pub const ALL: [Nonce; 4] = [
        Nonce::Challenge,
        Nonce::Connection,
        Nonce::Manifest,
        Nonce::Answer,
    ];
}

impl Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Nonce::Challenge => "request",
            Nonce::Connection => "connection",
            Nonce::Manifest => "manifest",
            Nonce::Answer => "answer",
        })
    }
}

impl Failure {
    pub(super) fn handshake(error: io::Error) -> Failure {
        match refuses_us(&error) {
            true => Failure::NotAdmitted,
            false => Failure::Handshake(error),
        }
    }

    pub(super) fn broken(error: hyper::Error) -> Failure {
        match refuses_us(&error) {
            true => Failure::NotAdmitted,
            false => Failure::Broken(error),
        }
    }

    /// A short fixed word for logs and programs.
    pub fn reason(&self) -> &'static str {
        match self {
            Failure::Unreachable(_) => "unreachable",
            Failure::Handshake(_) => "handshake",
            Failure::NotAdmitted => "not-admitted",
            Failure::Broken(_) => "broken",
            Failure::Slow => "slow",
            Failure::TooLarge => "too-large",
            Failure::NoToken(_) => "no-token",
            Failure::Token(fault) => fault.reason(),
            Failure::Nonce(Nonce::Challenge) => "other-request",
            Failure::Nonce(Nonce::Connection) => "other-connection",
            Failure::Nonce(Nonce::Manifest) => "other-manifest",
            Failure::Nonce(Nonce::Answer) => "other-answer",
            Failure::Keys(fault) => fault.reason(),
            Failure::Policy(_) => "policy",
            Failure::Workload(_) => "other-workload",
            Failure::Ended => "ended",
            Failure::Random => "random",
            Failure::Bug => "bug",
        }
    }
}

/// Whether an error is the server's word that it does not let us in. Whoever is on the way can say the same.
fn refuses_us(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::AlertReceived(alert)) = error.downcast_ref() {
            return matches!(
                alert,
                AlertDescription::AccessDenied | AlertDescription::CertificateRequired
            );
        }
        // An io::Error is its inner error, and gives as source the one below that.
        next = match error.downcast_ref::<io::Error>() {
            Some(error) => error.get_ref().map(|inner| inner as _),
            None => error.source(),
        };
    }
    false
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Unreachable(_) => f.write_str("the server cannot be reached"),
            Failure::Handshake(_) => f.write_str("the handshake failed"),
            Failure::NotAdmitted => f.write_str("the server does not let this key in"),
            // The source tells the rest.
            Failure::Broken(_) => f.write_str("the server broke off"),
            Failure::Slow => {
                f.write_str("the server, or the verification of its token, took too long")
            }
            Failure::TooLarge => f.write_str("the server answered more than any answer has"),
            Failure::NoToken(status) => {
                write!(
                    f,
                    "no token vouches for the answer (status {})",
                    status.as_u16()
                )
            }
            Failure::Token(fault) => fault.fmt(f),
            Failure::Nonce(nonce) => write!(f, "the token vouches for another {nonce}"),
            Failure::Keys(fault) => fault.fmt(f),
            Failure::Policy(report) => {
                let failed: Vec<_> = report.failed().map(|demand| demand.to_string()).collect();
                write!(
                    f,
                    "the machine does not meet the manifest ({})",
                    failed.join(", ")
                )
            }
            Failure::Workload(name) => {
                write!(f, "the machine plays another part in the manifest: {name}")
            }
            Failure::Ended => f.write_str("the connection ended with an earlier failure"),
            Failure::Random => f.write_str("the system's random numbers cannot be had"),
            Failure::Bug => f.write_str("this program has a fault"),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Failure::Unreachable(error) | Failure::Handshake(error) => Some(error),
            Failure::Broken(error) => Some(error),
            _ => None,
        }
    }
}
