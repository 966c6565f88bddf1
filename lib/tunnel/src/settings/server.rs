//! The settings of a server.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_runtime::units::Count;

use super::{Timeouts, dns_server, max_connections};
use crate::target::Target;

pub const MAX_CONNECTIONS_PER_PEER: Setting = Setting::value(
    "max-connections-per-peer",
    "N",
    "connections at one time from one IPv4 address or IPv6 /64",
)
.default("1024")
.operator();

/// Rows whose words depend on what is served.
#[derive(Clone, Copy, Debug)]
pub struct ServerRows {
    pub forward: Setting,
    pub insecure_plaintext_forward: Setting,
    pub max_handshakes: Setting,
    /// What is forwarded: "streams".
    pub what: &'static str,
}

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
    pub fn read(
        given: &mut Given,
        listen: Result<SocketAddr, Reported>,
        rows: &ServerRows,
    ) -> Result<Self, Reported> {
        let forward = rows.read_forward(given);
        let max_connections = max_connections(given);
        let max_connections_per_peer = given
            .one::<Count>(&MAX_CONNECTIONS_PER_PEER)
            .map(Count::get);
        let max_handshakes = given.one::<Count>(&rows.max_handshakes).map(Count::get);
        let timeouts = Timeouts::read(given);
        let dns_server = dns_server(given);
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

impl ServerRows {
    /// All that mean something to a server only, where the program can be a client too.
    pub fn of_servers(&self) -> [&Setting; 4] {
        [
            &self.forward,
            &self.insecure_plaintext_forward,
            &MAX_CONNECTIONS_PER_PEER,
            &self.max_handshakes,
        ]
    }

    fn read_forward(&self, given: &mut Given) -> Result<Option<Target>, Reported> {
        let insecure = given.on(&self.insecure_plaintext_forward);
        let forward = given.optional::<Target>(&self.forward)?;
        match &forward {
            Some(target) if !target.is_loopback() && !insecure => Err(given.refuse(
                &[&self.forward],
                format_args!(
                    "not a loopback address, and decrypted {} would cross the network in clear",
                    self.what
                ),
            )),
            None if insecure => Err(given.refuse(
                &[&self.insecure_plaintext_forward],
                "there is no --forward that it could apply to",
            )),
            _ => Ok(forward),
        }
    }
}
