//! Who we are to Google Cloud.

use google_cloud_auth::build_errors::Error as NotBuilt;
use google_cloud_auth::credentials::subject_token::{
    Builder as SubjectTokenBuilder, SubjectToken, SubjectTokenProvider,
};
use google_cloud_auth::credentials::{
    self, Credentials, external_account, mds, service_account, user_account,
};
use google_cloud_auth::errors::SubjectTokenProviderError;
use mcbn_gcp_answer::Failure;
use mcbn_gcp_name::{Endpoint, ProviderName};
use mcbn_launcher::Launcher;
use serde_json::Value;
use std::error::Error;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// Where credentials come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialSource {
    /// [Application default credentials](https://docs.cloud.google.com/docs/authentication/application-default-credentials).
    Default,
    /// Those of the machine, from its metadata server.
    Metadata,
    /// A JSON file of the type `service_account`, `external_account` or `authorized_user`.
    File(PathBuf),
}

impl FromStr for CredentialSource {
    type Err = NotASource;

    fn from_str(text: &str) -> Result<CredentialSource, NotASource> {
        match text {
            "default" => Ok(CredentialSource::Default),
            "metadata" => Ok(CredentialSource::Metadata),
            _ => match text.strip_prefix("file:") {
                Some(path) if !path.is_empty() => Ok(CredentialSource::File(path.into())),
                _ => Err(NotASource),
            },
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotASource;

impl Display for NotASource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("none of default, metadata and file:PATH")
    }
}

impl Error for NotASource {}

/// The scope of all that is done here; what is allowed is said by roles.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// Longer than any of these files.
const LONGEST_FILE: u64 = 64 * 1024;

impl CredentialSource {
    /// Starts to fetch an access token, and so needs the runtime.
    pub(crate) fn open(&self) -> Result<Credentials, Failure> {
        match self {
            CredentialSource::Default => {
                let built = credentials::Builder::default().with_scopes([SCOPE]).build();
                built.map_err(not_built)
            }
            CredentialSource::Metadata => {
                let built = mds::Builder::default().with_scopes([SCOPE]).build();
                built.map_err(not_built)
            }
            CredentialSource::File(path) => of_file(path),
        }
    }
}

/// By the attestation tokens of this machine, through a workload identity pool.
pub(crate) fn attested(
    provider: &ProviderName,
    launcher: Launcher,
    sts: Option<&Endpoint>,
) -> Result<Credentials, Failure> {
    let mut builder = external_account::ProgrammaticBuilder::new(Arc::new(Attestation(launcher)))
        .with_audience(provider.audience())
        .with_subject_token_type(JWT)
        .with_scopes([SCOPE]);
    if let Some(sts) = sts {
        builder = builder.with_token_url(format!("{sts}/v1/token"));
    }
    builder.build().map_err(not_built)
}

fn of_file(path: &Path) -> Result<Credentials, Failure> {
    let unusable = |why: &dyn Display| Failure::NoCredentials(format!("{}: {why}", path.display()));
    let json = read(path).map_err(|error| unusable(&error))?;
    // What stands in the file stays out of the message.
    let json: Value = serde_json::from_slice(&json).map_err(|_| unusable(&"not JSON"))?;
    let built = match json.get("type").and_then(Value::as_str) {
        Some("service_account") => {
            let scopes = service_account::AccessSpecifier::from_scopes([SCOPE]);
            let builder = service_account::Builder::new(json).with_access_specifier(scopes);
            builder.build()
        }
        Some("external_account") => {
            if json.pointer("/credential_source/executable").is_some() {
                return Err(unusable(&"no program is run for a token"));
            }
            external_account::Builder::new(json)
                .with_scopes([SCOPE])
                .build()
        }
        Some("authorized_user") => user_account::Builder::new(json)
            .with_scopes([SCOPE])
            .build(),
        _ => {
            return Err(unusable(
                &"its type is none of service_account, external_account and authorized_user",
            ));
        }
    };
    built.map_err(|_| unusable(&"it lacks a field that its type needs"))
}

fn read(path: &Path) -> std::io::Result<zeroize::Zeroizing<Vec<u8>>> {
    use std::io::Read;
    let mut json = zeroize::Zeroizing::new(Vec::with_capacity(LONGEST_FILE as usize));
    let file = std::fs::File::open(path)?;
    file.take(LONGEST_FILE).read_to_end(&mut json)?;
    Ok(json)
}

/// Google's message may repeat what it could not read.
fn not_built(error: NotBuilt) -> Failure {
    let why = match () {
        () if error.is_loading() => "the file of application default credentials cannot be read",
        () if error.is_parsing() => "the file of application default credentials is malformed",
        () if error.is_unknown_type() | error.is_not_supported() => {
            "application default credentials are of a type without a use here"
        }
        () => "they are not whole",
    };
    Failure::NoCredentials(why.into())
}

/// The launcher's own tokens, which are for Google's security token service.
#[derive(Debug)]
struct Attestation(Launcher);

impl SubjectTokenProvider for Attestation {
    type Error = NoAttestation;

    async fn subject_token(&self) -> Result<SubjectToken, NoAttestation> {
        let token = self.0.default_token().await.map_err(NoAttestation)?;
        Ok(SubjectTokenBuilder::new(token.as_str()).build())
    }
}

/// The launcher gives no token.
#[derive(Debug)]
pub(crate) struct NoAttestation(pub(crate) mcbn_launcher::Error);

impl Display for NoAttestation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for NoAttestation {}

impl SubjectTokenProviderError for NoAttestation {
    /// The launcher may be back in a moment.
    fn is_transient(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn sources_are_read() {
        assert_eq!("default".parse(), Ok(CredentialSource::Default));
        assert_eq!("metadata".parse(), Ok(CredentialSource::Metadata));
        let file = CredentialSource::File("/run/credentials.json".into());
        assert_eq!("file:/run/credentials.json".parse(), Ok(file));
        for text in ["", "file:", "env", "/run/credentials.json", "Default"] {
            assert_eq!(
                text.parse::<CredentialSource>(),
                Err(NotASource),
                "{text:?}"
            );
        }
    }

    async fn refused(content: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials.json");
        fs::write(&path, content).unwrap();
        match CredentialSource::File(path).open() {
            Ok(_) => panic!("it was taken"),
            Err(failure) => failure.to_string(),
        }
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_refused() {
        let source = CredentialSource::File("/nonexistent/credentials.json".into());
        let refused = source.open().unwrap_err().to_string();
        assert!(refused.contains("No such file"), "{refused}");
    }

    #[tokio::test]
    async fn a_malformed_file_is_refused_without_showing_it() {
        let private = "private-bits";
        for (content, reason) in [
            (format!("{private}{{"), "not JSON"),
            (format!(r#"{{"private_key": "{private}"}}"#), "its type is none of"),
            (
                format!(r#"{{"type": "{private}"}}"#),
                "its type is none of",
            ),
            (
                format!(r#"{{"type": "service_account", "private_key": "{private}"}}"#),
                "it lacks a field",
            ),
            (
                r#"{"type": "external_account", "credential_source": {"executable": {"command": "id"}}}"#
                    .into(),
                "no program is run",
            ),
        ] {
            let refused = refused(&content).await;
            assert!(refused.contains(reason), "{refused}");
            assert!(!refused.contains(private), "{refused}");
        }
    }
}
