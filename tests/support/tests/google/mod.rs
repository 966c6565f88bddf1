//! A cloud for Google's clients in this process, over plain HTTP, and who calls it.

#![allow(dead_code, reason = "each test uses some of it")]

pub mod raw;

use axum::http::{Extensions, HeaderMap, header};
use google_cloud_auth::credentials::{
    CacheableResource, Credentials, CredentialsProvider, EntityTag,
};
use google_cloud_auth::errors::CredentialsError;
use google_cloud_gax::Result as Answered;
use google_cloud_gax::retry_policy::NeverRetry;
use google_cloud_kms_v1::client::KeyManagementService;
use google_cloud_kms_v1::model::{AsymmetricSignResponse, Digest};
use google_cloud_secretmanager_v1::client::SecretManagerService;
use mcbn_tests_support::confidential_space::Issuer;
use mcbn_tests_support::google_cloud::{Algorithm, Cloud, Protection, Role};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sha::sha256;
use openssl::sign::Verifier;

pub const KEY: &str =
    "projects/example-project/locations/europe-west3/keyRings/mcbn/cryptoKeys/tls";
pub const SHARE: &str =
    "projects/example-project/locations/europe-west3/keyRings/mcbn/cryptoKeys/share";
pub const SECRET: &str = "projects/example-project/secrets/share";
pub const PROVIDER: &str =
    "projects/123456789012/locations/global/workloadIdentityPools/mcbn/providers/attested";

pub fn cloud() -> Cloud {
    cloud_and_issuer().0
}

pub fn cloud_and_issuer() -> (Cloud, Issuer) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let issuer = Issuer::start();
    (Cloud::plain(&issuer), issuer)
}

pub fn p256(cloud: &Cloud) -> String {
    cloud
        .kms()
        .add_key(KEY, Algorithm::EcP256Sha256, Protection::Hsm)
}

/// Somebody who has a role at a resource.
pub fn caller(cloud: &Cloud, resource: &str, role: Role) -> String {
    let member = "serviceAccount:caller@example-project.iam.gserviceaccount.com";
    cloud.iam().bind(member, resource, role);
    member.to_owned()
}

/// Waits for what blocks, and holds up no other task.
pub async fn wait(cloud: Cloud, wait: impl FnOnce(&Cloud) + Send + 'static) -> Cloud {
    let waited = tokio::task::spawn_blocking(move || {
        wait(&cloud);
        cloud
    });
    waited.await.unwrap()
}

/// An access token, sent as it is.
#[derive(Debug)]
struct Token(String);

impl CredentialsProvider for Token {
    async fn headers(
        &self,
        _extensions: Extensions,
    ) -> Result<CacheableResource<HeaderMap>, CredentialsError> {
        let bearer = format!("Bearer {}", self.0).parse().unwrap();
        Ok(CacheableResource::New {
            entity_tag: EntityTag::new(),
            data: HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]),
        })
    }

    async fn universe_domain(&self) -> Option<String> {
        None
    }
}

pub fn credentials(token: &str) -> Credentials {
    Token(token.to_owned()).into()
}

/// Asks once: what is refused stays so.
pub async fn kms_with(cloud: &Cloud, credentials: Credentials) -> KeyManagementService {
    KeyManagementService::builder()
        .with_endpoint(cloud.kms().endpoint())
        .with_credentials(credentials)
        .with_retry_policy(NeverRetry)
        .build()
        .await
        .unwrap()
}

pub async fn secrets_with(cloud: &Cloud, credentials: Credentials) -> SecretManagerService {
    SecretManagerService::builder()
        .with_endpoint(cloud.secrets().endpoint())
        .with_credentials(credentials)
        .with_retry_policy(NeverRetry)
        .build()
        .await
        .unwrap()
}

pub async fn kms(cloud: &Cloud, member: &str) -> KeyManagementService {
    kms_with(cloud, credentials(&cloud.iam().issue_token(member))).await
}

pub async fn secrets(cloud: &Cloud, member: &str) -> SecretManagerService {
    secrets_with(cloud, credentials(&cloud.iam().issue_token(member))).await
}

pub const MESSAGE: &[u8] = b"a message";

/// Asks for a signature of [`MESSAGE`] by a key of SHA-256.
pub async fn sign(
    client: &KeyManagementService,
    version: &str,
) -> Answered<AsymmetricSignResponse> {
    let digest = sha256(MESSAGE);
    client
        .asymmetric_sign()
        .set_name(version)
        .set_digest(Digest::new().set_sha256(digest.to_vec()))
        .set_digest_crc32c(crc(&digest))
        .send()
        .await
}

/// Whether the signature is one of [`MESSAGE`] by a key of SHA-256.
pub fn is_signed(cloud: &Cloud, version: &str, signature: &[u8]) -> bool {
    let pem = cloud.kms().public_key_pem(version);
    let key = PKey::public_key_from_pem(pem.as_bytes()).unwrap();
    Verifier::new(MessageDigest::sha256(), &key)
        .unwrap()
        .verify_oneshot(signature, MESSAGE)
        // What is no signature at all is an error.
        .unwrap_or(false)
}

pub fn crc(bytes: &[u8]) -> i64 {
    crc32c::crc32c(bytes).into()
}
