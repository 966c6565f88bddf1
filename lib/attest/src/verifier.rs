//! From a token's text to a token that is genuine, fresh and meant for this verifier.

use crate::chain::Root;
use crate::claims::Claims;
use crate::error::{KeysFault, Refused, TokenFault};
use crate::fetch::Fetch;
use crate::issuer::Issuer;
use crate::jwks::Jwks;
use crate::leeway::Leeway;
use mcbn_manifest::policy::TokenKind;
use rustls_pki_types::UnixTime;

/// Verifies tokens of one issuer and one kind. Shared between threads; a call may block while keys are fetched.
pub struct Verifier {
    issuer: Issuer,
    leeway: Leeway,
}

/// What a token must say for this one use of it.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The one audience.
    pub audience: &'a str,
    /// `eat_nonce`, in this order. There must be one or more: a token without a nonce is anybody's.
    pub nonces: &'a [&'a str],
    pub now: UnixTime,
}

/// The proof that a token is signed by the issuer, in time, and was made for what was [`Expected`].
#[derive(Clone, Debug)]
pub struct VerifiedToken {
    claims: Claims,
    kind: TokenKind,
    payload: serde_json::Value,
}

/// A token's text, read strictly and not verified at all. For people to look at.
#[derive(Clone, Debug)]
pub struct Unverified {
    claims: Claims,
    kind: TokenKind,
    payload: serde_json::Value,
}

impl Verifier {
    /// Seconds between `iat` or `nbf` and `exp`. Google's tokens live one hour.
    pub const MAX_LIFETIME: u64 = 7200;

    /// OIDC tokens, with keys that the issuer publishes: fetched when they are needed first.
    pub fn discovering(_issuer: Issuer, _fetch: Box<dyn Fetch>, _leeway: Leeway) -> Verifier {
        todo!()
    }

    /// OIDC tokens, with keys that were copied before; they never expire here.
    pub fn offline(_issuer: Issuer, _keys: Jwks, _leeway: Leeway) -> Verifier {
        todo!()
    }

    /// PKI tokens.
    pub fn pinned(_issuer: Issuer, _root: Root, _leeway: Leeway) -> Verifier {
        todo!()
    }

    pub fn kind(&self) -> TokenKind {
        todo!()
    }

    /// Fetches the issuer's keys now, for whoever wants to know at start that it works.
    ///
    /// # Errors
    ///
    /// They cannot be had.
    pub fn warm(&self, _now: UnixTime) -> Result<(), KeysFault> {
        todo!()
    }

    /// # Errors
    ///
    /// The token is not genuine, not in time or not what was expected; or the keys are not there.
    pub fn verify(&self, _token: &str, _expected: &Expected<'_>) -> Result<VerifiedToken, Refused> {
        let _ = (&self.issuer, self.leeway);
        todo!()
    }
}

impl VerifiedToken {
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// Every claim, those too that no one judges: to be shown, never to be judged.
    pub fn payload(&self) -> &serde_json::Value {
        &self.payload
    }
}

impl Unverified {
    /// Bytes of a token.
    pub const MAX_LEN: usize = 64 * 1024;

    /// # Errors
    ///
    /// Not a token by form.
    pub fn parse(_token: &str) -> Result<Unverified, TokenFault> {
        todo!()
    }

    pub fn insecure_claims(&self) -> &Claims {
        &self.claims
    }

    pub fn insecure_payload(&self) -> &serde_json::Value {
        &self.payload
    }

    pub fn kind(&self) -> TokenKind {
        self.kind
    }
}
