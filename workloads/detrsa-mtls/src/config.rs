//! The table of settings, and what is made of it.

mod export;

use std::net::SocketAddr;
use std::path::PathBuf;

use mcbn_consent::settings as shares;
use mcbn_endpoint::client::settings::{self as client, Mode};
use mcbn_endpoint::role::{self, Role};
use mcbn_endpoint::server::settings as server;
use mcbn_mtls::Subject;
use mcbn_mtls::settings::{self as certificate, CertificateConfig};
use mcbn_runtime::settings::{Given, Port, Program, Reported, Setting};
use mcbn_tunnel::settings::{self as connection, ClientConfig, ServerConfig};

use crate::error::Error;
use crate::key::{self, KeyConfig};

use export::Asked;
pub use export::Export;

pub const PROGRAM: Program = Program::new(
    "detrsa-mtls",
    env!("CARGO_PKG_VERSION"),
    "Mutual TLS 1.3 for ordinary stacks: both ends hold one RSA key, made of every participant's share, and each accepts \
     whoever shows it. As a server it answers GET / with ok or forwards decrypted streams; as a client it makes one \
     request, joins standard input and output, or tunnels a local port.",
    &[
        ROLE,
        role::LISTEN,
        server::FORWARD,
        server::INSECURE_PLAINTEXT_FORWARD,
        role::SERVER,
        client::GET,
        client::STDIO,
        connection::INSECURE_PLAINTEXT_LISTEN,
        CSR,
        export::INSECURE_EXPORT_PRIVATE_KEY,
        export::FORMAT,
        export::PASSPHRASE,
        shares::SHARE,
        shares::MANIFEST,
        shares::DERIVATION,
        shares::THRESHOLD,
        shares::MANIFEST_DIGEST,
        shares::CONSENT_TIMEOUT,
        shares::TOKEN_SOCKET,
        key::ALGORITHM,
        key::BITS,
        certificate::NAME,
        certificate::VALIDITY,
        certificate::SELF_SIGNED,
        certificate::CA_CERTIFICATE,
        certificate::CA_KEY,
        certificate::CERTIFICATE,
        certificate::PEER_CA,
        certificate::PEER_NAME,
        connection::MAX_CONNECTIONS,
        connection::MAX_CONNECTIONS_PER_PEER,
        server::MAX_HANDSHAKES,
        connection::HANDSHAKE_TIMEOUT,
        connection::IDLE_TIMEOUT,
        connection::CONNECT_TIMEOUT,
        connection::DNS_SERVER,
    ],
    &[Port::tcp(8443)],
);

const ROLE: Setting = Setting::value(
    "role",
    "server|client",
    "which end this is; without it, a --csr or an export is made and the program ends",
)
.operator();

const CSR: Setting = Setting::value(
    "csr",
    "PATH",
    "write a certificate request for an outside CA to this new file, or to standard output for -, and end",
)
.operator();

/// Rows that mean something to either role, and nothing to what is written and done.
const OF_ROLES: [&Setting; 7] = [
    &role::LISTEN,
    &certificate::PEER_CA,
    &certificate::PEER_NAME,
    &connection::MAX_CONNECTIONS,
    &connection::HANDSHAKE_TIMEOUT,
    &connection::IDLE_TIMEOUT,
    &connection::CONNECT_TIMEOUT,
];

/// Rows of what signs our certificate.
const OF_ISSUERS: [&Setting; 5] = [
    &certificate::VALIDITY,
    &certificate::SELF_SIGNED,
    &certificate::CA_CERTIFICATE,
    &certificate::CA_KEY,
    &certificate::CERTIFICATE,
];

#[derive(Debug)]
pub struct Config {
    pub key: KeyConfig,
    pub work: Work,
}

/// What the key is for.
#[derive(Debug)]
pub enum Work {
    Server {
        server: ServerConfig,
        certificate: CertificateConfig,
    },
    Client {
        client: ClientConfig,
        mode: Mode,
        certificate: CertificateConfig,
    },
    Request {
        subject: Subject,
        to: PathBuf,
        dns_server: Option<SocketAddr>,
    },
    Export {
        export: Export,
        dns_server: Option<SocketAddr>,
    },
}

