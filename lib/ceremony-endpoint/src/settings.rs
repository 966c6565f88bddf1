//! The settings that are the same for every ceremony.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use mcbn_ceremony::Terms;
use mcbn_consent::settings as shares;
use mcbn_launcher::TokenType;
use mcbn_manifest::{Manifest, policy::TokenKind};
use mcbn_runtime::settings::{Given, Port, Reported, Setting};
use mcbn_runtime::units::{Count, Period};
use mcbn_tunnel::settings as connection;

pub const LISTEN: Setting = Setting::value(
    "listen",
    "ADDR:PORT",
    "where to accept the participants' TLS connections; [::] takes IPv4 as well",
)
.default("[::]:8443")
.operator();

/// What [`LISTEN`] says by default, for the image.
pub const PORT: Port = Port::tcp(8443);

pub const MANIFEST: Setting = Setting::value(
    "manifest",
    "file:PATH|text:BASE64URL",
    "the consent manifest: who takes part and with which keys, how many it takes to sign, and the one image that may do this",
)
.required()
.operator();

#[derive(Debug)]
pub struct EndpointConfig {
    pub listen: SocketAddr,
    pub manifest: Manifest,
    pub terms: Terms,
    pub token_socket: PathBuf,
    pub max_connections: NonZeroUsize,
    pub max_connections_per_peer: NonZeroUsize,
    pub handshake_timeout: Duration,
}

impl EndpointConfig {
    /// Of the workload of this name.
    pub fn read(given: &mut Given, workload: &str) -> Result<Self, Reported> {
        let listen = given.one(&LISTEN);
        let manifest = shares::read_manifest(given, &MANIFEST);
        let token_socket = given.one(&shares::TOKEN_SOCKET);
        let max_connections = connection::max_connections(given);
        let per_peer = given.one::<Count>(&connection::MAX_CONNECTIONS_PER_PEER);
        let handshake = given.one::<Period>(&connection::HANDSHAKE_TIMEOUT);
        let manifest = manifest?;
        let terms = Terms::agreed(&manifest, workload);
        let terms = terms.map_err(|error| given.refuse(&[&MANIFEST], error));
        Ok(Self {
            listen: listen?,
            terms: terms?,
            manifest,
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
