//! The table of settings, and what is made of it.

use mcbn_ceremony::signing::{Limits, Signers};
use mcbn_ceremony_endpoint::{EndpointConfig, LISTEN, MANIFEST, PORT};
use mcbn_consent::settings as shares;
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_runtime::units::{Count, Period};
use mcbn_tunnel::settings as connection;

pub const NAME: &str = "threshold-sign";

pub const PROGRAM: Program = Program::new(
    NAME,
    env!("CARGO_PKG_VERSION"),
    "Signs with the key of the manifest's commitments. A participant announces a message; as many of them as the manifest \
     says read it and approve it, each with a partial signature made with a share that stays where it is; then the group's \
     signature is made, verified, and given to whoever of them asks.",
    &[
        LISTEN,
        MANIFEST,
        MAX_REQUESTS,
        REQUEST_LIFETIME,
        shares::TOKEN_SOCKET,
        connection::MAX_CONNECTIONS,
        connection::MAX_CONNECTIONS_PER_PEER,
        connection::HANDSHAKE_TIMEOUT,
    ],
    &[PORT],
);

const MAX_REQUESTS: Setting = Setting::value(
    "max-requests",
    "COUNT",
    "how many requests to sign are open at one time; each participant may announce an equal part of them",
)
.default("10000")
.operator();

const REQUEST_LIFETIME: Setting = Setting::value(
    "request-lifetime",
    "TIME",
    "how long a request to sign is open, and its signature is given",
)
.default("24h")
.operator();

#[derive(Debug)]
pub struct Config {
    pub endpoint: EndpointConfig,
    pub signers: Signers,
    pub limits: Limits,
}

impl Config {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let endpoint = EndpointConfig::read(given, NAME);
        let open = given.one::<Count>(&MAX_REQUESTS);
        let life = given.one::<Period>(&REQUEST_LIFETIME);
        let endpoint = endpoint?;
        let signers = Signers::agreed(&endpoint.manifest, NAME);
        let signers = signers.map_err(|error| given.refuse(&[&MANIFEST], error));
        Ok(Self {
            signers: signers?,
            endpoint,
            limits: Limits {
                open: open?.get().get(),
                life: life?.get(),
            },
        })
    }
}
