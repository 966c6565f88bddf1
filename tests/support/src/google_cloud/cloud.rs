//! All of it together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::iam::Iam;
use super::kms::Kms;
use super::metadata::Metadata;
use super::oauth::{Oauth, User};
use super::provider::Provider;
use super::root::Root;
use super::secrets::Secrets;
use super::service_account::ServiceAccount;
use super::sts::Sts;
use crate::confidential_space::Issuer;
use crate::folder::Folder;

/// A cloud that runs until it is dropped. It has one project: `example-project`, number 123456789012.
pub struct Cloud {
    iam: Arc<Iam>,
    kms: Kms,
    secrets: Secrets,
    sts: Sts,
    oauth: Oauth,
    metadata: Metadata,
    root: Root,
    folder: Folder,
}

impl Cloud {
    /// One over HTTPS, as the real one, but for the metadata server. Its certificate is of [`Self::root_pem`].
    pub fn start(issuer: &Issuer) -> Self {
        Self::listening(issuer, true)
    }

    /// One over plain HTTP, for clients in the test's own process: what they trust is the process's to say, through
    /// variables that cannot be set safely while it runs.
    pub fn plain(issuer: &Issuer) -> Self {
        Self::listening(issuer, false)
    }

    fn listening(issuer: &Issuer, is_https: bool) -> Self {
        let folder = Folder::new();
        let root = Root::generate(&folder);
        let acceptor = is_https.then(|| root.acceptor());
        let iam = Arc::new(Iam::new());
        Self {
            kms: Kms::start(Arc::clone(&iam), acceptor),
            secrets: Secrets::start(Arc::clone(&iam), acceptor),
            sts: Sts::start(Arc::clone(&iam), issuer.authority(), acceptor),
            oauth: Oauth::start(Arc::clone(&iam), acceptor),
            metadata: Metadata::start(Arc::clone(&iam)),
            iam,
            root,
            folder,
        }
    }

    pub fn kms(&self) -> &Kms {
        &self.kms
    }

    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    pub fn sts(&self) -> &Sts {
        &self.sts
    }

    pub fn oauth(&self) -> &Oauth {
        &self.oauth
    }

    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    pub fn iam(&self) -> &Iam {
        &self.iam
    }

    /// The root of the services' certificates: for `SSL_CERT_FILE`.
    pub fn root_pem(&self) -> &Path {
        self.root.pem()
    }

    /// Writes the account's key as Google hands it out, and returns where. Once for each account.
    pub fn service_account_file(&self, account: &ServiceAccount) -> PathBuf {
        let json = account.json(self.sts.endpoint()).to_string();
        self.folder.file(&format!("{}.json", account.email()), json)
    }

    /// Writes what `gcloud auth application-default login` leaves on the user's machine, and returns where. Once for each
    /// user.
    pub fn authorized_user_file(&self, user: &User) -> PathBuf {
        let json = user.json(self.oauth.endpoint()).to_string();
        self.folder.file(&format!("{}.json", user.email()), json)
    }

    /// Writes the configuration of `external_account` credentials whose subject token is in a file, as
    /// `gcloud iam workload-identity-pools create-cred-config` does, and returns where. Once for each file name.
    pub fn external_account_file(&self, name: &str, provider: &Provider, token: &Path) -> PathBuf {
        let json = json!({
            "universe_domain": "googleapis.com",
            "type": "external_account",
            "audience": provider.audience(),
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": format!("{}/v1/token", self.sts.endpoint()),
            "credential_source": {
                "file": token.to_str().expect("the tests' paths are UTF-8"),
                "format": { "type": "text" },
            },
        });
        self.folder.file(name, json.to_string())
    }
}
