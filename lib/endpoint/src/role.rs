//! Which end a program is that can be either, and the settings that depend on it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_tunnel::settings::{ClientConfig, INSECURE_PLAINTEXT_LISTEN, ServerConfig, ServerRows};

use crate::client::settings::{GET, STDIO};

pub const ROLE: Setting = Setting::value("role", "server|client", "which end this is")
    .required()
    .operator();

/// Of streams. It has no default: a client that has none does not listen.
pub const LISTEN: Setting = Setting::value(
    "listen",
    "ADDR:PORT",
    "server: where to accept TLS connections, [::]:8443 unless given; [::] takes IPv4 as well. client: accept plain \
     connections here, on a loopback address, and tunnel each to the server",
)
.operator();

pub const SERVER: Setting = Setting::value(
    "server",
    "HOST:PORT|srv:NAME",
    "client: where the server is; with several, the next one is tried when one cannot be reached",
)
.repeat()
.operator();

/// Where a server accepts connections unless told otherwise.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 8443);

/// Rows that mean something to a client of streams only; those of servers are [`ServerRows::of_servers`].
pub const OF_CLIENTS: [&Setting; 4] = [&SERVER, &GET, &STDIO, &INSECURE_PLAINTEXT_LISTEN];

/// `listen` is the program's row, and `rows` are those of what it serves.
pub fn read_server(
    given: &mut Given,
    listen: &Setting,
    rows: &ServerRows,
) -> Result<ServerConfig, Reported> {
    let listen = given.optional(listen);
    let listen = listen.map(|listen| listen.unwrap_or(DEFAULT_LISTEN));
    ServerConfig::read(given, listen, rows)
}

pub fn read_client(given: &mut Given) -> Result<ClientConfig, Reported> {
    let servers = match given.all(&SERVER) {
        Ok(none) if none.is_empty() => Err(given.refuse(&[&SERVER], "a client needs it")),
        servers => servers,
    };
    ClientConfig::read(given, servers)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    Server,
    Client,
}

impl Role {
    /// Refuses settings of the other role.
    pub fn refuse_others(self, given: &mut Given, server: &ServerRows, of_clients: &[&Setting]) {
        match self {
            Self::Server => given.refuse_given(of_clients, "for --role client only"),
            Self::Client => given.refuse_given(&server.of_servers(), "for --role server only"),
        }
    }
}

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        match text {
            "server" => Ok(Self::Server),
            "client" => Ok(Self::Client),
            _ => Err(NotARole),
        }
    }
}

/// The text names no role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotARole;

impl fmt::Display for NotARole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not server or client")
    }
}

impl std::error::Error for NotARole {}
