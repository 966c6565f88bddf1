//! The network, as far as it is needed: a document of an issuer.

use crate::location::Location;
use rustls::crypto::ring;
use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// Gets what is at a location. Blocks, for some seconds at most.
pub trait Fetch: Send + Sync {
    /// # Errors
    ///
    /// Anything but an answer 200 with a body of at most [`MAX_ANSWER`] bytes. No redirect is followed.
    fn get(&self, location: &Location) -> Result<Vec<u8>, Unfetched>;
}

/// Bytes. Google's key set has under 3000.
pub const MAX_ANSWER: usize = 256 * 1024;

/// A whole request, from the name's resolution to the last byte.
const DEADLINE: Duration = Duration::from_secs(10);

/// HTTP over TLS, with the machine's own roots and its proxy settings; in clear, and around any proxy, to this machine.
pub struct Https {
    agent: Agent,
}

impl Https {
    pub fn new() -> Https {
        let tls = TlsConfig::builder()
            // Named, as another crate of the process may bring another one.
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .user_agent("mcbn")
            .http_status_as_error(false)
            // Where keys are is said in one place only.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(DEADLINE));
        Https {
            agent: config.build().into(),
        }
    }
}

impl Default for Https {
    fn default() -> Https {
        Https::new()
    }
}

impl Fetch for Https {
    fn get(&self, location: &Location) -> Result<Vec<u8>, Unfetched> {
        let request = self.agent.get(location.as_str()).config();
        let request = match location.is_clear() {
            true => request.https_only(false).proxy(None),
            false => request.https_only(true),
        };
        let broken = |error: ureq::Error| match error {
            ureq::Error::BodyExceedsLimit(_) => Unfetched::TooLong,
            other => Unfetched::Unreachable(other.to_string()),
        };
        let mut answer = request.build().call().map_err(broken)?;
        if answer.status() != 200 {
            return Err(Unfetched::Status(answer.status().as_u16()));
        }
        let body = answer.body_mut().with_config().limit(MAX_ANSWER as u64);
        body.read_to_vec().map_err(broken)
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unfetched {
    /// More than [`MAX_ANSWER`] bytes.
    TooLong,
    /// Another status than 200.
    Status(u16),
    /// The network, the name or the certificate; in words for a log.
    Unreachable(String),
}

impl Display for Unfetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the answer is longer than 256 KiB"),
            Self::Status(status) => write!(f, "the answer has status {status}"),
            Self::Unreachable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Unfetched {}
