//! The settings of a key, which are the same for every program that uses one.

use std::net::SocketAddr;

use mcbn_consent::lease::Consent;
use mcbn_consent::settings::ShareConfig;
use mcbn_pinned::gather;
use mcbn_pinned_openssl::OpenSsl;
use mcbn_runtime::admin::Admin;
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_secret::Psk;
use mcbn_share::{Combined, ContextTooLong, Inheritance};

pub use mcbn_pinned::NoKey as KeyError;

use crate::{Identity, Versions};

pub const IDENTITY: Setting = Setting::value(
    "identity",
    "NAME",
    "the PSK identity: the name of the key on the wire, compared exactly, and part of hkdf-v1",
)
.default("Client1")
.operator();

pub const TLS12: Setting = Setting::switch(
    "tls12",
    "also speak TLS 1.2 with ECDHE-PSK, for peers that have no TLS 1.3",
);

/// What a key is for: a protocol, and what the settings say of its handshake.
pub trait Protocol: Clone {
    fn read(given: &mut Given) -> Result<Self, Reported>;

    /// Every purpose has a key of its own.
    fn key(combined: &Combined, identity: &[u8]) -> Result<Psk, ContextTooLong>;
}

impl Protocol for Versions {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        Ok(match given.on(&TLS12) {
            true => Versions::Tls12And13,
            false => Versions::Tls13,
        })
    }

    fn key(combined: &Combined, identity: &[u8]) -> Result<Psk, ContextTooLong> {
        combined.tls_psk(identity)
    }
}

/// All that the settings say about the key and the handshake.
#[derive(Clone, Debug)]
pub struct KeyConfig<P = Versions> {
    shares: ShareConfig,
    identity: Identity,
    protocol: P,
}

impl KeyConfig {
    pub fn versions(&self) -> Versions {
        self.protocol
    }
}

impl<P: Protocol> KeyConfig<P> {
    /// Also reads the manifest, and takes the inherited descriptors, so this comes before the program opens anything
    /// itself.
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let shares = ShareConfig::read(given, &mut Inheritance::new());
        let identity = given.one(&IDENTITY);
        let protocol = P::read(given);
        Ok(Self {
            shares: shares?,
            identity: identity?,
            protocol: protocol?,
        })
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    pub fn protocol(&self) -> &P {
        &self.protocol
    }

    /// What is read from standard input, which then has nothing else to give, and the row that says so.
    pub fn of_standard_input(&self) -> Option<(&'static Setting, String)> {
        self.shares.of_standard_input()
    }

    /// Gathers the shares and makes the key, which is to be used for as long as there is consent. Waits while a pipe's
    /// writer is at work, and while a person is to approve; holds up nothing else.
    pub async fn make(
        &self,
        dns_server: Option<SocketAddr>,
        admin: &Admin,
    ) -> Result<(Psk, Consent), KeyError> {
        let (combined, consent) = gather::<OpenSsl>(&self.shares, dns_server, admin).await?;
        let key = P::key(&combined, self.identity.as_str().as_bytes());
        let key = key.expect("an identity is shorter than a context may be");
        Ok((key, consent))
    }
}
