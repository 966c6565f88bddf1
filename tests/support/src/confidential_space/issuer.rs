//! The issuer: its keys, and what it publishes of them.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::jwt::{self, Signature};
use super::key::SigningKey;
use super::pki::Pki;
use crate::service::{Endpoint, Health, Port, Server, Tally, health};

const DISCOVERY: &str = "/.well-known/openid-configuration";
const PKI_ROOT: &str = "/.well-known/attestation-pki-root";
const ROOT_CERTIFICATE: &str = "/.well-known/confidential_space_root.crt";
/// As on the real issuer's other host.
const JWKS: &str =
    "/service_accounts/v1/metadata/jwk/signer@confidentialspace-sign.iam.gserviceaccount.com";

/// An issuer that runs until it is dropped. Its machines go on minting without it.
pub struct Issuer {
    authority: Arc<Authority>,
    address: SocketAddr,
    desk: Arc<Desk>,
    server: Server,
}

/// How often each page was asked for, whatever came of it. A service that hangs up reads no requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Requests {
    pub discovery: u64,
    pub jwks: u64,
    pub pki_root: u64,
    pub root_certificate: u64,
    pub other: u64,
}

/// What becomes of the keys that were published, when there is a new one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rotation {
    KeepOld,
    DropOld,
}

impl Issuer {
    /// One that names its own address as `iss`.
    pub fn start() -> Self {
        Self::listening(None)
    }

    /// One whose tokens and discovery name another issuer: for readers that have its keys from a file.
    pub fn claiming(name: &str) -> Self {
        Self::listening(Some(name.to_owned()))
    }

    fn listening(name: Option<String>) -> Self {
        let port = Port::reserve();
        let address = port.address();
        let base = format!("http://{address}");
        let authority = Arc::new(Authority::new(name.unwrap_or_else(|| base.clone())));
        let (health, watched) = watch::channel(Health::Well);
        let desk = Arc::new(Desk {
            authority: Arc::clone(&authority),
            base,
            jwks: RwLock::new(None),
            requests: Tally::default(),
            health: watched,
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&desk));
        Self {
            authority,
            address,
            desk,
            server: Server::start(Endpoint::Port(port), router, health),
        }
    }

    /// `iss`.
    pub fn name(&self) -> &str {
        &self.authority.name
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        self.desk.base.clone()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn set_health(&self, health: Health) {
        self.server.set(health);
    }

    /// Makes a new key, which signs from now on.
    pub fn rotate(&self, rotation: Rotation) {
        self.authority.rotate(rotation);
    }

    /// The names of the published keys; the first one signs.
    pub fn kids(&self) -> Vec<String> {
        let keys = self.authority.keys();
        keys.published
            .iter()
            .map(|key| key.kid().to_owned())
            .collect()
    }

    /// The JWK set: an offline copy.
    pub fn jwks(&self) -> String {
        self.authority.jwks().to_string()
    }

    /// Publishes this instead of its JWK set, or its JWK set again.
    pub fn publish_instead(&self, jwks: Option<String>) {
        *self
            .desk
            .jwks
            .write()
            .unwrap_or_else(PoisonError::into_inner) = jwks;
    }

    /// The root of its PKI tokens.
    pub fn root_pem(&self) -> String {
        self.authority.pki().root_pem()
    }

    pub fn requests(&self) -> Requests {
        self.desk.requests.now()
    }

    /// Blocks until enough requests have come, and fails the test at [`crate::DEADLINE`].
    pub fn wait_for_requests(&self, is_enough: impl Fn(&Requests) -> bool) {
        self.desk.requests.wait_until("the issuer", is_enough);
    }

    /// Signs anything with the key that signs tokens, for tokens that no machine would ask for. The header's `kid` is
    /// the caller's to set.
    pub fn sign(&self, header: &Value, payload: &[u8]) -> String {
        let key = self.authority.signing_key();
        jwt::encode(header, payload, &Signature::Rs256(&key))
    }

    pub(crate) fn authority(&self) -> Arc<Authority> {
        Arc::clone(&self.authority)
    }
}

/// The keys. Those that few scenarios need are made when one does.
pub(crate) struct Authority {
    name: String,
    keys: RwLock<Keys>,
    pki: OnceLock<Pki>,
    /// What the issuer never published.
    stranger: OnceLock<SigningKey>,
    stranger_pki: OnceLock<Pki>,
}

struct Keys {
    /// The first one signs.
    published: Vec<Arc<SigningKey>>,
    retired: Option<Arc<SigningKey>>,
}

impl Authority {
    fn new(name: String) -> Self {
        // The real set has two, of which one signs.
        let published = [SigningKey::generate(), SigningKey::generate()];
        Self {
            name,
            keys: RwLock::new(Keys {
                published: published.map(Arc::new).into(),
                retired: None,
            }),
            pki: OnceLock::new(),
            stranger: OnceLock::new(),
            stranger_pki: OnceLock::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a published key of this name made the signature.
    pub(crate) fn vouches(&self, kid: &str, message: &[u8], signature: &[u8]) -> bool {
        let keys = self.keys();
        let key = keys.published.iter().find(|key| key.kid() == kid);
        key.is_some_and(|key| key.verifies(message, signature))
    }

    fn keys(&self) -> std::sync::RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn signing_key(&self) -> Arc<SigningKey> {
        Arc::clone(self.keys().published.first().expect("one always signs"))
    }

    /// A key that was published once: the one that was dropped last, or one of before the scenario.
    pub(super) fn retired_key(&self) -> Arc<SigningKey> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            keys.retired
                .get_or_insert_with(|| Arc::new(SigningKey::generate())),
        )
    }

