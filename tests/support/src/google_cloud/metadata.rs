//! The metadata server of a virtual machine, as far as access tokens are concerned. Plain HTTP, as the real one.

use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::SCOPE;
use super::iam::{Grant, Iam, LIFETIME, Reach};
use super::service::{Call, Front, Service};

const FLAVOR: &str = "metadata-flavor";
const GOOGLE: HeaderValue = HeaderValue::from_static("Google");
const ACCOUNT: &str = "/computeMetadata/v1/instance/service-accounts/default";
const UNIVERSE: &str = "/computeMetadata/v1/universe/universe-domain";

/// The machine's account, unless it is told otherwise.
const EMAIL: &str = "workload@example-project.iam.gserviceaccount.com";

pub struct Metadata {
    service: Service,
    machine: Arc<Machine>,
}

impl Deref for Metadata {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

struct Machine {
    /// None: the machine has no account.
    email: RwLock<Option<String>>,
    lifetime: RwLock<Duration>,
}

impl Metadata {
    pub(super) fn start(iam: Arc<Iam>) -> Self {
        let machine = Arc::new(Machine {
            email: RwLock::new(Some(EMAIL.to_owned())),
            lifetime: RwLock::new(LIFETIME),
        });
        let service = Service::start(None, |front| {
            let desk = Desk {
                front,
                iam,
                machine: Arc::clone(&machine),
            };
            Router::new().fallback(answer).with_state(Arc::new(desk))
        });
        Self { service, machine }
    }

    /// Its address and port: for `GCE_METADATA_HOST`.
    pub fn host(&self) -> &str {
        let endpoint = self.endpoint();
        endpoint.strip_prefix("http://").unwrap_or(endpoint)
    }

    /// The machine's account as bindings name it, or none.
    pub fn member(&self) -> Option<String> {
        let email = self.machine.email.read();
        let email = email.unwrap_or_else(PoisonError::into_inner);
        email
            .as_ref()
            .map(|email| format!("serviceAccount:{email}"))
    }

    /// Gives the machine another account, or takes it away.
    pub fn set_account(&self, email: Option<&str>) {
        *self
            .machine
            .email
            .write()
            .unwrap_or_else(PoisonError::into_inner) = email.map(str::to_owned);
    }

    /// How long access tokens are good from now on, in whole seconds.
    pub fn set_lifetime(&self, lifetime: Duration) {
        *self
            .machine
            .lifetime
            .write()
            .unwrap_or_else(PoisonError::into_inner) = lifetime;
    }
}

struct Desk {
    front: Arc<Front>,
    iam: Arc<Iam>,
    machine: Arc<Machine>,
}

async fn answer(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let path = request.uri().path();
    let what = path.strip_prefix(ACCOUNT);
    let call = if what == Some("/token") {
        Call::MetadataToken
    } else {
        Call::Other
    };
    // No fault of an answer is one of this service's.
    if let Err(refusal) = desk.front.meet(call).await {
        return refusal;
    }
    let headers = request.headers();
    let mut response = if headers.get(FLAVOR) != Some(&GOOGLE) {
        // Whoever makes a program ask for a page cannot make it send this header.
        (StatusCode::FORBIDDEN, "no Metadata-Flavor").into_response()
    } else if headers.contains_key("x-forwarded-for") {
        (StatusCode::FORBIDDEN, "forwarded").into_response()
    } else if request.method() != Method::GET {
        (
            StatusCode::METHOD_NOT_ALLOWED,
            "not a method of this service",
        )
            .into_response()
    } else {
        desk.answer(what, &request)
    };
    response.headers_mut().insert(FLAVOR, GOOGLE);
    response
}

impl Desk {
    fn answer(&self, what: Option<&str>, request: &Request) -> Response {
        let email = self.machine.email.read();
        let email = email.unwrap_or_else(PoisonError::into_inner).clone();
        match (what, email) {
            (Some("/token"), Some(email)) => self.token(&email, request),
            (Some("/email"), Some(email)) => email.into_response(),
            (None, _) if request.uri().path() == UNIVERSE => "googleapis.com".into_response(),
            _ => (StatusCode::NOT_FOUND, "not found").into_response(),
        }
    }

    fn token(&self, email: &str, request: &Request) -> Response {
        let query = match Query::<Vec<(String, String)>>::try_from_uri(request.uri()) {
            Ok(query) => query.0,
            Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
        };
        let scopes = match query.as_slice() {
            [] => vec![SCOPE.to_owned()],
            [(name, scopes)] if name == "scopes" => scopes.split(',').map(str::to_owned).collect(),
            _ => return (StatusCode::BAD_REQUEST, "unknown parameter").into_response(),
        };
        let lifetime = *self
            .machine
            .lifetime
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let grant = Grant {
            members: vec![format!("serviceAccount:{email}")],
            reach: Reach::Scopes(scopes),
        };
        Json(json!({
            "access_token": self.iam.issue(grant, lifetime),
            "expires_in": lifetime.as_secs(),
            "token_type": "Bearer",
        }))
        .into_response()
    }
}
