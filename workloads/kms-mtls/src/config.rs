//! The table of settings, and what is made of it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use mcbn_endpoint::client::settings::{self as client, Mode};
use mcbn_endpoint::server::settings as server;
use mcbn_kms::End;
use mcbn_kms::settings::{self as kms, EndConfig};
use mcbn_runtime::settings::{Given, Port, Program, Reported, Setting};
use mcbn_tunnel::settings::{self as connection, ClientConfig, Role, ServerConfig};

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
    ROLE,
    LISTEN,
    server::FORWARD,
    server::INSECURE_PLAINTEXT_FORWARD,
    SERVER,
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

const ROLE: Setting = Setting::value("role", "server|client", "which end this is")
    .required()
    .operator();

const LISTEN: Setting = Setting::value(
    "listen",
    "ADDR:PORT",
    "server: where to accept TLS connections, [::]:8443 unless given; [::] takes IPv4 as well. client: accept plain \
     connections here, on a loopback address, and tunnel each to the server",
)
.operator();

const SERVER: Setting = Setting::value(
    "server",
    "HOST:PORT|srv:NAME",
    "client: where the server is; with several, the next one is tried when one cannot be reached",
)
.repeat()
.operator();

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 8443);

/// Rows that mean something to one role only.
const OF_SERVERS: [&Setting; 4] = [
    &server::FORWARD,
    &server::INSECURE_PLAINTEXT_FORWARD,
    &connection::MAX_CONNECTIONS_PER_PEER,
    &server::MAX_HANDSHAKES,
];
const OF_CLIENTS: [&Setting; 4] = [
    &SERVER,
    &client::GET,
    &client::STDIO,
    &connection::INSECURE_PLAINTEXT_LISTEN,
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
        let (end, work) = match given.one::<Role>(&ROLE) {
            Ok(Role::Server) => {
                given.refuse_given(&OF_CLIENTS, "for --role client only");
                (EndConfig::read(given, End::Server), read_server(given))
            }
            Ok(Role::Client) => {
                given.refuse_given(&OF_SERVERS, "for --role server only");
                (EndConfig::read(given, End::Client), read_client(given))
            }
            Err(reported) => {
                skip(given);
                return Err(reported);
            }
        };
        Ok(Self {
            end: end?,
            work: work?,
        })
    }
}

fn read_server(given: &mut Given) -> Result<Work, Reported> {
    let listen = given.optional(&LISTEN);
    let listen = listen.map(|listen| listen.unwrap_or(DEFAULT_LISTEN));
    ServerConfig::read(given, listen, &server::ROWS).map(Work::Server)
}

fn read_client(given: &mut Given) -> Result<Work, Reported> {
    let servers = match given.all(&SERVER) {
        Ok(none) if none.is_empty() => Err(given.refuse(&[&SERVER], "a client needs it")),
        servers => servers,
    };
    let client = ClientConfig::read(given, servers);
    let mode = Mode::read(given, &LISTEN, None);
    Ok(Work::Client(client?, mode?))
}

/// What they may be depends on what is not known.
fn skip(given: &mut Given) {
    for row in ROWS_OF_RUN {
        given.is_given(row);
    }
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
