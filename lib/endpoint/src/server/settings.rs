//! The settings of a server.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_runtime::units::Count;
use mcbn_tunnel::settings::{self as connection, Timeouts};
use mcbn_tunnel::target::Target;

pub const FORWARD: Setting = Setting::value(
    "forward",
    "HOST:PORT",
    "the plain TCP service that gets the decrypted streams; without it GET / is answered with ok",
)
.operator();

pub const INSECURE_PLAINTEXT_FORWARD: Setting = Setting::switch(
    "insecure-plaintext-forward",
    "let decrypted streams leave this machine in clear, to a --forward that is not loopback",
);

pub const MAX_CONNECTIONS_PER_PEER: Setting = Setting::value(
    "max-connections-per-peer",
    "N",
    "connections at one time from one IPv4 address or IPv6 /64",
)
.default("1024")
.operator();

pub const MAX_HANDSHAKES: Setting = Setting::value(
    "max-handshakes",
    "N",
    "connections at one time whose peers have not shown yet that they know the key",
)
.default("1024")
.operator();

#[derive(Clone, Debug)]
pub struct ServerConfig {
    pub listen: SocketAddr,
    pub forward: Option<Target>,
    pub max_connections: NonZeroUsize,
    pub max_connections_per_peer: NonZeroUsize,
    pub max_handshakes: NonZeroUsize,
    pub timeouts: Timeouts,
    pub dns_server: Option<SocketAddr>,
}

impl ServerConfig {
    /// Where to listen is the program's to say: it has a default of its own.
    pub fn read(given: &mut Given, listen: Result<SocketAddr, Reported>) -> Result<Self, Reported> {
        let forward = read_forward(given);
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
    let forward = given.optional::<Target>(&FORWARD)?;
    match &forward {
        Some(target) if !target.is_loopback() && !insecure => Err(given.refuse(
            &[&FORWARD],
            "not a loopback address, and decrypted streams would cross the network in clear",
        )),
        None if insecure => Err(given.refuse(
            &[&INSECURE_PLAINTEXT_FORWARD],
            "there is no --forward that it could apply to",
        )),
        _ => Ok(forward),
    }
}
