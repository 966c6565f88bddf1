//! One service of the double: where it listens, how it is, and who has asked.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::Limited;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use super::fault::{Fault, Switch};
use super::wire::Refusal;
use crate::service::{Endpoint, Health, Port, Server, Tally, health};

/// What a request is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    PublicKey,
    Sign,
    AsymmetricDecrypt,
    Encrypt,
    Decrypt,
    AccessSecret,
    ExchangeToken,
    RefreshToken,
    MetadataToken,
    Other,
}

/// How often each was asked for, whatever came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Requests([u64; Call::Other as usize + 1]);

impl Requests {
    pub fn of(&self, call: Call) -> u64 {
        self.0[call as usize]
    }

    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// A service that runs until its [`Cloud`](super::Cloud) is dropped.
pub struct Service {
    endpoint: String,
    front: Arc<Front>,
    server: Server,
}

impl Service {
    /// `router` makes the service's answers behind its front.
    pub(super) fn start(
        acceptor: Option<&TlsAcceptor>,
        router: impl FnOnce(Arc<Front>) -> Router,
    ) -> Self {
        let port = Port::reserve();
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let endpoint = format!("{scheme}://{}", port.address());
        let (health, watched) = watch::channel(Health::Well);
        let front = Arc::new(Front {
            health: watched,
            switch: Switch::new(),
            requests: Tally::default(),
        });
        let router = router(Arc::clone(&front));
        let place = match acceptor {
            Some(acceptor) => Endpoint::Tls(port, acceptor.clone()),
            None => Endpoint::Port(port),
        };
        Self {
            endpoint,
            front,
            server: Server::start(place, router, health),
        }
    }

    /// Its origin: scheme, address and port.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// How it answers, whatever it is asked, or whether it is there at all.
    pub fn set_health(&self, health: Health) {
        self.server.set(health);
    }

    /// What is wrong with every answer from now on.
    pub fn set_fault(&self, fault: Fault) {
        self.front.switch.set(Some(fault), None);
    }

    /// What is wrong with the next answers, and no more.
    pub fn set_fault_for(&self, requests: u64, fault: Fault) {
        self.front.switch.set(Some(fault), Some(requests));
    }

    /// Takes the fault away. Stalled requests are answered.
    pub fn mend(&self) {
        self.front.switch.set(None, None);
    }

    /// How many more requests the fault of [`Self::set_fault_for`] meets.
    pub fn faults_left(&self) -> Option<u64> {
        self.front.switch.left()
    }

    pub fn requests(&self) -> Requests {
        self.front.requests.now()
    }

    /// Blocks until enough requests have come, and fails the test at [`crate::DEADLINE`].
    pub fn wait_for_requests(&self, is_enough: impl Fn(&Requests) -> bool) {
        let what = format!("the service at {}", self.endpoint);
        self.front.requests.wait_until(&what, is_enough);
    }
}

/// What stands before a service's answers.
pub(super) struct Front {
    health: watch::Receiver<Health>,
    switch: Switch,
    requests: Tally<Requests>,
}

impl Front {
    /// Counts a request and meets it with whatever is wrong. What is returned is for the answer itself.
    pub(super) async fn meet(&self, call: Call) -> Result<Option<Fault>, Response> {
        self.requests
            .change(|requests| requests.0[call as usize] += 1);
        if !health::pass(self.health.clone()).await {
            return Err(Refusal::internal().into_response());
        }
        let refusal = match self.switch.meet() {
            Some(Fault::Slow(time)) => {
                sleep(time).await;
                return Ok(None);
            }
            Some(Fault::Stalled) => {
                self.switch.changed().await;
                return Ok(None);
            }
            Some(Fault::HangingUp) => return Err(hang_up()),
            Some(Fault::Truncated) => return Err(truncated()),
            Some(Fault::TooManyRequests { retry_after }) => Refusal::exhausted(retry_after),
            Some(Fault::Unavailable) => Refusal::unavailable(),
            Some(Fault::Internal) => Refusal::internal(),
            Some(Fault::ExpiredToken) => Refusal::unauthenticated(EXPIRED),
            Some(Fault::PermissionDenied) => Refusal::denied("Permission denied by the test."),
            other => return Ok(other),
        };
        Err(refusal.into_response())
    }
}

/// What the real services say of a token that is missing, unknown or too old.
pub(super) const EXPIRED: &str = "Request had invalid authentication credentials. Expected OAuth 2 access token, login \
                                  cookie or other valid authentication credential.";

/// An answer that cannot be written: its body is longer than it may be, and the server closes the connection instead.
fn hang_up() -> Response {
    Response::new(Body::new(Limited::new(Body::from("ab"), 1)))
}

fn truncated() -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json; charset=UTF-8")];
    (StatusCode::OK, kind, "{\"name\": \"projects/").into_response()
}

/// The bearer token of a request.
pub(super) fn bearer(request: &Request) -> Option<&str> {
    let header = request.headers().get(header::AUTHORIZATION)?;
    header.to_str().ok()?.strip_prefix("Bearer ")
}
