//! The authorization server for people: refresh tokens for access tokens ([RFC 6749 §6]).
//!
//! A person has allowed a program to act for them, and the program keeps what came of it: what
//! `gcloud auth application-default login` writes. The access token stands for the person, in the scopes that they gave,
//! until they take that back. It reads JSON, as Google's client sends it, and no form.
//!
//! [RFC 6749 §6]: https://www.rfc-editor.org/rfc/rfc6749#section-6

use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use openssl::rand::rand_bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;

use super::SCOPE;
use super::denial::Denial;
use super::iam::{Grant, Iam, LIFETIME, Reach};
use super::service::{Call, Front, Service};
use super::wire::{self, Refusal};
use crate::confidential_space::key::hex;

pub struct Oauth {
    service: Service,
    users: Arc<Users>,
}

impl Deref for Oauth {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

/// A person, and the program that they let act for them.
#[derive(Clone)]
pub struct User {
    email: String,
    client_id: String,
    client_secret: String,
    refresh_token: String,
}

impl User {
    fn generate(email: &str) -> Self {
        let [id, secret, token] = [(); 3].map(|()| {
            let mut random = [0; 24];
            rand_bytes(&mut random).expect("OpenSSL has randomness");
            hex(&random)
        });
        Self {
            email: email.to_owned(),
            client_id: format!("{id}.apps.googleusercontent.com"),
            client_secret: format!("GOCSPX-{secret}"),
            refresh_token: format!("1//{token}"),
        }
    }

    /// As bindings name it.
    pub fn member(&self) -> String {
        format!("user:{}", self.email)
    }

    pub fn email(&self) -> &str {
        &self.email
    }

    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }

    pub fn refresh_token(&self) -> &str {
        &self.refresh_token
    }

    /// What gcloud writes, and where the authorization server is, which gcloud leaves out.
    pub(super) fn json(&self, oauth: &str) -> Value {
        json!({
            "account": "",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "quota_project_id": "example-project",
            "refresh_token": self.refresh_token,
            "token_uri": format!("{oauth}/token"),
            "type": "authorized_user",
            "universe_domain": "googleapis.com",
        })
    }
}

/// Everybody, and whether their refresh token is good.
type Users = RwLock<Vec<(User, bool)>>;

impl Oauth {
    pub(super) fn start(iam: Arc<Iam>, acceptor: Option<&TlsAcceptor>) -> Self {
        let users = Arc::new(Users::default());
        let service = Service::start(acceptor, |front| {
            let desk = Desk {
                front,
                iam,
                users: Arc::clone(&users),
            };
            Router::new().fallback(answer).with_state(Arc::new(desk))
        });
        Self { service, users }
    }

    /// A person who lets a program act for them.
    pub fn add_user(&self, email: &str) -> User {
        let user = User::generate(email);
        let mut users = self.users.write().unwrap_or_else(PoisonError::into_inner);
        users.push((user.clone(), true));
        user
    }

    /// They let it no more. What it got access tokens for before is good until their end.
    pub fn revoke(&self, user: &User) {
        let mut users = self.users.write().unwrap_or_else(PoisonError::into_inner);
        let mut it = users.iter_mut();
        let found = it.find(|(other, _)| other.refresh_token == user.refresh_token);
        let (_, is_good) = found.expect("a user is of the cloud that they were added to");
        *is_good = false;
    }
}

struct Desk {
    front: Arc<Front>,
    iam: Arc<Iam>,
    users: Arc<Users>,
}

/// The body of a request. A field that is not here is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refresh {
    grant_type: String,
    client_id: String,
    client_secret: String,
    refresh_token: String,
    /// None: all that was allowed.
    scope: Option<String>,
}

async fn answer(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let is_refresh = request.method() == Method::POST && request.uri().path() == "/token";
    let call = if is_refresh {
        Call::RefreshToken
    } else {
        Call::Other
    };
    // No fault of an answer is one of this service's.
    if let Err(refusal) = desk.front.meet(call).await {
        return refusal;
    }
    if !is_refresh {
        return Refusal::not_found("Requested entity was not found.").into_response();
    }
    if request.uri().query().is_some() {
        return Denial::request("Parameters are in the body.").into_response();
    }
    let refresh = match wire::body(request).await {
        Ok(refresh) => refresh,
        Err(why) => return Denial::request(why.message()).into_response(),
    };
    match desk.refresh(&refresh) {
        Ok(answer) => Json(answer).into_response(),
        Err(denial) => denial.into_response(),
    }
}

impl Desk {
    fn refresh(&self, refresh: &Refresh) -> Result<Value, Denial> {
        if refresh.grant_type != "refresh_token" {
            let description = "The grant type is not a refresh token.";
            return Err(Denial::new("unsupported_grant_type", description));
        }
        let unknown = |description| Denial::unauthorised("invalid_client", description);
        let users = self.users.read().unwrap_or_else(PoisonError::into_inner);
        let (user, is_good) = users
            .iter()
            .find(|(user, _)| user.client_id == refresh.client_id)
            .ok_or_else(|| unknown("The OAuth client was not found."))?;
        if user.client_secret != refresh.client_secret {
            return Err(unknown("The provided client secret is invalid."));
        }
        if user.refresh_token != refresh.refresh_token {
            return Err(Denial::grant("Bad Request"));
        }
        if !is_good {
            return Err(Denial::grant("Token has been expired or revoked."));
        }
        if refresh.scope.as_deref().is_some_and(|scope| scope != SCOPE) {
            let description = "Some requested scopes were not allowed by the user.";
            return Err(Denial::new("invalid_scope", description));
        }
        let grant = Grant {
            members: vec![user.member()],
            reach: Reach::Scopes(vec![SCOPE.to_owned()]),
        };
        Ok(json!({
            "access_token": self.iam.issue(grant, LIFETIME),
            "expires_in": LIFETIME.as_secs(),
            "scope": SCOPE,
            "token_type": "Bearer",
        }))
    }
}
