//! The shares of those who take part, wherever they come from.

use std::fmt;
use std::net::SocketAddr;

use mcbn_consent::lease::{Consent, NoConsent};
use mcbn_consent::metrics::Metrics;
use mcbn_consent::settings::{RevealConfig, ShareConfig};
use mcbn_consent_cloud::{GoogleCloud, Https, NoCertificates};
use mcbn_launcher::Launcher;
use mcbn_manifest::{Endpoints, Member};
use mcbn_runtime::admin::Admin;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_share::{Combined, KeyShare, ManifestDigest};

use crate::{Connector, Keepers, NoKeepers};

/// Gathers the shares, and asks for those that keepers guard or that lie in Google Cloud. What a key is then made of may be
/// used for as long as there is consent. Waits while a pipe's writer is at work, and while a person is to approve; holds up nothing else.
pub async fn gather<C: Connector>(
    shares: &ShareConfig,
    dns_server: Option<SocketAddr>,
    admin: &Admin,
) -> Result<(Combined, Consent), NoKey> {
    let (keepers, metrics) = reach::<C>(shares.members(), dns_server, admin)?;
    let cloud = in_cloud(shares.members(), dns_server).map_err(NoKey::Cloud)?;
    let gathered = shares.gather(keepers, cloud, metrics).await;
    gathered.map_err(NoKey::Consent)
}

/// The same of shares of a group's key, which are given out, each verified: what signs with them may do so for as long as
/// there is consent.
pub async fn gather_revealed<C: Connector>(
    shares: &RevealConfig,
    dns_server: Option<SocketAddr>,
    admin: &Admin,
) -> Result<(Vec<KeyShare>, Consent), NoKey> {
    let (keepers, metrics) = reach::<C>(shares.members(), dns_server, admin)?;
    let cloud = in_cloud(shares.members(), dns_server).map_err(NoKey::Cloud)?;
    let gathered = shares.gather(keepers, cloud, metrics).await;
    gathered.map_err(NoKey::Consent)
}

/// The way to shares that lie in Google Cloud, if those of any of these participants do.
fn in_cloud(
    members: &[Member],
    dns_server: Option<SocketAddr>,
) -> Result<impl FnOnce(Launcher, ManifestDigest, &Endpoints) -> GoogleCloud, NoCertificates> {
    let https = match members.iter().any(|member| member.cloud().is_some()) {
        true => Https::of_system(dns_server)?,
        false => Https::believing_nobody(),
    };
    Ok(|launcher, manifest, endpoints: &_| GoogleCloud::new(launcher, manifest, endpoints, https))
}

/// The way to those who are asked, and what is counted of it.
fn reach<C: Connector>(
    members: &[Member],
    dns_server: Option<SocketAddr>,
    admin: &Admin,
) -> Result<(Keepers<C>, Metrics), NoKey> {
    let keepers = Keepers::of(members, dns_server).map_err(NoKey::Keepers)?;
    let metrics = Metrics::default();
    if !members.is_empty() {
        admin.register(|registry| metrics.register(registry));
    }
    Ok((keepers, metrics))
}

/// There is no key, and nothing to sign with.
#[derive(Debug)]
pub enum NoKey {
    /// No keeper can be asked.
    Keepers(NoKeepers),
    /// Google Cloud cannot be asked.
    Cloud(NoCertificates),
    /// A share is missing or refused.
    Consent(NoConsent),
}

impl fmt::Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keepers(error) => error.fmt(f),
            Self::Cloud(_) => f.write_str("Google Cloud cannot be asked for shares"),
            Self::Consent(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NoKey {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Keepers(error) => std::error::Error::source(error),
            Self::Cloud(error) => Some(error),
            Self::Consent(error) => std::error::Error::source(error),
        }
    }
}

impl Failure for NoKey {
    fn exit(&self) -> Exit {
        match self {
            Self::Keepers(_) | Self::Cloud(_) => Exit::Platform,
            Self::Consent(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Keepers(NoKeepers::Names(_)) => {
                Some("give a DNS server with --dns-server, or addresses in the manifest".into())
            }
            Self::Keepers(NoKeepers::Tls(_)) => None,
            Self::Cloud(NoCertificates) => Some(
                "install the system's CA certificates, or name a file of them in SSL_CERT_FILE"
                    .into(),
            ),
            Self::Consent(error) => error.hint(),
        }
    }
}
