//! The table of settings, and what is made of it.

use mcbn_consent::settings as shares;
use mcbn_endpoint::client::settings::{self as client, Mode};
use mcbn_psk::settings::{self as key, KeyConfig};
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_tunnel::settings::{self as connection, ClientConfig};

pub const PROGRAM: Program = Program::new(
    "psk-client",
    env!("CARGO_PKG_VERSION"),
    "Reaches a TLS server that asks for a key made of every participant's share: for one HTTP request, for standard \
     input and output, or for programs that connect to a local port.",
    &[
        connection::SERVER,
        client::GET,
        client::STDIO,
        LISTEN,
        connection::INSECURE_PLAINTEXT_LISTEN,
        shares::SHARE,
        shares::MANIFEST,
        shares::DERIVATION,
        shares::THRESHOLD,
        shares::MANIFEST_DIGEST,
        shares::CONSENT_TIMEOUT,
        shares::TOKEN_SOCKET,
        key::IDENTITY,
        key::TLS12,
        connection::MAX_CONNECTIONS,
        connection::HANDSHAKE_TIMEOUT,
        connection::IDLE_TIMEOUT,
        connection::CONNECT_TIMEOUT,
        connection::DNS_SERVER,
    ],
    &[],
);

const LISTEN: Setting = Setting::value(
    "listen",
    "ADDR:PORT",
    "accept plain connections here, on a loopback address, and tunnel each to the server",
)
.operator();

#[derive(Debug)]
pub struct Config {
    pub client: ClientConfig,
    pub key: KeyConfig,
    pub mode: Mode,
}

impl Config {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let targets = given.all(&connection::SERVER);
        let key = KeyConfig::read(given);
        let client = ClientConfig::read(given, targets);
        let of_standard_input = key.as_ref().ok().and_then(KeyConfig::of_standard_input);
        let mode = Mode::read(given, &LISTEN, of_standard_input);
        Ok(Self {
            client: client?,
            key: key?,
            mode: mode?,
        })
    }
}
