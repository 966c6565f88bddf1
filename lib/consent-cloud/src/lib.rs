//! Shares in Google Cloud, read with Google's own clients: what lib/consent asks for, in a crate of its own so that whoever
//! asks keepers alone links none of them.
//!
//! One reading is: a token of this machine from the launcher, for this participant's provider and no other, with the
//! manifest's digest as its nonce; an exchange of it with the Security Token Service through the
//! participant's provider, and the secret or the decryption with the access token that comes back. Nothing is kept for the
//! next one, so each is judged by what the participant has set by then. The machine acts as itself: no service account is
//! impersonated, and none of the operator's is used.
//!
//! What this cannot do: Google's clients do not wipe what they have read. The text of a share, as base64 in an answer and
//! decoded, and access tokens stay in freed memory until that is used again; the same is true of the buffers of the TLS
//! library below them. What is given out here is wiped.
#![forbid(unsafe_code)]

mod alone;

use alone::alone;
use mcbn_consent::cloud::{Fetch, NotFetched, ShareText};
use mcbn_gcp::{Failure, Google};
use mcbn_launcher::{Launcher, Request, TokenType};
use mcbn_manifest::{Cloud, CloudShare, Endpoints, ProviderName};
use mcbn_share::ManifestDigest;
use std::time::Duration;

/// Reads shares in participants' own projects.
#[derive(Clone, Debug)]
pub struct GoogleCloud {
    launcher: Launcher,
    manifest: ManifestDigest,
    endpoints: mcbn_gcp::Endpoints,
}

/// For one reading, whatever is tried again: like one attempt to reach a keeper.
const DEADLINE: Duration = Duration::from_secs(10);

impl GoogleCloud {
    /// Asks nobody yet.
    pub fn new(launcher: Launcher, manifest: ManifestDigest, endpoints: &Endpoints) -> Self {
        let Endpoints {
            kms,
            secret_manager,
            sts,
        } = endpoints.clone();
        Self {
            launcher,
            manifest,
            endpoints: mcbn_gcp::Endpoints {
                kms,
                secret_manager,
                sts,
            },
        }
    }
}

impl Fetch for GoogleCloud {
    async fn fetch(&self, cloud: &Cloud) -> Result<ShareText, NotFetched> {
        // What Google's clients leave behind at work, access tokens with it, ends with this reading.
        let read = alone(self.clone().read(cloud.clone())).await;
        let read = read.map_err(|error| NotFetched {
            reason: "local",
            is_final: false,
            source: error.into(),
        });
        read?.map_err(not_fetched)
    }
}

impl GoogleCloud {
    async fn read(self, cloud: Cloud) -> Result<ShareText, Failure> {
        // A new one each time: it has access tokens of its own.
        let request = request(&cloud.identity, &self.manifest);
        let google = Google::attested_with(
            cloud.identity,
            self.launcher,
            request,
            self.endpoints,
            DEADLINE,
        );
        let text = match &cloud.share {
            CloudShare::Secret(version) => google.secret_manager().access(version).await,
            CloudShare::Sealed {
                key,
                ciphertext,
                label,
            } => {
                let (ciphertext, label) = (ciphertext.as_bytes(), label.as_bytes());
                google.kms().decrypt(key, ciphertext, label).await
            }
        };
        // For the machine that was let read it.
        let copied = |text: mcbn_gcp::SecretBytes| ShareText::copied_from(text.expose_secret());
        text.map(copied)
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
