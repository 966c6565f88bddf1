//! The table of settings, and what is made of it.

use mcbn_endpoint::client::settings::{self as client, Mode};
use mcbn_endpoint::role::{self, Role};
use mcbn_endpoint::server::settings as server;
use mcbn_kms::End;
use mcbn_kms::settings::{self as kms, EndConfig};
use mcbn_runtime::settings::{Given, Port, Program, Reported, Setting};
use mcbn_tunnel::settings::{self as connection, ClientConfig, ServerConfig};

use crate::decrypt;
use crate::error::Error;

pub const PROGRAM: Program = Program::new(
    "kms-mtls",
    env!("CARGO_PKG_VERSION"),
    "Mutual TLS with a private key that never leaves Google Cloud KMS, which signs each full handshake. As a server it \
     answers GET / with ok or forwards decrypted streams; as a client it makes one request, joins standard input and \
     output, or tunnels a local port.",
    ROWS_OF_RUN,
    &[Port::tcp(8443)],
)
.with_commands(decrypt::COMMANDS);

pub const ROWS_OF_RUN: &[Setting] = &[
    role::ROLE,
    role::LISTEN,
    server::FORWARD,
    server::INSECURE_PLAINTEXT_FORWARD,
    role::SERVER,
    client::GET,
    client::STDIO,
    connection::INSECURE_PLAINTEXT_LISTEN,
    kms::KEY,
    kms::PROTECTION_LEVEL,
    kms::CERTIFICATE,
    kms::PEER_CA,
    kms::PEER_NAME,
    kms::TLS_VERSION,
    kms::RESUMPTION_LIFETIME,
    kms::KMS_TIMEOUT,
    kms::KMS_CONCURRENCY,
    kms::GOOGLE_CREDENTIALS,
    kms::TOKEN_SOCKET,
    kms::STS_ENDPOINT,
    kms::KMS_ENDPOINT,
    kms::SECRET_MANAGER_ENDPOINT,
    connection::MAX_CONNECTIONS,
    connection::MAX_CONNECTIONS_PER_PEER,
    server::MAX_HANDSHAKES,
    connection::HANDSHAKE_TIMEOUT,
    connection::IDLE_TIMEOUT,
    connection::CONNECT_TIMEOUT,
    connection::DNS_SERVER,
];

#[derive(Debug)]
pub struct Config {
    pub end: EndConfig,
    pub work: Work,
}

/// What the key is for.
#[derive(Debug)]
pub enum Work {
    Server(ServerConfig),
    Client(ClientConfig, Mode),
}

impl Config {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let role = given.one::<Role>(&role::ROLE)?;
        role.refuse_others(given, &server::ROWS, &role::OF_CLIENTS);
        let (end, work) = match role {
            Role::Server => (EndConfig::read(given, End::Server), read_server(given)),
            Role::Client => (EndConfig::read(given, End::Client), read_client(given)),
        };
        Ok(Self {
            end: end?,
            work: work?,
        })
    }
}

fn read_server(given: &mut Given) -> Result<Work, Reported> {
    role::read_server(given, &role::LISTEN, &server::ROWS).map(Work::Server)
}

fn read_client(given: &mut Given) -> Result<Work, Reported> {
    let client = role::read_client(given);
    let mode = Mode::read(given, &role::LISTEN, None);
    Ok(Work::Client(client?, mode?))
}

impl Work {
    /// What it means that a signal comes before any work is done.
    pub fn cut(&self) -> Result<(), Error> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Client(_, mode) => mode.cut().map_err(Error::Client),
        }
    }
}

#[cfg(test)]
mod tests;
