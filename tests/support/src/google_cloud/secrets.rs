//! Secret Manager: payloads of versions, for whoever may have them.
//!
//! The real service answers regional names at its regional endpoints only; this one answers both.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State as Shared};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;

use super::fault::Fault;
use super::iam::{Iam, Permission};
use super::kms::State;
use super::service::{Call, Front, Service};
use super::wire::{self, Refusal, base64, checksum};

pub struct Secrets {
    service: Service,
    store: Arc<Store>,
}

impl Deref for Secrets {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl Secrets {
    pub(super) fn start(iam: Arc<Iam>, acceptor: Option<&TlsAcceptor>) -> Self {
        let store = Arc::new(Store {
            iam,
            secrets: Mutex::default(),
        });
        let service = Service::start(acceptor, |front| {
            let desk = Desk {
                front,
                store: Arc::clone(&store),
            };
            Router::new().fallback(answer).with_state(Arc::new(desk))
        });
        Self { service, store }
    }

    /// Adds a version to a secret, which is made with its first one, and returns the version's name, with the project's
    /// number as the service says it.
    ///
    /// `secret` is `projects/P/secrets/S` or `projects/P/locations/L/secrets/S`.
    pub fn add_version(&self, secret: &str, payload: &[u8]) -> String {
        assert!(is_secret(secret), "{secret} is no name of a secret");
        let name = self.store.iam.canonical(secret);
        let number = self.store.with(|secrets| {
            let versions = secrets.entry(name.clone()).or_default();
            versions.push((payload.to_vec(), State::Enabled));
            versions.len()
        });
        format!("{name}/versions/{number}")
    }

    /// Disables a version, or enables it, or destroys it.
    pub fn set_state(&self, version: &str, state: State) {
        let name = self.store.iam.canonical(version);
        let found = self.store.with(|secrets| {
            let (secret, number) = split(&name)?;
            let versions = secrets.get_mut(secret)?;
            versions.get_mut(number.checked_sub(1)?)?.1 = state;
            Some(())
        });
        assert!(found.is_some(), "there is no version {version}");
    }
}

/// The payloads of one secret's versions, the first of which is number 1.
type Versions = Vec<(Vec<u8>, State)>;

/// Versions by the names of their secrets, with projects' numbers.
struct Store {
    iam: Arc<Iam>,
    secrets: Mutex<HashMap<String, Versions>>,
}

impl Store {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<String, Versions>) -> T) -> T {
        act(&mut self.secrets.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A version's name as the service says it, and its payload. `latest` is the newest, whatever its state.
    fn access(&self, name: &str, fault: Option<Fault>) -> Result<(String, Vec<u8>), Refusal> {
        let canonical = self.iam.canonical(name);
        let found = self.with(|secrets| {
            let (secret, number) = match canonical.strip_suffix("/versions/latest") {
                Some(secret) => (secret, secrets.get(secret)?.len()),
                None => split(&canonical)?,
            };
            let version = secrets.get(secret)?.get(number.checked_sub(1)?)?;
            Some((format!("{secret}/versions/{number}"), version.clone()))
        });
        let (name, (payload, state)) = found
            .ok_or_else(|| Refusal::not_found(format!("Secret Version [{name}] not found.")))?;
        let state = match fault {
            Some(Fault::Disabled) => State::Disabled,
            _ => state,
        };
        if state != State::Enabled {
            return Err(Refusal::precondition(format!(
                "Secret Version [{name}] is in {} state.",
                state.name()
            )));
        }
        Ok((name, payload))
    }
}

struct Desk {
    front: Arc<Front>,
    store: Arc<Store>,
}

async fn answer(Shared(desk): Shared<Arc<Desk>>, request: Request) -> Response {
    let name = match request.uri().path().strip_prefix("/v1/") {
        Some(path) if request.method() == Method::GET => path
            .strip_suffix(":access")
            .filter(|name| is_version(name))
            .map(str::to_owned),
        _ => None,
    };
    let call = match name {
        Some(_) => Call::AccessSecret,
        None => Call::Other,
    };
    let fault = match desk.front.meet(call).await {
        Ok(fault) => fault,
        Err(refusal) => return refusal,
    };
    let answer = match name {
        Some(name) => desk.access(&name, &request, fault),
        None => Err(Refusal::not_found("Requested entity was not found.")),
    };
    answer.map(Json).into_response()
}

impl Desk {
    fn access(
        &self,
        name: &str,
        request: &Request,
        fault: Option<Fault>,
    ) -> Result<Value, Refusal> {
        wire::parameters(request, "")?;
        let iam = &self.store.iam;
        iam.authorise(request, Permission::AccessSecret, name)?;
        let (mut name, mut payload) = self.store.access(name, fault)?;
        match (fault, payload.first_mut()) {
            (Some(Fault::OtherName), _) => name.push('0'),
            (Some(Fault::WrongBytes), Some(byte)) => *byte ^= 1,
            _ => {}
        }
        Ok(json!({
            "name": name,
            "payload": {
                "data": base64(&payload),
                "dataCrc32c": checksum(&payload, fault != Some(Fault::WrongChecksum)),
            },
        }))
    }
}

/// A secret's name and a version's number. A number has one form.
fn split(version: &str) -> Option<(&str, usize)> {
    let (secret, number) = version.rsplit_once("/versions/")?;
    let parsed: usize = number.parse().ok()?;
    (parsed.to_string() == number).then_some((secret, parsed))
}

fn is_secret(name: &str) -> bool {
    let parts: Vec<_> = name.split('/').collect();
    let is_one = match parts.as_slice() {
        [projects, _, secrets, _] => [*projects, *secrets] == ["projects", "secrets"],
        [projects, _, locations, _, secrets, _] => {
            [*projects, *locations, *secrets] == ["projects", "locations", "secrets"]
        }
        _ => false,
    };
    is_one && !parts.contains(&"")
}

fn is_version(name: &str) -> bool {
    name.rsplit_once("/versions/")
        .is_some_and(|(secret, number)| {
            is_secret(secret) && !number.is_empty() && !number.contains('/')
        })
}