    fn rotate(&self, rotation: Rotation) {
        let new = Arc::new(SigningKey::generate());
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if rotation == Rotation::DropOld {
            let mut dropped = keys.published.drain(..);
            let signed = dropped.next();
            drop(dropped);
            keys.retired = signed;
        }
        keys.published.insert(0, new);
    }

    fn jwks(&self) -> Value {
        let keys = self.keys();
        json!({ "keys": keys.published.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
    }

    pub(super) fn pki(&self) -> &Pki {
        self.pki.get_or_init(Pki::generate)
    }

    pub(super) fn stranger(&self) -> &SigningKey {
        self.stranger.get_or_init(SigningKey::generate)
    }

    pub(super) fn stranger_pki(&self) -> &Pki {
        self.stranger_pki.get_or_init(Pki::generate)
    }
}

/// What answers requests.
struct Desk {
    authority: Arc<Authority>,
    base: String,
    jwks: RwLock<Option<String>>,
    requests: Tally<Requests>,
    health: watch::Receiver<Health>,
}

async fn answer(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let path = request.uri().path();
    desk.requests.change(|requests| {
        *match path {
            DISCOVERY => &mut requests.discovery,
            JWKS => &mut requests.jwks,
            PKI_ROOT => &mut requests.pki_root,
            ROOT_CERTIFICATE => &mut requests.root_certificate,
            _ => &mut requests.other,
        } += 1;
    });
    if !health::pass(desk.health.clone()).await {
        return (StatusCode::INTERNAL_SERVER_ERROR, "internal error").into_response();
    }
    if request.method() != Method::GET {
        return (StatusCode::METHOD_NOT_ALLOWED, "method not allowed").into_response();
    }
    let json = "application/json; charset=UTF-8";
    let (kind, body) = match path {
        DISCOVERY => (json, desk.discovery().to_string()),
        JWKS => (json, desk.jwks()),
        PKI_ROOT => {
            let root = json!({ "root_ca_uri": format!("{}{ROOT_CERTIFICATE}", desk.base) });
            (json, root.to_string())
        }
        ROOT_CERTIFICATE => (
            "application/x-x509-ca-cert",
            desk.authority.pki().root_pem(),
        ),
        _ => return (StatusCode::NOT_FOUND, "not found").into_response(),
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, body).into_response()
}

impl Desk {
    fn discovery(&self) -> Value {
        json!({
            "claims_supported": [
                "sub", "aud", "exp", "iat", "iss", "jti", "nbf", "dbgstat", "eat_nonce", "google_service_accounts",
                "hwmodel", "oemid", "secboot", "submods", "swname", "swversion",
            ],
            "id_token_signing_alg_values_supported": ["RS256"],
            "issuer": self.authority.name,
            "jwks_uri": format!("{}{JWKS}", self.base),
            "response_types_supported": ["id_token"],
            "scopes_supported": ["openid"],
            "subject_types_supported": ["public"],
        })
    }

    fn jwks(&self) -> String {
        let instead = self.jwks.read().unwrap_or_else(PoisonError::into_inner);
        instead
            .clone()
            .unwrap_or_else(|| self.authority.jwks().to_string())
    }
}
