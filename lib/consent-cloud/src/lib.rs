//! Shares in Google Cloud: what lib/consent asks for, in a crate of its own so that whoever asks keepers alone links none of
//! it.
//!
//! One reading is: a token of this machine from the launcher, for this participant's provider and no other, with the
//! manifest's digest as its nonce; an exchange of it with the Security Token Service through the participant's provider,
//! and the secret or the decryption with the access token that comes back. Of what is given nothing is kept for the next
//! one, so each is judged by what the participant has set by then. The machine acts as itself: no service account is
//! impersonated, and none of the operator's is used.
//!
//! These are three requests, and they are made here: Google's clients would double every image that takes a share, and keep
//! access tokens in tasks of their own until they expire. lib/gcp has them, for keys that stay in Cloud KMS.
//!
//! What this cannot do: rustls and hyper do not wipe their buffers. The text of a share, as base64 in an answer, and access
//! tokens may stay in freed memory until that is used again. What is decoded and given out here is wiped.
#![forbid(unsafe_code)]

mod https;
#[cfg(test)]
mod service;
mod services;

pub use https::{Https, NoCertificates};

use mcbn_consent::cloud::{Fetch, NotFetched, ShareText};
use mcbn_gcp_answer::{Failure, Said, SecretBytes};
use mcbn_launcher::{Launcher, Request, TokenType};
use mcbn_manifest::{Cloud, CloudShare, Endpoint, Endpoints, ProviderName};
use mcbn_share::ManifestDigest;

/// Reads shares in participants' own projects.
#[derive(Clone, Debug)]
pub struct GoogleCloud {
    launcher: Launcher,
    manifest: ManifestDigest,
    endpoints: Endpoints,
    https: Https,
}

impl GoogleCloud {
    /// Asks nobody yet.
    pub fn new(
        launcher: Launcher,
        manifest: ManifestDigest,
        endpoints: &Endpoints,
        https: Https,
    ) -> Self {
        Self {
            launcher,
            manifest,
            endpoints: endpoints.clone(),
            https,
        }
    }
}

impl Fetch for GoogleCloud {
    async fn fetch(&self, cloud: &Cloud) -> Result<ShareText, NotFetched> {
        let text = self.read(cloud).await.map_err(not_fetched)?;
        // For the machine that was let read it.
        Ok(ShareText::copied_from(text.expose_secret()))
    }
}

impl GoogleCloud {
    async fn read(&self, cloud: &Cloud) -> Result<SecretBytes, Failure> {
        let request = request(&cloud.identity, &self.manifest);
        let token = self.launcher.custom_token(&request).await;
        let token =
            token.map_err(|error| Failure::NoToken(Said::new(error.to_string().as_bytes())))?;
        let https = &self.https;
        let at = &self.endpoints;
        let sts = at.sts.clone().unwrap_or_else(Endpoint::sts);
        let access = services::exchange(https, &sts, &cloud.identity, &token).await?;
        match &cloud.share {
            CloudShare::Secret(version) => {
                let endpoint = at.secret_manager.clone();
                let endpoint = endpoint.unwrap_or_else(|| version.endpoint());
                services::secret(https, &endpoint, access, version).await
            }
            CloudShare::Sealed {
                key,
                ciphertext,
                label,
            } => {
                let endpoint = at.kms.clone().unwrap_or_else(Endpoint::kms);
                let (ciphertext, label) = (ciphertext.as_bytes(), label.as_bytes());
                services::decrypt(https, &endpoint, access, key, ciphertext, label).await
            }
        }
    }
}

/// For a token that is of use to this participant alone, and says under which manifest their share is asked for: what
/// `mcbn manifest check` shows as its digest. A provider without allowed audiences takes this one
/// ([its reference](https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers#oidc)).
fn request(provider: &ProviderName, manifest: &ManifestDigest) -> Request {
    let audience = format!("https:{}", provider.audience()).parse();
    let audience = audience.expect("a name has no control characters and less than 200 bytes");
    let nonce = manifest.to_string().parse();
    let nonce = nonce.expect("64 hex digits");
    Request::new(audience, [nonce], TokenType::Oidc).expect("one nonce")
}

fn not_fetched(failure: Failure) -> NotFetched {
    NotFetched {
        reason: failure.reason(),
        is_final: failure.is_final(),
        source: failure.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_asked_for_one_provider_and_one_manifest() {
        let provider = "projects/1/locations/global/workloadIdentityPools/mcbn/providers/attested";
        let request = request(&provider.parse().unwrap(), &ManifestDigest([0xab; 32]));
        let audience = format!("https://iam.googleapis.com/{provider}")
            .parse()
            .unwrap();
        let nonce = "ab".repeat(32).parse().unwrap();
        let expected = Request::new(audience, [nonce], TokenType::Oidc);
        assert_eq!(Ok(request), expected);
    }
}
