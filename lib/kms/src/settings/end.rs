//! The settings of an end: its key, its certificate and its peers, and what they come to.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use mcbn_gcp::Google;
use mcbn_gcp::name::{Endpoint, NotASecretVersion, SecretVersionName};
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_runtime::units::{Count, NotAPeriod, Period};
use mcbn_tls13::End;
use rustls::time_provider::TimeProvider;
use rustls_pki_types::ServerName;
use tokio::io::AsyncReadExt;

use super::key::KmsConfig;
use crate::certificate::Chain;
use crate::credentials::{Credentials, Limits, Version};
use crate::error::Setup;
use crate::key::KmsKey;
use crate::metrics::Metrics;
use crate::peer::Peers;

pub const KMS_CONCURRENCY: Setting = Setting::value(
    "kms-concurrency",
    "N",
    "signatures at one time, each with a thread, 256 at most; more handshakes wait in order for one of these places, until \
     --handshake-timeout ends",
)
.default("64")
.operator();

pub const CERTIFICATE: Setting = Setting::value(
    "certificate",
    "file:PATH|gcp-secret:NAME",
    "our certificate, of --key, and those between it and its CA, in PEM, the leaf first: a file, or a version of a secret \
     in Secret Manager, projects/P/secrets/S/versions/N",
)
.required()
.operator();

pub const PEER_CA: Setting = Setting::value(
    "peer-ca",
    "file:PATH|gcp-secret:NAME",
    "the CAs, in PEM, that peers' certificates come from",
)
.required()
.operator();

pub const PEER_NAME: Setting = Setting::value(
    "peer-name",
    "HOST|ADDR",
    "the name that a peer's certificate carries, one of them where there are several. A client needs it; a server without \
     it takes whoever has a certificate of --peer-ca for clients",
)
.repeat()
.operator();

pub const TLS_VERSION: Setting = Setting::value(
    "tls-version",
    "1.3|1.2",
    "the one version of TLS that is spoken; 1.2 is for keys that sign PKCS #1, and for peers that have nothing newer",
)
.default("1.3")
.operator();

pub const RESUMPTION_LIFETIME: Setting = Setting::value(
    "resumption-lifetime",
    "TIME",
    "how long a session may be resumed after the handshake that Cloud KMS signed, 24h at most; 0 for never, as with TLS 1.2",
)
.default("1h")
.operator();

/// No operator's: whoever answers there says whom we trust, and sees a credential.
pub const SECRET_MANAGER_ENDPOINT: Setting = Setting::value(
    "secret-manager-endpoint",
    "URL",
    "Secret Manager, where it is not Google's own: https, or http on a loopback address",
);

/// All that the settings say about an end.
#[derive(Debug)]
pub struct EndConfig {
    kms: KmsConfig,
    own: End,
    concurrency: usize,
    certificate: Source,
    peer_ca: Source,
    peer_names: Vec<ServerName<'static>>,
    secret_manager: Option<Endpoint>,
    version: Version,
    resumption: Option<Duration>,
}

impl EndConfig {
    /// Reads no file: certificates may come from elsewhere, and are read together.
    pub fn read(given: &mut Given, own: End) -> Result<Self, Reported> {
        let kms = KmsConfig::read(given);
        let concurrency = given.one::<Concurrency>(&KMS_CONCURRENCY);
        let certificate = given.one(&CERTIFICATE);
        let peer_ca = given.one(&PEER_CA);
        let peer_names = given.all::<Name>(&PEER_NAME);
        let peer_names = match peer_names {
            Ok(none) if none.is_empty() && own == End::Client => Err(given.refuse(
                &[&PEER_NAME],
                "a client needs it: whoever else has a certificate of --peer-ca would do",
            )),
            names => names,
        };
        let secret_manager = given.optional(&SECRET_MANAGER_ENDPOINT);
        let version = given.one(&TLS_VERSION);
        let resumption = given.one::<Lifetime>(&RESUMPTION_LIFETIME);
        Ok(Self {
            kms: kms?,
            own,
            concurrency: concurrency?.0,
            certificate: certificate?,
            peer_ca: peer_ca?,
            peer_names: peer_names?.into_iter().map(|name| name.0).collect(),
            secret_manager: secret_manager?,
            version: version?,
            resumption: resumption?.0,
        })
    }

    /// Asks what the key is, reads the certificates, holds one to the other, and has one signature made.
    pub async fn open(
        self,
        metrics: Metrics,
        clock: Arc<dyn TimeProvider>,
    ) -> Result<Opened, Setup> {
        let google = self.kms.google(self.secret_manager);
        let remote = KmsKey {
            kms: google.kms(),
            name: self.kms.key,
            protection: self.kms.protection,
        };
        let (key, chain, roots) = tokio::try_join!(
            remote.key(),
            self.certificate.read("--certificate", &google),
            self.peer_ca.read("--peer-ca", &google),
        )?;
        let chain = Chain::from_pem(&chain);
        let chain = chain.map_err(|why| Setup::NotACertificate("--certificate", why))?;
        let peers = Peers::new(&roots, self.peer_names);
        let peers = peers.map_err(|why| Setup::NotACertificate("--peer-ca", why))?;
        let limits = Limits {
            signature: self.kms.timeout,
            concurrency: self.concurrency,
        };
        let algorithm = key.algorithm();
        let this = (self.own, self.version);
        let credentials =
            Credentials::open((key, chain), remote, this, limits, metrics, clock).await?;
        Ok(Opened {
            credentials,
            peers,
            resumption: self.resumption,
            algorithm,
        })
    }
}

/// What an end is made of.
#[derive(Debug)]
pub struct Opened {
    pub credentials: Credentials,
    pub peers: Peers,
    pub resumption: Option<Duration>,
    pub algorithm: mcbn_gcp::Algorithm,
}

