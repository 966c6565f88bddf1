//! The settings of a key in Cloud KMS, and of who we are to Google Cloud.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use mcbn_gcp::name::{Endpoint, KeyVersionName, NotAProvider, ProviderName};
use mcbn_gcp::{CredentialSource, Endpoints, Google, Protection};
use mcbn_launcher::Launcher;
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_runtime::units::Period;

pub const KEY: Setting = Setting::value(
    "key",
    "projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N",
    "the private key in Cloud KMS, which never leaves it",
)
.required()
.operator();

/// No operator's, as it weakens what the key promises.
pub const PROTECTION_LEVEL: Setting = Setting::value(
    "protection-level",
    "LEVEL",
    "how Cloud KMS must keep the key: software, hsm, hsm-single-tenant, external or external-vpc; another one is refused",
)
.default("hsm");

/// An operator's: somebody else's credentials open what is somebody else's.
pub const GOOGLE_CREDENTIALS: Setting = Setting::value(
    "google-credentials",
    "attested:PROVIDER|default|metadata|file:PATH",
    "who this program is to Google Cloud: whom a workload identity pool's provider, \
     projects/N/locations/global/workloadIdentityPools/POOL/providers/PROVIDER, takes it for by its attestation tokens; \
     application default credentials; the machine's, from its metadata server; or a JSON file of the type service_account, \
     external_account or authorized_user",
)
.default("default")
.operator();

pub const TOKEN_SOCKET: Setting = Setting::value(
    "token-socket",
    "PATH",
    "the socket on which the launcher gives attestation tokens, for attested credentials",
)
.default(mcbn_launcher::SOCKET);

/// No operator's: whoever answers there gets attestation tokens.
pub const STS_ENDPOINT: Setting = Setting::value(
    "sts-endpoint",
    "URL",
    "the security token service, for attested credentials, where it is not Google's own: https, or http on a loopback \
     address",
);

/// No operator's: whoever answers there sees what is signed, and a credential.
pub const KMS_ENDPOINT: Setting = Setting::value(
    "kms-endpoint",
    "URL",
    "Cloud KMS, where it is not Google's own: https, or http on a loopback address",
);

pub const KMS_TIMEOUT: Setting = Setting::value(
    "kms-timeout",
    "TIME",
    "how long Cloud KMS may take for one signature, whatever is tried again in that time",
)
.default("10s")
.operator();

/// How the key is reached.
#[derive(Debug)]
pub struct KmsConfig {
    pub key: KeyVersionName,
    pub protection: Protection,
    pub timeout: Duration,
    identity: Identity,
    endpoint: Option<Endpoint>,
}

impl KmsConfig {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let key = given.one(&KEY);
        let protection = given.one(&PROTECTION_LEVEL);
        let timeout = given.one::<Period>(&KMS_TIMEOUT).map(Period::get);
        let identity = Identity::read(given);
        let endpoint = given.optional(&KMS_ENDPOINT);
        Ok(Self {
            key: key?,
            protection: protection?,
            timeout: timeout?,
            identity: identity?,
            endpoint: endpoint?,
        })
    }

    /// One way to it for the whole program.
    pub fn google(&self, secret_manager: Option<Endpoint>) -> Google {
        let at = |sts: Option<&Endpoint>| Endpoints {
            kms: self.endpoint.clone(),
            secret_manager,
            sts: sts.cloned(),
        };
        match &self.identity {
            Identity::Of(source) => Google::new(source.clone(), at(None), self.timeout),
            Identity::Attested {
                provider,
                launcher,
                sts,
            } => Google::attested(
                provider.clone(),
                launcher.clone(),
                at(sts.as_ref()),
                self.timeout,
            ),
        }
    }
}

#[derive(Debug)]
enum Identity {
    Of(CredentialSource),
    Attested {
        provider: ProviderName,
        launcher: Launcher,
        sts: Option<Endpoint>,
    },
}

impl Identity {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        let who = given.one(&GOOGLE_CREDENTIALS);
        if !matches!(who, Ok(Who::Attested(_)) | Err(_)) {
            let reason = "for --google-credentials attested:PROVIDER only";
            given.refuse_given(&[&TOKEN_SOCKET, &STS_ENDPOINT], reason);
        }
        let socket = given.one::<PathBuf>(&TOKEN_SOCKET);
        let sts = given.optional(&STS_ENDPOINT);
        Ok(match who? {
            Who::Of(source) => Self::Of(source),
            Who::Attested(provider) => Self::Attested {
                provider,
                launcher: Launcher::at(socket?, TOKEN_DEADLINE),
                sts: sts?,
            },
        })
    }
}

/// Of one attestation token. A call that waits for it longer fails anyway.
const TOKEN_DEADLINE: Duration = Duration::from_secs(25);

/// One `--google-credentials`.
#[derive(Debug)]
enum Who {
    Of(CredentialSource),
    Attested(ProviderName),
}

impl FromStr for Who {
    type Err = Nobody;

    fn from_str(text: &str) -> Result<Self, Nobody> {
        match text.strip_prefix("attested:") {
            Some(provider) => provider
                .parse()
                .map(Self::Attested)
                .map_err(Nobody::Provider),
            None => text.parse().map(Self::Of).map_err(|_| Nobody::Kind),
        }
    }
}

#[derive(Debug)]
enum Nobody {
    Kind,
    Provider(NotAProvider),
}

impl fmt::Display for Nobody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind => f.write_str("none of attested:PROVIDER, default, metadata and file:PATH"),
            Self::Provider(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_we_are_is_read() {
        let provider =
            "attested:projects/1/locations/global/workloadIdentityPools/mcbn/providers/attested";
        assert!(matches!(provider.parse(), Ok(Who::Attested(_))));
        assert!(matches!("metadata".parse(), Ok(Who::Of(_))));
        assert!(matches!("attested".parse::<Who>(), Err(Nobody::Kind)));
        assert!(matches!(
            "attested:".parse::<Who>(),
            Err(Nobody::Provider(_))
        ));
    }
}
