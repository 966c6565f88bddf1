//! The table of settings, and what is made of it.

use mcbn_consent::settings as shares;
use mcbn_dtls::settings::{self as dtls, Dtls};
use mcbn_dtls_endpoint::server::settings as server;
use mcbn_psk::settings::{self as key, KeyConfig};
use mcbn_runtime::settings::{Given, Port, Program, Reported, Setting};
use mcbn_tunnel::settings::{self as connection, ServerConfig};

pub const PROGRAM: Program = Program::new(
    "dtls-server",
    env!("CARGO_PKG_VERSION"),
    "A DTLS server that only those reach who know a key made of every participant's share. It answers each datagram \
     with itself, or forwards decrypted datagrams to a plain UDP service.",
    &[
        LISTEN,
        server::FORWARD,
        server::INSECURE_PLAINTEXT_FORWARD,
        shares::SHARE,
        shares::MANIFEST,
        shares::DERIVATION,
        shares::THRESHOLD,
        shares::MANIFEST_DIGEST,
        shares::CONSENT_TIMEOUT,
        shares::TOKEN_SOCKET,
        key::IDENTITY,
        dtls::CCM8,
        dtls::MTU,
        connection::MAX_CONNECTIONS,
        connection::MAX_CONNECTIONS_PER_PEER,
        server::MAX_HANDSHAKES,
        connection::HANDSHAKE_TIMEOUT,
        connection::IDLE_TIMEOUT,
        connection::CONNECT_TIMEOUT,
        connection::DNS_SERVER,
    ],
    &[Port::udp(8443)],
);

const LISTEN: Setting = Setting::value(
    "listen",
    "ADDR:PORT",
    "where to take DTLS datagrams; [::] takes IPv4 as well",
)
.default("[::]:8443")
.operator();

#[derive(Debug)]
pub struct Config {
    pub server: ServerConfig,
    pub key: KeyConfig<Dtls>,
}

impl Config {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let listen = given.one(&LISTEN);
        let key = KeyConfig::read(given);
        let server = ServerConfig::read(given, listen, &server::ROWS);
        Ok(Self {
            server: server?,
            key: key?,
        })
    }
}
