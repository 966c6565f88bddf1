//! The PSK workloads, over TLS and DTLS, detrsa-mtls and kms-mtls, against the implementations of others, in both roles.
//!
//! A peer is anything that implements [`Peer`]; [`scenarios!`] gives it every scenario, and a new peer is one file in
//! `src` and one in `tests`. Refusals have files of their own.

#![forbid(unsafe_code)]

pub mod certificate;
pub mod curl;
pub mod dtls;
pub mod exchange;
pub mod gnutls;
pub mod guarded;
pub mod hello;
pub mod kms;
pub mod mtls;
pub mod node;
pub mod openssl;
pub mod ours;
pub mod python;
pub mod scenario;
mod scripts;
pub mod stream;
pub mod stunnel;
pub mod tpm;
pub mod tpm_psk;

use std::net::SocketAddr;

use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::process::Process;

use crate::stream::Stream;

/// The one protocol version that a peer is held to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    Tls12,
    Tls13,
}

/// What a peer knows.
#[derive(Clone, Copy, Debug)]
pub struct Credentials {
    pub identity: &'static str,
    /// In hexadecimal digits.
    pub key: &'static str,
}

impl Credentials {
    /// The key that [`ours`] makes of the published shares.
    pub const RIGHT: Self = Self {
        identity: mcbn_tests_support::shares::IDENTITY,
        key: mcbn_tests_support::shares::KEY,
    };

    pub const WRONG_KEY: Self = Self {
        key: mcbn_tests_support::shares::WRONG_KEY,
        ..Self::RIGHT
    };

    pub const WRONG_IDENTITY: Self = Self {
        identity: "Client2",
        ..Self::RIGHT
    };
}

/// An implementation of TLS-PSK by others.
pub trait Peer {
    /// Whether its client can end its sending direction and go on reading.
    const HALF_CLOSE: bool = true;

    /// What its HTTP server's page holds.
    const PAGE: &str;

    /// Connects, with a stream to write to and to read from.
    fn connect(to: SocketAddr, version: Version, credentials: Credentials) -> Stream;

    /// Answers `GET /` with [`Self::PAGE`].
    fn serve_http(version: Version, credentials: Credentials) -> Served;

    /// Answers as [`Self::answer`] says.
    fn serve(version: Version, credentials: Credentials) -> Served;

    /// What its server answers to these lines of text.
    fn answer(sent: &[u8]) -> Vec<u8>;
}

/// A peer that listens.
pub struct Served {
    pub process: Process,
    pub address: SocketAddr,
    /// The files that it reads.
    pub folder: Option<Folder>,
}

/// All of it in reverse: what a peer can only say once it has seen the end.
pub fn reversed(sent: &[u8]) -> Vec<u8> {
    sent.iter().rev().copied().collect()
}
