//! Shares in Google Cloud, read with Google's own clients: what lib/consent asks for, in a crate of its own so that whoever
//! asks keepers alone links none of them.
//!
//! One reading is: a token of this machine from the launcher, an exchange of it with the Security Token Service through the
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
use mcbn_launcher::Launcher;
use mcbn_manifest::{Cloud, CloudShare, Endpoints};
use std::time::Duration;

/// Reads shares in participants' own projects.
#[derive(Clone, Debug)]
pub struct GoogleCloud {
    launcher: Launcher,
    endpoints: mcbn_gcp::Endpoints,
}

/// For one reading, whatever is tried again: like one attempt to reach a keeper.
const DEADLINE: Duration = Duration::from_secs(10);

impl GoogleCloud {
    /// Asks nobody yet.
    pub fn new(launcher: Launcher, endpoints: &Endpoints) -> Self {
        let Endpoints {
            kms,
            secret_manager,
            sts,
        } = endpoints.clone();
        Self {
            launcher,
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
        let google = Google::attested(cloud.identity, self.launcher, self.endpoints, DEADLINE);
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

fn not_fetched(failure: Failure) -> NotFetched {
    NotFetched {
        reason: failure.reason(),
        is_final: failure.is_final(),
        source: failure.into(),
    }
}
