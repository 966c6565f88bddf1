//! lib/gcp beside the double of Google Cloud: one project with a key and a secret, and somebody who may use them.

use mcbn_gcp::name::{KeyVersionName, SecretVersionName};
use mcbn_gcp::{CredentialSource, Digest, Endpoints, Failure, Google, Kms, Protection as Kept};
use mcbn_tests_support::confidential_space::Issuer;
use mcbn_tests_support::google_cloud::{Algorithm, Cloud, Protection, Role, ServiceAccount};
use std::path::PathBuf;
use std::time::Duration;

pub const RING: &str = "projects/example-project/locations/europe-west3/keyRings/mcbn/cryptoKeys";
const SECRET: &str = "projects/example-project/secrets/share";

/// What its secret holds.
pub const PAYLOAD: &[u8] = b"what nobody else may read";

pub const MESSAGE: &[u8] = b"a message";

/// Of the services that a test does not make slow.
pub const DEADLINE: Duration = Duration::from_secs(20);

pub struct Project {
    pub issuer: Issuer,
    pub cloud: Cloud,
    pub account: ServiceAccount,
    file: PathBuf,
    pub signing: KeyVersionName,
    pub secret: SecretVersionName,
}

impl Project {
    pub fn new() -> Project {
        let issuer = Issuer::start();
        let cloud = Cloud::plain(&issuer);
        let kms = cloud.kms();
        let signing = kms.add_key(
            &format!("{RING}/tls"),
            Algorithm::EcP256Sha256,
            Protection::Hsm,
        );
        let secret = cloud.secrets().add_version(SECRET, PAYLOAD);
        let account = cloud
            .iam()
            .add_service_account("tls@example-project.iam.gserviceaccount.com");
        let project = Project {
            file: cloud.service_account_file(&account),
            account,
            signing: signing.parse().unwrap(),
            secret: secret.parse().unwrap(),
            cloud,
            issuer,
        };
        project.allow(&project.account.member());
        project
    }

    /// All that is asked for here.
    pub fn allow(&self, member: &str) {
        let iam = self.cloud.iam();
        iam.bind(member, self.signing.key().as_str(), Role::SignerVerifier);
        iam.bind(member, SECRET, Role::SecretAccessor);
    }

    pub fn forbid(&self, member: &str) {
        let iam = self.cloud.iam();
        iam.unbind(member, self.signing.key().as_str(), Role::SignerVerifier);
        iam.unbind(member, SECRET, Role::SecretAccessor);
    }

    pub fn endpoints(&self) -> Endpoints {
        let endpoint = |text: &str| Some(text.parse().unwrap());
        Endpoints {
            kms: endpoint(self.cloud.kms().endpoint()),
            secret_manager: endpoint(self.cloud.secrets().endpoint()),
            sts: endpoint(self.cloud.sts().endpoint()),
        }
    }

    /// As the service account, from its file.
    pub fn google(&self, deadline: Duration) -> Google {
        let file = CredentialSource::File(self.file.clone());
        Google::new(file, self.endpoints(), deadline)
    }

    pub fn kms(&self) -> Kms {
        self.google(DEADLINE).kms()
    }
}

/// A signature of [`MESSAGE`].
pub async fn sign(kms: &Kms, name: &KeyVersionName) -> Result<Vec<u8>, Failure> {
    let digest = Digest::Sha256(openssl::sha::sha256(MESSAGE));
    kms.sign(name, &digest, Kept::Hsm).await
}

impl Default for Project {
    fn default() -> Self {
        Self::new()
    }
}