impl Config {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let key = KeyConfig::read(given);
        let of_standard_input = key.as_ref().ok().and_then(KeyConfig::of_standard_input);
        let role = given.optional::<Role>(&ROLE);
        let csr = given.optional::<PathBuf>(&CSR);
        let export = Asked::read(given);
        let work = match (role, csr, export) {
            (Ok(Some(role)), Ok(None), Ok(None)) => {
                role.refuse_others(given, &server::ROWS, &role::OF_CLIENTS);
                match role {
                    Role::Server => read_server(given),
                    Role::Client => read_client(given, of_standard_input),
                }
            }
            (Ok(None), Ok(Some(to)), Ok(None)) => read_request(given, to),
            (Ok(None), Ok(None), Ok(Some(export))) => read_export(given, export),
            (role, csr, export) => match (role?, csr?, export?) {
                (None, None, None) => {
                    given.hint("give --role server or --role client");
                    Err(given.refuse(&[&ROLE], "it is needed"))
                }
                _ => Err(given.refuse(
                    &[&ROLE, &CSR, &export::INSECURE_EXPORT_PRIVATE_KEY],
                    "only one of them can be given at a time",
                )),
            },
        };
        Ok(Self {
            key: key?,
            work: work?,
        })
    }
}

fn read_server(given: &mut Given) -> Result<Work, Reported> {
    let server = role::read_server(given, &role::LISTEN, &server::ROWS);
    let certificate = CertificateConfig::read(given);
    Ok(Work::Server {
        server: server?,
        certificate: certificate?,
    })
}

fn read_client(
    given: &mut Given,
    of_standard_input: Option<(&Setting, String)>,
) -> Result<Work, Reported> {
    let client = role::read_client(given);
    let mode = Mode::read(given, &role::LISTEN, of_standard_input);
    let certificate = CertificateConfig::read(given);
    Ok(Work::Client {
        client: client?,
        mode: mode?,
        certificate: certificate?,
    })
}

fn read_request(given: &mut Given, to: PathBuf) -> Result<Work, Reported> {
    refuse_settings_of_roles(given);
    given.refuse_given(&OF_ISSUERS, "the CA says what it signs");
    let subject = certificate::subject(given);
    let dns_server = connection::dns_server(given);
    Ok(Work::Request {
        subject: subject?,
        to,
        dns_server: dns_server?,
    })
}

fn read_export(given: &mut Given, export: Asked) -> Result<Work, Reported> {
    refuse_settings_of_roles(given);
    if !export.has_certificate() {
        for rows in [&OF_ISSUERS[..], &[&certificate::NAME]] {
            given.refuse_given(rows, "for --export-format pkcs12 only");
        }
    }
    let export = export.settled(given);
    let dns_server = connection::dns_server(given);
    Ok(Work::Export {
        export: export?,
        dns_server: dns_server?,
    })
}

fn refuse_settings_of_roles(given: &mut Given) {
    for rows in [&server::ROWS.of_servers()[..], &role::OF_CLIENTS, &OF_ROLES] {
        given.refuse_given(rows, "for a --role only");
    }
}

impl Work {
    pub fn dns_server(&self) -> Option<SocketAddr> {
        match self {
            Self::Server { server, .. } => server.dns_server,
            Self::Client { client, .. } => client.dns_server,
            Self::Request { dns_server, .. } | Self::Export { dns_server, .. } => *dns_server,
        }
    }

    /// What it means that a signal comes before any work is done.
    pub fn cut(&self) -> Result<(), Error> {
        match self {
            Self::Server { .. } => Ok(()),
            Self::Client { mode, .. } => mode.cut().map_err(Error::Client),
            Self::Request { .. } | Self::Export { .. } => Err(Error::Cut),
        }
    }
}

#[cfg(test)]
mod tests;
