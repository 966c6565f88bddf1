//! What an end shows of itself, checked before there is a peer.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcbn_tls13::{End, Verifier, provider};
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{ConfigBuilder, ConfigSide, SupportedProtocolVersion, WantsVerifier, WantsVersions};
use tokio::sync::Semaphore;

use crate::certificate::Chain;
use crate::error::Setup;
use crate::key::{Key, Signs};
use crate::metrics::Metrics;
use crate::signer::{NotSigned, RemoteKey, Shared};

/// The one version of TLS that is spoken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// For keys that sign PKCS #1, and for peers that have nothing newer: ECDHE, AEAD, and the extended master secret.
    Tls12,
    Tls13,
}

impl Version {
    pub(crate) fn only(self) -> [&'static SupportedProtocolVersion; 1] {
        [match self {
            Version::Tls12 => &TLS12,
            Version::Tls13 => &TLS13,
        }]
    }
}

impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Version, NotAVersion> {
        match text {
            "1.2" => Ok(Version::Tls12),
            "1.3" => Ok(Version::Tls13),
            _ => Err(NotAVersion),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAVersion;

impl fmt::Display for NotAVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not 1.2 or 1.3")
    }
}

/// How much is asked of whoever signs.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For one signature.
    pub signature: Duration,
    /// Signatures at one time, each with a thread.
    pub concurrency: usize,
}

/// The key, who signs with it, and its certificate: they belong together, and are good for this end.
#[derive(Clone)]
pub struct Credentials {
    pub(crate) version: Version,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Arc<dyn TimeProvider>,
    pub(crate) seats: Arc<Semaphore>,
    certified: Arc<CertifiedKey>,
    own: End,
}

/// Signed once, so that what forbids signing shows before the first peer does. No handshake's signature is over a text
/// like it: in TLS 1.3 those begin with 64 spaces, and in TLS 1.2 they are longer.
const TRIAL: &[u8] = b"mcbn-kms trial signature v1";

impl Credentials {
    /// For this end; asks for one signature.
    pub async fn open<S: Signs>(
        shown: (Key, Chain),
        signs: S,
        (own, version): (End, Version),
        limits: Limits,
        metrics: Metrics,
        clock: Arc<dyn TimeProvider>,
    ) -> Result<Credentials, Setup> {
        let (key, chain) = shown;
        if !key.is_for(version) {
            return Err(Setup::Pkcs1InTls13(key.algorithm()));
        }
        let now = clock.current_time().ok_or(Setup::NoClock)?;
        chain
            .fits(key.spki(), own, now)
            .map_err(Setup::Certificate)?;
        let remote = RemoteKey::new(key, Arc::new(signs), limits.signature, metrics.clone());
        let trial = remote.sign(TRIAL, Instant::now() + limits.signature).await;
        trial.map_err(|why| match why {
            NotSigned::Failed(failure) => Setup::Kms(failure),
            NotSigned::Foreign | NotSigned::NoSeat => Setup::ForeignSignature,
        })?;
        let signer = Arc::new(Shared(Arc::new(remote)));
        Ok(Credentials {
            version,
            metrics,
            clock,
            seats: Arc::new(Semaphore::new(limits.concurrency)),
            certified: Arc::new(CertifiedKey::new(chain.certificates(), signer)),
            own,
        })
    }

    /// What an end's configuration begins with: the cryptography, the clock, and the one version.
    pub(crate) fn begun<E: ConfigSide>(
        &self,
        builder: impl FnOnce(
            Arc<CryptoProvider>,
            Arc<dyn TimeProvider>,
        ) -> ConfigBuilder<E, WantsVersions>,
    ) -> Result<ConfigBuilder<E, WantsVerifier>, Setup> {
        let builder = builder(provider(), Arc::clone(&self.clock));
        let begun = builder.with_protocol_versions(&self.version.only());
        begun.map_err(Setup::Tls)
    }

    /// Asks this judge, in the one version.
    pub(crate) fn verifier<J>(&self, judge: J) -> Arc<Verifier<J>> {
        let verifier = Verifier::new(judge);
        Arc::new(match self.version {
            Version::Tls12 => verifier.with_tls12(),
            Version::Tls13 => verifier,
        })
    }

    /// What rustls takes them from.
    pub(crate) fn shown(&self) -> Arc<Shown> {
        Arc::new(Shown(Arc::clone(&self.certified)))
    }

    pub(crate) fn is_for(&self, own: End) -> Result<(), Setup> {
        match self.own == own {
            true => Ok(()),
            false => Err(Setup::Certificate(crate::error::Unfit::Usage(own))),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("version", &self.version)
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}

/// Shows the one certificate to whoever asks.
#[derive(Debug)]
pub(crate) struct Shown(Arc<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

impl ResolvesClientCert for Shown {
    /// Whichever issuers the server names: it says itself what it refuses.
    fn resolve(
        &self,
        _issuers: &[&[u8]],
        _schemes: &[rustls::SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_two_versions() {
        assert_eq!("1.2".parse(), Ok(Version::Tls12));
        assert_eq!("1.3".parse(), Ok(Version::Tls13));
        for text in ["", "1.1", "1.0", "1", "13", "TLSv1.3"] {
            assert_eq!(text.parse::<Version>(), Err(NotAVersion), "{text:?}");
        }
    }

    /// rustls has no others; this is where it would show.
    #[test]
    fn a_suite_without_ecdhe_or_aead_is_refused() {
        for suite in &mcbn_tls13::provider().cipher_suites {
            let name = format!("{:?}", suite.suite());
            let tls13 = name.starts_with("TLS13_");
            assert!(tls13 || name.starts_with("TLS_ECDHE_"), "{name}");
            assert!(
                name.contains("_GCM_") || name.contains("_POLY1305_"),
                "{name}"
            );
        }
    }
}
