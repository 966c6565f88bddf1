//! Google Cloud, to one identity.

use crate::access::Access;
use crate::credentials::{self, CredentialSource};
use crate::kms::Kms;
use crate::secret_manager::SecretManager;
use google_cloud_auth::credentials::Credentials;
use mcbn_gcp_answer::Failure;
use mcbn_gcp_name::{Endpoint, ProviderName};
use mcbn_launcher::Launcher;
use std::sync::Arc;
use std::time::Duration;

/// Where the services are, where that is not Google's own place for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    pub kms: Option<Endpoint>,
    pub secret_manager: Option<Endpoint>,
    /// The security token service, for [`Google::attested`].
    pub sts: Option<Endpoint>,
}

/// Opens services. Nothing is sent before something is asked of one.
#[derive(Clone, Debug)]
pub struct Google {
    identity: Arc<Identity>,
    endpoints: Endpoints,
    deadline: Duration,
}

#[derive(Debug)]
enum Identity {
    Of(CredentialSource),
    Attested(ProviderName, Launcher),
}

impl Google {
    /// Each call takes at most `deadline`, whatever is tried again.
    pub fn new(source: CredentialSource, endpoints: Endpoints, deadline: Duration) -> Google {
        Google {
            identity: Arc::new(Identity::Of(source)),
            endpoints,
            deadline,
        }
    }

    /// By the attestation tokens that the launcher gives, through this identity pool's provider. Each [`Kms`] that is
    /// made and each secret that is read exchanges a token of its own, and so is judged anew.
    pub fn attested(
        provider: ProviderName,
        launcher: Launcher,
        endpoints: Endpoints,
        deadline: Duration,
    ) -> Google {
        Google {
            identity: Arc::new(Identity::Attested(provider, launcher)),
            endpoints,
            deadline,
        }
    }

    pub fn kms(&self) -> Kms {
        let endpoint = self.endpoints.kms.as_ref();
        let endpoint = endpoint.map(|endpoint| endpoint.as_str().to_owned());
        Kms(Access::new(self.clone(), endpoint))
    }

    pub fn secret_manager(&self) -> SecretManager {
        SecretManager(self.clone())
    }

    pub(crate) fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        // Google's clients take the process-wide provider and no other. Who set another before has a reason.
        let _ = (*mcbn_tls13::provider()).clone().install_default();
        match &*self.identity {
            Identity::Of(source) => source.open(),
            Identity::Attested(provider, launcher) => {
                let sts = self.endpoints.sts.as_ref();
                credentials::attested(provider, launcher.clone(), sts)
            }
        }
    }
}
