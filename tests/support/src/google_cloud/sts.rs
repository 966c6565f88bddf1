//! The Security Token Service: attestation tokens for access tokens ([RFC 8693]).
//!
//! A token is exchanged if its issuer signed it, for the STS, it is of now, and the provider's condition holds; the access
//! token then stands for the image's digest and for the machine. A provider maps the claims as this project's do:
//! `google.subject` is `gcpcs::IMAGE_DIGEST::PROJECT_NUMBER::INSTANCE_ID`, `attribute.image_digest` is the digest.
//!
//! [RFC 8693]: https://www.rfc-editor.org/rfc/rfc8693

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::extract::{FromRequest, Request, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::{Form, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;

use super::SCOPE;
use super::denial::Denial;
use super::fault::Fault;
use super::iam::{Grant, Iam, LIFETIME, Reach};
use super::provider::{Condition, Provider};
use super::service::{Call, Front, Service};
use super::service_account::now;
use super::wire::Refusal;
use crate::confidential_space::{Authority, DEFAULT_AUDIENCE, jwt};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const SUBJECT_TOKENS: [&str; 2] = [
    "urn:ietf:params:oauth:token-type:jwt",
    "urn:ietf:params:oauth:token-type:id_token",
];

/// The longest subject that is mapped, in bytes.
const SUBJECT: usize = 127;

pub struct Sts {
    service: Service,
    pools: Arc<Pools>,
}

impl Deref for Sts {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

/// A provider, its condition, and the audience of the tokens that it takes.
type Entry = (Provider, Condition, String);

/// The providers, and how long their access tokens live.
struct Pools {
    providers: RwLock<HashMap<String, Entry>>,
    lifetime: RwLock<Duration>,
}

impl Sts {
    pub(super) fn start(
        iam: Arc<Iam>,
        issuer: Arc<Authority>,
        acceptor: Option<&TlsAcceptor>,
    ) -> Self {
        let pools = Arc::new(Pools {
            providers: RwLock::default(),
            lifetime: RwLock::new(LIFETIME),
        });
        let service = Service::start(acceptor, |front| {
            let desk = Desk {
                front,
                iam,
                issuer,
                pools: Arc::clone(&pools),
            };
            Router::new().fallback(answer).with_state(Arc::new(desk))
        });
        Self { service, pools }
    }

    /// Adds a provider of the cloud's issuer, or changes its condition.
    pub fn set_provider(&self, name: &str, condition: Condition) -> Provider {
        self.set(name, condition, |_| DEFAULT_AUDIENCE.to_owned())
    }

    /// The same for one that was made without allowed audiences: it takes tokens that are for itself, by its name.
    pub fn set_provider_for_itself(&self, name: &str, condition: Condition) -> Provider {
        self.set(name, condition, |provider| {
            format!("https:{}", provider.audience())
        })
    }

    fn set(
        &self,
        name: &str,
        condition: Condition,
        takes: impl FnOnce(&Provider) -> String,
    ) -> Provider {
        let provider = Provider::new(name);
        let entry = (provider.clone(), condition, takes(&provider));
        self.pools
            .providers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(provider.audience(), entry);
        provider
    }

    /// Disables it: nothing more is exchanged. What was exchanged is good until its end.
    pub fn remove_provider(&self, provider: &Provider) {
        let mut providers = self
            .pools
            .providers
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let removed = providers.remove(&provider.audience());
        drop(providers);
        assert!(
            removed.is_some(),
            "there is no provider {}",
            provider.name()
        );
    }

    /// How long access tokens are good from now on, in whole seconds.
    pub fn set_lifetime(&self, lifetime: Duration) {
        *self
            .pools
            .lifetime
            .write()
            .unwrap_or_else(PoisonError::into_inner) = lifetime;
    }
}

struct Desk {
    front: Arc<Front>,
    iam: Arc<Iam>,
    issuer: Arc<Authority>,
    pools: Arc<Pools>,
}

async fn answer(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let is_exchange = request.method() == Method::POST && request.uri().path() == "/v1/token";
    let call = if is_exchange {
        Call::ExchangeToken
    } else {
        Call::Other
    };
    let fault = match desk.front.meet(call).await {
        Ok(fault) => fault,
        Err(refusal) => return refusal,
    };
    if !is_exchange {
        return Refusal::not_found("Requested entity was not found.").into_response();
    }
    let exchange = match Form::<Exchange>::from_request(request, &()).await {
        Ok(Form(exchange)) => exchange,
        Err(why) => return Denial::request(why.to_string()).into_response(),
    };
    match desk.exchange(&exchange, fault) {
        Ok(answer) => Json(answer).into_response(),
        Err(denial) => denial.into_response(),
    }
}

/// The form of a request. A field that is not here is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    grant_type: String,
    audience: String,
    requested_token_type: String,
    subject_token_type: String,
    subject_token: String,
    scope: String,
}

impl Desk {
    fn exchange(&self, exchange: &Exchange, fault: Option<Fault>) -> Result<Value, Denial> {
        if exchange.grant_type != GRANT {
            let error = "unsupported_grant_type";
            return Err(Denial::new(
                error,
                "The grant type is not a token exchange.",
            ));
        }
        if exchange.requested_token_type != ACCESS_TOKEN {
            return Err(Denial::request("Only access tokens are given."));
        }
        if !SUBJECT_TOKENS.contains(&exchange.subject_token_type.as_str()) {
            return Err(Denial::request("The subject token is of another type."));
        }
        let scopes: Vec<_> = exchange.scope.split(' ').map(str::to_owned).collect();
        if !scopes
            .iter()
            .all(|scope| scope.starts_with("https://www.googleapis.com/auth/"))
        {
            let description = format!("Invalid OAuth scope or ID token audience, as {SCOPE} is.");
            return Err(Denial::new("invalid_scope", description));
        }
        let providers = self.pools.providers.read();
        let (provider, condition, takes) = providers
            .unwrap_or_else(PoisonError::into_inner)
            .get(&exchange.audience)
            .cloned()
            .ok_or_else(|| {
                Denial::new(
                    "invalid_target",
                    "The target service indicated by the \"audience\" parameters is invalid. This might either be \
                     because the pool or provider is disabled or deleted or because it doesn't exist.",
                )
            })?;
        let claims = self.verified(&exchange.subject_token, &takes)?;
        let is_denied = fault == Some(Fault::Disabled);
        if is_denied || !condition.holds(&claims) {
            return Err(Denial::unauthorised(
                "unauthorized_client",
                "The given credential is rejected by the attribute condition.",
            ));
        }
        let lifetime = *self
            .pools
            .lifetime
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let grant = Grant {
            members: members(&provider, &claims)?,
            reach: Reach::Scopes(scopes),
        };
        Ok(json!({
            "access_token": self.iam.issue(grant, lifetime),
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": lifetime.as_secs(),
        }))
    }

    /// The claims of a token that is the issuer's, of now, and for this service.
    fn verified(&self, token: &str, takes: &str) -> Result<Value, Denial> {
        let token = jwt::decode(token)
            .ok_or_else(|| Denial::request("The subject token is no JSON Web Token."))?;
        let claims = token.claims;
        if claims["iss"] != self.issuer.name() {
            let description = "The issuer in ID Token does not match the expected one.";
            return Err(Denial::grant(description));
        }
        // PKI tokens have their key with them: they are verified by whoever pins the root, and not here.
        let is_signed = token.header["alg"] == "RS256"
            && token.header["kid"]
                .as_str()
                .is_some_and(|kid| self.issuer.vouches(kid, token.signed, &token.signature));
        if !is_signed {
            let description = "Invalid ID Token: its signature cannot be verified.";
            return Err(Denial::grant(description));
        }
        let is_mine = match &claims["aud"] {
            Value::Array(audiences) => audiences.iter().any(|one| one == takes),
            audience => audience == takes,
        };
        if !is_mine {
            let description = format!(
                "The audience in ID Token [{}] does not match the expected audience.",
                claims["aud"].as_str().unwrap_or_default()
            );
            return Err(Denial::grant(description));
        }
        let now = now();
        let time = |claim: &str| claims[claim].as_u64();
        if time("exp").is_none_or(|end| end <= now) {
            let description = "ID Token is stale to sign-in.";
            return Err(Denial::grant(description));
        }
        if ["iat", "nbf"]
            .iter()
            .any(|claim| time(claim).is_some_and(|start| start > now))
        {
            return Err(Denial::grant("ID Token is not valid yet."));
        }
        Ok(claims)
    }
}

/// Whom the token stands for, by the provider's mapping.
fn members(provider: &Provider, claims: &Value) -> Result<Vec<String>, Denial> {
    let submods = &claims["submods"];
    let parts = [
        &submods["container"]["image_digest"],
        &submods["gce"]["project_number"],
        &submods["gce"]["instance_id"],
    ]
    .map(Value::as_str);
    let [Some(digest), Some(project), Some(instance)] = parts else {
        let description = "The mapped attribute 'google.subject' cannot be evaluated.";
        return Err(Denial::request(description));
    };
    let subject = format!("gcpcs::{digest}::{project}::{instance}");
    if subject.len() > SUBJECT {
        let description =
            format!("The size of mapped attribute google.subject exceeds {SUBJECT} bytes.");
        return Err(Denial::request(description));
    }
    Ok(vec![
        provider.image(digest),
        provider.subject(&subject),
        provider.everyone(),
    ])
}
