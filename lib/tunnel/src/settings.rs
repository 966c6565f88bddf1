//! The settings of connections, which are the same for every program that has them.

mod client;
mod server;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_runtime::units::{Count, Period};

pub use client::{ClientConfig, INSECURE_PLAINTEXT_LISTEN, ListenConfig, SERVER};
pub use server::{MAX_CONNECTIONS_PER_PEER, ServerConfig, ServerRows};

pub const MAX_CONNECTIONS: Setting = Setting::value(
    "max-connections",
    "N",
    "accepted connections at one time; one more is closed at once",
)
.default("4096")
.operator();

pub const HANDSHAKE_TIMEOUT: Setting = Setting::value(
    "handshake-timeout",
    "TIME",
    "how long a peer may take until it has shown that it knows the key",
)
.default("10s")
.operator();

pub const IDLE_TIMEOUT: Setting = Setting::value(
    "idle-timeout",
    "TIME",
    "a connection on which nothing moves in either direction for so long is closed",
)
.default("5m")
.operator();

pub const CONNECT_TIMEOUT: Setting = Setting::value(
    "connect-timeout",
    "TIME",
    "how long to go on trying, with all addresses and in rounds, until one can be reached",
)
.default("10s")
.operator();

pub const DNS_SERVER: Setting = Setting::value(
    "dns-server",
    "ADDR:PORT",
    "ask this DNS server, in place of /etc/hosts and /etc/resolv.conf",
)
.operator();

/// How many connections are accepted.
pub fn max_connections(given: &mut Given) -> Result<NonZeroUsize, Reported> {
    given.one::<Count>(&MAX_CONNECTIONS).map(Count::get)
}

/// How long the steps of a connection may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub handshake: Duration,
    pub idle: Duration,
    pub connect: Duration,
}

impl Timeouts {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let mut period = |setting| given.one::<Period>(setting).map(Period::get);
        let handshake = period(&HANDSHAKE_TIMEOUT);
        let idle = period(&IDLE_TIMEOUT);
        let connect = period(&CONNECT_TIMEOUT);
        Ok(Self {
            handshake: handshake?,
            idle: idle?,
            connect: connect?,
        })
    }
}

/// Which DNS server to ask, if not the system's.
pub fn dns_server(given: &mut Given) -> Result<Option<SocketAddr>, Reported> {
    given.optional(&DNS_SERVER)
}
