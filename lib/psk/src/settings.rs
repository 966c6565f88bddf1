//! The settings of a key, which are the same for every program that uses one.

use std::fmt;
use std::net::SocketAddr;

use mcbn_consent::lease::{Consent, NoConsent};
use mcbn_consent::metrics::Metrics;
use mcbn_consent::settings::ShareConfig;
use mcbn_pinned::{Keepers, NoKeepers};
use mcbn_runtime::admin::Admin;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_secret::Psk;
use mcbn_share::{Combined, ContextTooLong, Participant};

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
        let shares = ShareConfig::read(given);
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

    /// Whose share is read from standard input, which then has nothing else to give.
    pub fn of_standard_input(&self) -> Option<&Participant> {
        self.shares.of_standard_input()
    }

    /// Gathers the shares and makes the key, which is to be used for as long as there is consent. Waits while a pipe's
    /// writer is at work, and while a person is to approve; holds up nothing else.
    pub async fn make(
        &self,
        dns_server: Option<SocketAddr>,
        admin: &Admin,
    ) -> Result<(Psk, Consent), KeyError> {
        let members = self.shares.members();
        let keepers = Keepers::of(members, dns_server).map_err(KeyError::Keepers)?;
        let metrics = Metrics::default();
        if !members.is_empty() {
            admin.register(|registry| metrics.register(registry));
        }
        let gathered = self.shares.gather(keepers, metrics).await;
        let (combined, consent) = gathered.map_err(KeyError::Consent)?;
        let key = P::key(&combined, self.identity.as_str().as_bytes());
        let key = key.expect("an identity is shorter than a context may be");
        Ok((key, consent))
    }
}

/// There is no key.
#[derive(Debug)]
pub enum KeyError {
    /// No keeper can be asked.
    Keepers(NoKeepers),
    /// A share is missing or refused.
    Consent(NoConsent),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keepers(error) => error.fmt(f),
            Self::Consent(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Keepers(error) => std::error::Error::source(error),
            Self::Consent(error) => std::error::Error::source(error),
        }
    }
}

impl Failure for KeyError {
    fn exit(&self) -> Exit {
        match self {
            Self::Keepers(_) => Exit::Platform,
            Self::Consent(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Keepers(NoKeepers::Names(_)) => {
                Some("give a DNS server with --dns-server, or addresses in the manifest".into())
            }
            Self::Keepers(NoKeepers::Tls(_)) => None,
            Self::Consent(error) => error.hint(),
        }
    }
}
