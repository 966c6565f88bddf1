//! What ends the program, by who is at fault.

use std::fmt;
use std::io;
use std::path::PathBuf;

use mcbn_consent::lease::Lost;
use mcbn_endpoint::{client, server};
use mcbn_pinned::NoKey;
use mcbn_place::{NotWritten, Unreadable, Whose};
use mcbn_psk::Setup;
use mcbn_psk::handshake::NoStream;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_tpm::NotAnAuthValue;
use mcbn_tpm::key::NotAKey;
use mcbn_tunnel::names::NoResolver;

#[derive(Debug)]
pub enum Error {
    /// There are no shares to make the permanent key of.
    Shares(NoKey),
    /// A secret cannot be read.
    Unreadable(Unreadable),
    /// What was read is no permanent key.
    NoSecret(NoPermanentKey),
    NotAnAuthValue(Whose, NotAnAuthValue),
    /// The key's file cannot be read.
    KeyFile(PathBuf, io::Error),
    NotAKey(PathBuf, NotAKey),
    /// The TPM does not do what it is asked.
    Tpm(mcbn_tpm::Error),
    /// The TPM makes no key.
    NotMade(mcbn_tpm::Error),
    /// OpenSSL cannot be set up.
    Tls(Setup),
    /// There is no port.
    StreamServer(server::Error),
    DatagramServer(mcbn_dtls_endpoint::server::Error),
    /// A name cannot be looked up.
    Names(NoResolver),
    /// The client's work ended before it was done.
    StreamClient(client::Error<NoStream>),
    DatagramClient(mcbn_dtls_endpoint::client::Error),
    /// There was a key, and too few participants agree to its use now.
    ConsentLost(Lost),
    /// The new key's file cannot be written.
    NotWritten(NotWritten),
    /// Nothing can be waited for.
    Runtime(io::Error),
    /// Standard output broke.
    Print(io::Error),
}

/// A text that should be a permanent key.
#[derive(Debug)]
pub struct NoPermanentKey(pub mcbn_share::text::NotAKey);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shares(_) => f.write_str("cannot make the permanent key"),
            Self::Unreadable(error) => error.fmt(f),
            Self::NoSecret(NoPermanentKey(why)) => write!(f, "the permanent key is refused: {why}"),
            Self::NotAnAuthValue(whose, why) => write!(f, "{whose} is refused: {why}"),
            Self::KeyFile(path, _) => write!(f, "cannot read {}", path.display()),
            Self::NotAKey(path, _) => write!(f, "{} is refused", path.display()),
            Self::Tpm(_) => f.write_str("cannot use the permanent key"),
            Self::NotMade(_) => f.write_str("cannot make a key in the TPM"),
            Self::Tls(_) => f.write_str("cannot set up TLS"),
            Self::StreamServer(error) => error.fmt(f),
            Self::DatagramServer(error) => error.fmt(f),
            Self::Names(_) => f.write_str("cannot look up the names in --server"),
            Self::StreamClient(error) => error.fmt(f),
            Self::DatagramClient(error) => error.fmt(f),
            Self::ConsentLost(lost) => lost.fmt(f),
            Self::NotWritten(error) => error.fmt(f),
            Self::Runtime(_) => f.write_str("cannot start to wait"),
            Self::Print(_) => f.write_str("cannot write to standard output"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Shares(source) => Some(source),
            Self::Unreadable(error) => error.source(),
            Self::KeyFile(_, source) | Self::Runtime(source) | Self::Print(source) => Some(source),
            Self::NotAKey(_, source) => Some(source),
            Self::Tpm(source) | Self::NotMade(source) => Some(source),
            Self::Tls(source) => Some(source),
            Self::StreamServer(error) => error.source(),
            Self::DatagramServer(error) => error.source(),
            Self::Names(source) => Some(source),
            Self::StreamClient(error) => error.source(),
            Self::DatagramClient(error) => error.source(),
            Self::ConsentLost(lost) => lost.source(),
            // They say it all.
            Self::NoSecret(_) | Self::NotAnAuthValue(..) | Self::NotWritten(_) => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Shares(source) => source.exit(),
            Self::Unreadable(error) if error.is_about_permission() => Exit::Refused,
            Self::Unreadable(_) => Exit::Io,
            Self::NoSecret(_) | Self::NotAnAuthValue(..) | Self::NotAKey(..) => Exit::Refused,
            Self::KeyFile(_, source) | Self::Print(source) => source.exit(),
            Self::NotWritten(error) => error.error().exit(),
            Self::Tpm(error) | Self::NotMade(error) => tpm_exit(error),
            Self::Tls(_) | Self::Names(_) | Self::Runtime(_) => Exit::Platform,
            Self::StreamServer(error) => error.exit(),
            Self::DatagramServer(error) => error.exit(),
            Self::StreamClient(error) => error.exit(),
            Self::DatagramClient(error) => error.exit(),
            Self::ConsentLost(lost) => lost.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Shares(source) => source.hint(),
            Self::Unreadable(error) => error.hint().map(Into::into),
            Self::NoSecret(NoPermanentKey(why)) => Some(match why {
                mcbn_share::text::NotAKey::Text(_) => {
                    "a permanent key is 32 bytes, as 64 hex digits or 43 base64url characters"
                        .into()
                }
                mcbn_share::text::NotAKey::NotRandom => {
                    "a permanent key is drawn at random, as by openssl rand -hex 32".into()
                }
            }),
            Self::NotAKey(_, NotAKey::Pem) => {
                Some("key create, key import and tpm2_encodeobject write files that are".into())
            }
            Self::Tpm(error) | Self::NotMade(error) => error.hint().map(Into::into),
            Self::StreamServer(error) => error.hint(),
            Self::DatagramServer(error) => error.hint(),
            Self::Names(_) => Some(
                "give a DNS server with --dns-server, or addresses in place of the names".into(),
            ),
            Self::StreamClient(error) => error.hint(),
            Self::DatagramClient(error) => error.hint(),
            Self::ConsentLost(lost) => lost.hint(),
            Self::NotWritten(error) if error.error().kind() == io::ErrorKind::AlreadyExists => {
                Some("nothing is written over: name a file that is not there".into())
            }
            Self::NotAnAuthValue(..)
            | Self::KeyFile(..)
            | Self::NotAKey(..)
            | Self::Tls(_)
            | Self::NotWritten(_)
            | Self::Runtime(_)
            | Self::Print(_) => None,
        }
    }
}

fn tpm_exit(error: &mcbn_tpm::Error) -> Exit {
    match error {
        mcbn_tpm::Error::Unreachable(_)
        | mcbn_tpm::Error::Reset
        | mcbn_tpm::Error::Lockout
        | mcbn_tpm::Error::Full => Exit::Unavailable,
        mcbn_tpm::Error::WrongAuth(_)
        | mcbn_tpm::Error::OtherPcrs
        | mcbn_tpm::Error::NoPcrs
        | mcbn_tpm::Error::AnotherTpms
        | mcbn_tpm::Error::NoSuchHandle
        | mcbn_tpm::Error::NotForThis(_) => Exit::Refused,
        mcbn_tpm::Error::NoThread(_) | mcbn_tpm::Error::Refused(..) => Exit::Platform,
    }
}
