//! The table of settings, and what is made of it.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use mcbn_ceremony::signing::{Limits, Signers};
use mcbn_ceremony_endpoint::{EndpointConfig, LISTEN, MANIFEST, PORT};
use mcbn_consent::settings::{self as shares, RevealConfig};
use mcbn_manifest::Manifest;
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_runtime::units::{Count, Period};
use mcbn_share::Inheritance;
use mcbn_tunnel::settings as connection;

pub const NAME: &str = "threshold-sign";

pub const PROGRAM: Program = Program::new(
    NAME,
    env!("CARGO_PKG_VERSION"),
    "Signs with the key of the manifest's commitments. A participant announces a message; as many of them as the manifest \
     says read it and approve it, each with a partial signature made with a share that stays where it is, unless shares \
     are revealed; then the group's signature is made, verified, and given to whoever of them asks.",
    &[
        LISTEN,
        MANIFEST,
        MAX_REQUESTS,
        REQUEST_LIFETIME,
        REVEAL_SHARES,
        shares::SHARE,
        shares::CONSENT_TIMEOUT,
        connection::DNS_SERVER,
        shares::TOKEN_SOCKET,
        connection::MAX_CONNECTIONS,
        connection::MAX_CONNECTIONS_PER_PEER,
        connection::HANDSHAKE_TIMEOUT,
    ],
    &[PORT],
);

const MAX_REQUESTS: Setting = Setting::value(
    "max-requests",
    "N",
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

const REVEAL_SHARES: Setting = Setting::value(
    "reveal-shares",
    "never|attested",
    "whether participants' shares come here: never, and each approval has a partial signature; or attested, from \
     --share, keepers and Google Cloud, under a manifest that says bls-reveal-v1, and approvals stand alone: this program can then sign \
     for all, for as long as they consent",
)
.default("never")
.operator();

/// Whether shares come here.
enum Reveal {
    Never,
    Attested,
}

impl FromStr for Reveal {
    type Err = NotReveal;

    fn from_str(text: &str) -> Result<Self, NotReveal> {
        match text {
            "never" => Ok(Self::Never),
            "attested" => Ok(Self::Attested),
            _ => Err(NotReveal),
        }
    }
}

struct NotReveal;

impl fmt::Display for NotReveal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("neither never nor attested")
    }
}

/// Shares that are revealed, and how those who reveal them are found.
#[derive(Debug)]
pub struct Revealed {
    pub shares: RevealConfig,
    pub dns_server: Option<SocketAddr>,
}

impl Revealed {
    fn read(given: &mut Given, manifest: &Manifest) -> Result<Option<Self>, Reported> {
        match given.one(&REVEAL_SHARES)? {
            Reveal::Never => {
                let needless = [
                    &shares::SHARE,
                    &shares::CONSENT_TIMEOUT,
                    &connection::DNS_SERVER,
                ];
                given.refuse_given(
                    &needless,
                    "--reveal-shares is never: nobody is asked for one",
                );
                Ok(None)
            }
            Reveal::Attested => {
                let mut inheritance = Inheritance::new();
                let shares = RevealConfig::read(given, &mut inheritance, &MANIFEST, manifest);
                let dns_server = connection::dns_server(given);
                Ok(Some(Self {
                    shares: shares?,
                    dns_server: dns_server?,
                }))
            }
        }
    }
}

#[derive(Debug)]
pub struct Config {
    pub endpoint: EndpointConfig,
    pub signers: Signers,
    pub limits: Limits,
    /// None where they stay with their owners.
    pub revealed: Option<Revealed>,
}

impl Config {
    /// Takes the inherited descriptors, so this comes before the program opens anything itself.
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let endpoint = EndpointConfig::read(given, NAME);
        let open = given.one::<Count>(&MAX_REQUESTS);
        let life = given.one::<Period>(&REQUEST_LIFETIME);
        let endpoint = endpoint?;
        let signers = Signers::agreed(&endpoint.manifest, NAME);
        let signers = signers.map_err(|error| given.refuse(&[&MANIFEST], error));
        let revealed = Revealed::read(given, &endpoint.manifest);
        Ok(Self {
            signers: signers?,
            revealed: revealed?,
            endpoint,
            limits: Limits {
                open: open?.get().get(),
                life: life?.get(),
            },
        })
    }
}
