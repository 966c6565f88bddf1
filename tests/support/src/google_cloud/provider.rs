//! Providers of workload identity pools: whose tokens are exchanged, and on what condition.

use std::sync::Arc;

use serde_json::Value;

/// What must hold of a token's claims: the CEL expression of a real provider.
#[derive(Clone)]
pub struct Condition(Arc<dyn Fn(&Value) -> bool + Send + Sync>);

impl Condition {
    /// Whatever the claims are.
    pub fn none() -> Self {
        Self::that(|_| true)
    }

    pub fn that(holds: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(holds))
    }

    /// Confidential Space, never a debug image, a stable version, this image, and nothing that the operator changed.
    pub fn image(digest: &str) -> Self {
        let digest = digest.to_owned();
        Self::that(move |claims| {
            let container = &claims["submods"]["container"];
            let support = &claims["submods"]["confidential_space"]["support_attributes"];
            claims["swname"] == "CONFIDENTIAL_SPACE"
                && claims["dbgstat"] == "disabled-since-boot"
                && support
                    .as_array()
                    .is_some_and(|support| support.iter().any(|one| one == "STABLE"))
                && container["image_digest"] == digest.as_str()
                && is_empty(&container["cmd_override"])
                && is_empty(&container["env_override"])
        })
    }

    pub(super) fn holds(&self, claims: &Value) -> bool {
        (self.0)(claims)
    }
}

/// Absent, null, or with nothing in it.
fn is_empty(overrides: &Value) -> bool {
    match overrides {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// A provider's name, and the names of whoever comes through its pool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Provider(String);

impl Provider {
    /// `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`.
    pub(super) fn new(name: &str) -> Self {
        let parts: Vec<_> = name.split('/').collect();
        let is_one = match parts.as_slice() {
            [
                "projects",
                number,
                "locations",
                "global",
                "workloadIdentityPools",
                pool,
                "providers",
                provider,
            ] => {
                number.bytes().all(|byte| byte.is_ascii_digit())
                    && [number, pool, provider].iter().all(|part| !part.is_empty())
            }
            _ => false,
        };
        assert!(is_one, "{name} is no name of a provider");
        Self(name.to_owned())
    }

    pub fn name(&self) -> &str {
        &self.0
    }

    /// As exchanges name it.
    pub fn audience(&self) -> String {
        format!("//iam.googleapis.com/{}", self.0)
    }

    fn pool(&self) -> &str {
        let (pool, _) = self.0.rsplit_once("/providers/").expect("it was verified");
        pool
    }

    /// Whoever runs this image, as bindings name them.
    pub fn image(&self, digest: &str) -> String {
        let pool = self.pool();
        format!("principalSet://iam.googleapis.com/{pool}/attribute.image_digest/{digest}")
    }

    /// Whoever comes through the pool.
    pub fn everyone(&self) -> String {
        format!("principalSet://iam.googleapis.com/{}/*", self.pool())
    }

    /// One subject.
    pub fn subject(&self, subject: &str) -> String {
        let pool = self.pool();
        format!("principal://iam.googleapis.com/{pool}/subject/{subject}")
    }
}
