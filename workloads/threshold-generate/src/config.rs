//! The table of settings, and what is made of it.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use mcbn_ceremony::{Purpose, Terms};
use mcbn_consent::settings as shares;
use mcbn_launcher::TokenType;
use mcbn_manifest::{Manifest, policy::TokenKind};
use mcbn_runtime::settings::{Given, Port, Program, Reported, Setting};
use mcbn_runtime::units::{Count, Period};
use mcbn_tunnel::settings as connection;

pub const NAME: &str = "threshold-generate";

pub const PROGRAM: Program = Program::new(
    NAME,
    env!("CARGO_PKG_VERSION"),
    "Makes a BLS signing key that nobody has: once every participant of the manifest has approved, each gets a share that it \
     alone can open, confirms it, and the key is forgotten. Any so many of them as the manifest says can sign with it then. \
     The program ends with the key; another key is another start.",
    &[
        LISTEN,
        MANIFEST,
        PURPOSE,
        DEADLINE,
        shares::TOKEN_SOCKET,
        connection::MAX_CONNECTIONS,
        connection::MAX_CONNECTIONS_PER_PEER,
        connection::HANDSHAKE_TIMEOUT,
    ],
    &[Port::tcp(8443)],
);

const LISTEN: Setting = Setting::value(
    "listen",
    "ADDR:PORT",
    "where to accept the participants' TLS connections; [::] takes IPv4 as well",
)
.default("[::]:8443")
.operator();

const MANIFEST: Setting = Setting::value(
    "manifest",
    "file:PATH|text:BASE64URL",
    "the consent manifest: who takes part and with which keys, how many it takes to sign, and the one image that may do this",
)
.required()
.operator();

const PURPOSE: Setting = Setting::value(
    "purpose",
    "TEXT",
    "what the key will be for, as every participant reads it before it approves",
)
.required()
.operator();

const DEADLINE: Setting = Setting::value(
    "deadline",
    "TIME",
    "by when all must have approved and confirmed; then nothing that was made counts",
)
.default("24h")
.operator();

#[derive(Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub manifest: Manifest,
    pub terms: Terms,
    pub purpose: Purpose,
    pub deadline: Duration,
    pub token_socket: PathBuf,
    pub max_connections: NonZeroUsize,
    pub max_connections_per_peer: NonZeroUsize,
    pub handshake_timeout: Duration,
}

impl Config {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let listen = given.one(&LISTEN);
        let manifest = shares::read_manifest(given, &MANIFEST);
        let purpose = given.one(&PURPOSE);
        let deadline = given.one::<Period>(&DEADLINE);
        let token_socket = given.one(&shares::TOKEN_SOCKET);
        let max_connections = connection::max_connections(given);
        let per_peer = given.one::<Count>(&connection::MAX_CONNECTIONS_PER_PEER);
        let handshake = given.one::<Period>(&connection::HANDSHAKE_TIMEOUT);
        let manifest = manifest?;
        let terms = Terms::agreed(&manifest, NAME);
        let terms = terms.map_err(|error| given.refuse(&[&MANIFEST], error));
        Ok(Self {
            listen: listen?,
            terms: terms?,
            manifest,
            purpose: purpose?,
            deadline: deadline?.get(),
            token_socket: token_socket?,
            max_connections: max_connections?,
            max_connections_per_peer: per_peer?.get(),
            handshake_timeout: handshake?.get(),
        })
    }

    pub fn token_type(&self) -> TokenType {
        match self.manifest.policy().token {
            TokenKind::Oidc => TokenType::Oidc,
            TokenKind::Pki => TokenType::Pki,
        }
    }
}
