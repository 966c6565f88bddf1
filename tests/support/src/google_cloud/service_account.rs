//! Service accounts with keys, and the tokens that they sign for themselves ([AIP-4111]).
//!
//! [AIP-4111]: https://google.aip.dev/auth/4111

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::iam::{Grant, Reach};
use crate::confidential_space::jwt;
use crate::confidential_space::key::SigningKey;

/// The longest that a token may say it lives: an hour, and what clients add for clocks that differ.
const LIFETIME: u64 = 60 * 60 + SKEW;

/// How much clocks may differ, in seconds.
const SKEW: u64 = 60;

#[derive(Clone)]
pub struct ServiceAccount {
    email: String,
    key: Arc<SigningKey>,
}

impl ServiceAccount {
    pub(super) fn generate(email: &str) -> Self {
        Self {
            email: email.to_owned(),
            key: Arc::new(SigningKey::generate()),
        }
    }

    pub fn email(&self) -> &str {
        &self.email
    }

    /// As bindings name it.
    pub fn member(&self) -> String {
        format!("serviceAccount:{}", self.email)
    }

    /// The account's key as Google hands it out.
    pub(super) fn json(&self, oauth: &str) -> Value {
        let pem = self.key.private().private_key_to_pem_pkcs8();
        let pem = pem.expect("a private key has an encoding");
        let project = self.email.split(['@', '.']).nth(1);
        json!({
            "type": "service_account",
            "project_id": project.expect("an account's address has its project after the @"),
            "private_key_id": self.key.kid(),
            "private_key": String::from_utf8(pem).expect("PEM is ASCII"),
            "client_email": self.email,
            "client_id": "100000000000000000000",
            "token_uri": format!("{oauth}/token"),
            "universe_domain": "googleapis.com",
        })
    }

    /// What a token stands for that this account has signed. None: it has not, or the token's time is over.
    pub(super) fn grant(&self, token: &str) -> Option<Grant> {
        let token = jwt::decode(token)?;
        let is_mine = token.header["alg"] == "RS256"
            && token.header["kid"] == self.key.kid()
            && self.key.verifies(token.signed, &token.signature);
        let claims = &token.claims;
        let (issued, expires) = (claims["iat"].as_u64()?, claims["exp"].as_u64()?);
        let now = now();
        let is_of_now = issued <= now + SKEW && now < expires && expires <= issued + LIFETIME;
        let is_of_me = claims["iss"] == self.email.as_str() && claims["sub"] == claims["iss"];
        if !(is_mine && is_of_now && is_of_me) {
            return None;
        }
        let reach = match (claims["scope"].as_str(), claims["aud"].as_str()) {
            (Some(scope), None) => Reach::Scopes(scope.split(' ').map(str::to_owned).collect()),
            (None, Some(audience)) => Reach::Audience(audience.to_owned()),
            _ => return None,
        };
        Some(Grant {
            members: vec![self.member()],
            reach,
        })
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is past 1970")
        .as_secs()
}
