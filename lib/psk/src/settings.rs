//! The settings of a key, which are the same for every program that uses one.

use mcbn_runtime::settings::{Given, Reported, Setting};

use crate::{Identity, Versions};

pub const IDENTITY: Setting = Setting::value(
    "identity",
    "NAME",
    "the PSK identity: the name of the key on the wire, compared exactly",
)
.default("Client1")
.operator();

pub const TLS12: Setting = Setting::switch(
    "tls12",
    "also speak TLS 1.2 with ECDHE-PSK, for peers that have no TLS 1.3",
);

/// What the settings say about the handshake.
#[derive(Debug)]
pub struct HandshakeConfig {
    pub identity: Identity,
    pub versions: Versions,
}

impl HandshakeConfig {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let identity = given.one(&IDENTITY);
        let versions = match given.on(&TLS12) {
            true => Versions::Tls12And13,
            false => Versions::Tls13,
        };
        Ok(Self {
            identity: identity?,
            versions,
        })
    }
}
