//! Secret Manager.

use crate::access::{Access, Service};
use crate::google::Google;
use google_cloud_auth::credentials::Credentials;
use google_cloud_gax::client_builder::Error as NotBuilt;
use google_cloud_secretmanager_v1::client::SecretManagerService;
use mcbn_gcp_answer::SecretBytes;
use mcbn_gcp_answer::checksum;
use mcbn_gcp_answer::{Corrupt, Failure};
use mcbn_gcp_name::SecretVersionName;

/// Reads secrets, each with credentials of its own.
#[derive(Clone, Debug)]
pub struct SecretManager(pub(crate) Google);

impl Service for SecretManagerService {
    async fn build(credentials: Credentials, endpoint: Option<&str>) -> Result<Self, NotBuilt> {
        let mut builder = SecretManagerService::builder().with_credentials(credentials);
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        builder.build().await
    }
}

impl SecretManager {
    pub async fn access(&self, name: &SecretVersionName) -> Result<SecretBytes, Failure> {
        let endpoint = self.0.endpoints().secret_manager.clone();
        let endpoint = endpoint.unwrap_or_else(|| name.endpoint());
        let access =
            Access::<SecretManagerService>::new(self.0.clone(), Some(endpoint.to_string()));
        let answer = access.ask(|client| {
            let request = client.access_secret_version().set_name(name.as_str());
            access.options(request).send()
        });
        let answer = answer.await?;
        let payload = answer.payload.ok_or(Failure::Corrupt(Corrupt::Form))?;
        // Taken at once, so that it is wiped whatever the checks say.
        let secret = SecretBytes::taken_from(payload.data);
        // To see whether it is whole.
        checksum::check(secret.expose_secret(), payload.data_crc32c)?;
        match name.is_answered_as(&answer.name) {
            true => Ok(secret),
            false => Err(Failure::Corrupt(Corrupt::Name)),
        }
    }
}
