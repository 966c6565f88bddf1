//! The table of settings, and what is made of it.

use std::time::Duration;

use mcbn_ceremony::Purpose;
use mcbn_ceremony_endpoint::{EndpointConfig, LISTEN, MANIFEST, PORT};
use mcbn_consent::settings as shares;
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_runtime::units::Period;
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
    &[PORT],
);

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
    pub endpoint: EndpointConfig,
    pub purpose: Purpose,
    pub deadline: Duration,
}

impl Config {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let endpoint = EndpointConfig::read(given, NAME);
        let purpose = given.one(&PURPOSE);
        let deadline = given.one::<Period>(&DEADLINE);
        Ok(Self {
            endpoint: endpoint?,
            purpose: purpose?,
            deadline: deadline?.get(),
        })
    }
}
