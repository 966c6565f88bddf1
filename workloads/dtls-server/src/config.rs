//! The table of settings, and what is made of it.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use mcbn_consent::settings as shares;
use mcbn_dtls::settings::{self as dtls, Dtls};
use mcbn_psk::settings::{self as key, KeyConfig};
use mcbn_runtime::settings::{Given, Port, Program, Reported, Setting};
use mcbn_runtime::units::Count;
use mcbn_tunnel::settings::{self as connection, Timeouts};
use mcbn_tunnel::target::Target;

pub const PROGRAM: Program = Program::new(
    "dtls-server",
    env!("CARGO_PKG_VERSION"),
    "A DTLS server that only those reach who know a key made of every participant's share. It answers each datagram \
     with itself, or forwards decrypted datagrams to a plain UDP service.",
    &[
        LISTEN,
        FORWARD,
        INSECURE_PLAINTEXT_FORWARD,
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
        MAX_CONNECTIONS_PER_PEER,
        MAX_HANDSHAKES,
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

const FORWARD: Setting = Setting::value(
    "forward",
    "HOST:PORT",
    "the plain UDP service that gets the decrypted datagrams; without it each is answered with itself",
)
.operator();

const INSECURE_PLAINTEXT_FORWARD: Setting = Setting::switch(
    "insecure-plaintext-forward",
    "let decrypted datagrams leave this machine in clear, to a --forward that is not loopback",
);

const MAX_CONNECTIONS_PER_PEER: Setting = Setting::value(
    "max-connections-per-peer",
    "N",
    "connections at one time from one IPv4 address or IPv6 /64",
)
.default("1024")
.operator();

const MAX_HANDSHAKES: Setting = Setting::value(
    "max-handshakes",
    "N",
    "connections at one time whose peers have shown where they are, and not yet that they know the key",
)
.default("1024")
.operator();

#[derive(Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub forward: Option<Target>,
    pub key: KeyConfig<Dtls>,
    pub max_connections: NonZeroUsize,
    pub max_connections_per_peer: NonZeroUsize,
    pub max_handshakes: NonZeroUsize,
    pub timeouts: Timeouts,
    pub dns_server: Option<SocketAddr>,
}

impl Config {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let listen = given.one(&LISTEN);
        let forward = read_forward(given);
        let key = KeyConfig::read(given);
        let max_connections = connection::max_connections(given);
        let max_connections_per_peer = given
            .one::<Count>(&MAX_CONNECTIONS_PER_PEER)
            .map(Count::get);
        let max_handshakes = given.one::<Count>(&MAX_HANDSHAKES).map(Count::get);
        let timeouts = Timeouts::read(given);
        let dns_server = connection::dns_server(given);
        Ok(Self {
            listen: listen?,
            forward: forward?,
            key: key?,
            max_connections: max_connections?,
            max_connections_per_peer: max_connections_per_peer?,
            max_handshakes: max_handshakes?,
            timeouts: timeouts?,
            dns_server: dns_server?,
        })
    }
}

fn read_forward(given: &mut Given) -> Result<Option<Target>, Reported> {
    let insecure = given.on(&INSECURE_PLAINTEXT_FORWARD);
    let forward = given.optional::<Target>(&FORWARD)?.map(Target::over_udp);
    match &forward {
        Some(target) if !target.is_loopback() && !insecure => Err(given.refuse(
            &[&FORWARD],
            "not a loopback address, and decrypted datagrams would cross the network in clear",
        )),
        None if insecure => Err(given.refuse(
            &[&INSECURE_PLAINTEXT_FORWARD],
            "there is no --forward that it could apply to",
        )),
        _ => Ok(forward),
    }
}
