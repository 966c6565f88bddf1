//! The settings of a client.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use mcbn_runtime::settings::{Given, Reported, Setting};

use super::{Timeouts, dns_server, max_connections};
use crate::target::Target;

pub const SERVER: Setting = Setting::value(
    "server",
    "HOST:PORT|srv:NAME",
    "where the server is; with several, the next one is tried when one cannot be reached",
)
.repeat()
.required()
.operator();

pub const INSECURE_PLAINTEXT_LISTEN: Setting = Setting::switch(
    "insecure-plaintext-listen",
    "let other machines use the tunnel, in clear and without the key, at a --listen that is not loopback",
);

/// Where the server is, and how long reaching it may take.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    pub targets: Vec<Target>,
    pub timeouts: Timeouts,
    pub dns_server: Option<SocketAddr>,
}

impl ClientConfig {
    /// Whether there has to be a server is the program's to say.
    pub fn read(
        given: &mut Given,
        targets: Result<Vec<Target>, Reported>,
    ) -> Result<Self, Reported> {
        let timeouts = Timeouts::read(given);
        let dns_server = dns_server(given);
        Ok(Self {
            targets: targets?,
            timeouts: timeouts?,
            dns_server: dns_server?,
        })
    }
}

/// A local port.
#[derive(Debug)]
pub struct ListenConfig {
    pub address: SocketAddr,
    pub max_connections: NonZeroUsize,
}

impl ListenConfig {
    /// `listen` is the program's row for the local port.
    pub fn read(given: &mut Given, listen: &Setting) -> Result<Option<Self>, Reported> {
        let max_connections = max_connections(given);
        let insecure = given.on(&INSECURE_PLAINTEXT_LISTEN);
        let address = given.optional::<SocketAddr>(listen)?;
        match address {
            Some(address) if !address.ip().to_canonical().is_loopback() && !insecure => {
                Err(given.refuse(
                    &[listen],
                    "not a loopback address, and other machines could use the tunnel without the key",
                ))
            }
            None if insecure => Err(given.refuse(
                &[&INSECURE_PLAINTEXT_LISTEN],
                "there is no --listen that it could apply to",
            )),
            Some(address) => Ok(Some(Self {
                address,
                max_connections: max_connections?,
            })),
            None => max_connections.map(|_| None),
        }
    }
}