/// Where certificates are.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Source {
    File(PathBuf),
    Secret(SecretVersionName),
}

/// More than any chain, and than a secret may be.
const LONGEST: u64 = 256 * 1024;

impl Source {
    async fn read(&self, flag: &'static str, google: &Google) -> Result<Vec<u8>, Setup> {
        match self {
            Source::File(path) => {
                let read = async {
                    let mut text = Vec::new();
                    let file = tokio::fs::File::open(path).await?;
                    file.take(LONGEST).read_to_end(&mut text).await?;
                    Ok(text)
                };
                read.await.map_err(|error| Setup::File(flag, error))
            }
            Source::Secret(name) => {
                let secret = google.secret_manager().access(name).await;
                let secret = secret.map_err(|failure| Setup::Secret(flag, failure))?;
                // Certificates are shown to every peer.
                Ok(secret.expose_secret().to_vec())
            }
        }
    }
}

impl FromStr for Source {
    type Err = NotASource;

    fn from_str(text: &str) -> Result<Source, NotASource> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Source::File(path.into())),
            Some(("gcp-secret", name)) => {
                let name = name.parse().map_err(NotASource::Name)?;
                Ok(Source::Secret(name))
            }
            _ => Err(NotASource::Kind),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum NotASource {
    Kind,
    Name(NotASecretVersion),
}

impl fmt::Display for NotASource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotASource::Kind => f.write_str("neither file:PATH nor gcp-secret:NAME"),
            NotASource::Name(why) => write!(f, "after gcp-secret: {why}"),
        }
    }
}

/// A DNS name or an address.
struct Name(ServerName<'static>);

impl FromStr for Name {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let name = ServerName::try_from(text.to_owned());
        name.map(Self).map_err(|_| NotAName)
    }
}

struct NotAName;

impl fmt::Display for NotAName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a DNS name and not an address")
    }
}

struct Concurrency(usize);

impl Concurrency {
    /// Each has a thread.
    const MOST: usize = 256;
}

impl FromStr for Concurrency {
    type Err = NotAConcurrency;

    fn from_str(text: &str) -> Result<Self, NotAConcurrency> {
        match text.parse::<Count>().map(|count| count.get().get()) {
            Ok(count) if count <= Self::MOST => Ok(Self(count)),
            _ => Err(NotAConcurrency),
        }
    }
}

#[derive(Debug)]
struct NotAConcurrency;

impl fmt::Display for NotAConcurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a number from 1 to {}", Concurrency::MOST)
    }
}

/// None for never.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Lifetime(Option<Duration>);

impl Lifetime {
    /// What a signature once said is believed no longer.
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    /// Times of certificates are whole seconds.
    const SHORTEST: Duration = Duration::from_secs(1);
}

impl FromStr for Lifetime {
    type Err = NotALifetime;

    fn from_str(text: &str) -> Result<Self, NotALifetime> {
        match text.parse::<Period>().map(Period::get) {
            _ if text == "0" => Ok(Self(None)),
            Err(NotAPeriod::Zero) => Ok(Self(None)),
            Ok(time) if (Self::SHORTEST..=Self::LONGEST).contains(&time) => Ok(Self(Some(time))),
            Ok(_) | Err(NotAPeriod::TooLong) => Err(NotALifetime::Range),
            Err(why @ NotAPeriod::Form) => Err(NotALifetime::Form(why)),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum NotALifetime {
    Form(NotAPeriod),
    Range,
}

impl fmt::Display for NotALifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotALifetime::Form(why) => why.fmt(f),
            NotALifetime::Range => f.write_str("neither 0 nor from 1s to 24h"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_in_a_file_or_in_a_secret() {
        let file = Source::File("/run/own.pem".into());
        assert_eq!("file:/run/own.pem".parse(), Ok(file));
        let name = "projects/p-1234/secrets/chain/versions/1";
        let secret = Source::Secret(name.parse().unwrap());
        assert_eq!(format!("gcp-secret:{name}").parse(), Ok(secret));
    }

    #[test]
    fn another_place_of_certificates_is_refused() {
        for text in ["", "/run/own.pem", "file:", "fd:3", "gcp-kms:x"] {
            assert_eq!(text.parse::<Source>(), Err(NotASource::Kind), "{text:?}");
        }
        let latest = "gcp-secret:projects/p-1234/secrets/chain/versions/latest";
        assert!(matches!(latest.parse::<Source>(), Err(NotASource::Name(_))));
    }

    #[test]
    fn a_lifetime_is_zero_or_up_to_a_day() {
        for (text, seconds) in [
            ("0", None),
            ("0s", None),
            ("1s", Some(1)),
            ("24h", Some(86_400)),
        ] {
            let lifetime = Lifetime(seconds.map(Duration::from_secs));
            assert_eq!(text.parse(), Ok(lifetime), "{text:?}");
        }
    }

    #[test]
    fn another_lifetime_is_refused() {
        for text in ["25h", "999ms", "9000h"] {
            assert_eq!(
                text.parse::<Lifetime>(),
                Err(NotALifetime::Range),
                "{text:?}"
            );
        }
        for text in ["", "1", "00", "1d", "-1s"] {
            let form = NotALifetime::Form(NotAPeriod::Form);
            assert_eq!(text.parse::<Lifetime>(), Err(form), "{text:?}");
        }
    }

    #[test]
    fn a_concurrency_out_of_range_is_refused() {
        for text in ["0", "257", "", "1s"] {
            assert!(text.parse::<Concurrency>().is_err(), "{text:?}");
        }
        assert_eq!("256".parse::<Concurrency>().unwrap().0, 256);
    }
}
