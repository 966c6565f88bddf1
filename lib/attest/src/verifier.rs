//! From a token's text to the proof that it is genuine, in time and meant for this one use.

use crate::chain::Root;
use crate::claims::Claims;
use crate::error::{KeysFault, Refused, TokenFault};
use crate::fetch::Fetch;
use crate::issuer::Issuer;
use crate::jwks::Jwks;
use crate::jws::{self, Jws};
use crate::leeway::Leeway;
use crate::published::Published;
use mcbn_manifest::policy::TokenKind;
use rustls_pki_types::UnixTime;
use serde_json::{Map, Value};

/// Verifies tokens of one issuer and one kind.
///
/// Shared between threads. A call takes tens of microseconds, but for one call a minute at most, which may fetch keys
/// and blocks as long as that takes.
pub struct Verifier {
    issuer: Issuer,
    keys: Keys,
    leeway: Leeway,
}

enum Keys {
    Published(Published),
    Copied(Jwks),
    Certified(Root),
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

/// The proof that a token is signed by the issuer, in time, and made for what was [`Expected`].
#[derive(Clone, Debug)]
pub struct VerifiedToken {
    claims: Claims,
    kind: TokenKind,
    payload: Map<String, Value>,
}

impl Verifier {
    /// Seconds from `iat` and from `nbf` to `exp`. Google's tokens live one hour.
    pub const MAX_LIFETIME: u64 = 7200;

    /// OIDC tokens, with the keys that the issuer publishes: fetched when they are needed first.
    pub fn discovering(issuer: Issuer, fetch: Box<dyn Fetch>, leeway: Leeway) -> Verifier {
        let keys = Keys::Published(Published::new(issuer.clone(), fetch));
        Verifier {
            issuer,
            keys,
            leeway,
        }
    }

    /// OIDC tokens, with keys that were copied from the issuer before; they never grow too old here.
    pub fn offline(issuer: Issuer, keys: Jwks, leeway: Leeway) -> Verifier {
        let keys = Keys::Copied(keys);
        Verifier {
            issuer,
            keys,
            leeway,
        }
    }

    /// PKI tokens.
    pub fn pinned(issuer: Issuer, root: Root, leeway: Leeway) -> Verifier {
        let keys = Keys::Certified(root);
        Verifier {
            issuer,
            keys,
            leeway,
        }
    }

    /// Of the tokens that it verifies; it refuses the other one.
    pub fn kind(&self) -> TokenKind {
        match self.keys {
            Keys::Published(_) | Keys::Copied(_) => TokenKind::Oidc,
            Keys::Certified(_) => TokenKind::Pki,
        }
    }

    /// Fetches the issuer's keys if there are none yet, for whoever wants to know at start that it works.
    ///
    /// # Errors
    ///
    /// They cannot be had.
    pub fn warm(&self, now: UnixTime) -> Result<(), KeysFault> {
        match &self.keys {
            Keys::Published(keys) => keys.warm(now),
            Keys::Copied(_) | Keys::Certified(_) => Ok(()),
        }
    }

    /// # Errors
    ///
    /// The token is not genuine, not in time or not what was expected; or the keys are not there.
    pub fn verify(&self, token: &str, expected: &Expected<'_>) -> Result<VerifiedToken, Refused> {
        let token = Jws::parse(token)?;
        self.check_signature(&token, expected.now)?;
        let claims = Claims::read(&token.payload)?;
        self.check_claims(&claims, expected)?;
        Ok(VerifiedToken {
            claims,
            kind: self.kind(),
            payload: token.payload,
        })
    }

    fn check_signature(&self, token: &Jws<'_>, now: UnixTime) -> Result<(), Refused> {
        match &self.keys {
            Keys::Published(keys) => {
                let id = key_id(token)?;
                check_with(&*keys.having(id, now)?, id, token)?;
            }
            Keys::Copied(keys) => check_with(keys, key_id(token)?, token)?,
            Keys::Certified(root) => {
                let chain = token.header.x5c.as_deref();
                let chain = chain.ok_or(TokenFault::NoParameter("x5c"))?;
                root.verify(chain, now, token.signed, &token.signature)?;
            }
        }
        Ok(())
    }

    fn check_claims(&self, claims: &Claims, expected: &Expected<'_>) -> Result<(), TokenFault> {
        if claims.iss != self.issuer.as_str() {
            return Err(TokenFault::Issuer);
        }
        // Exactly one: a token that is for others too could be theirs to present.
        if claims.aud != [expected.audience] {
            return Err(TokenFault::Audience);
        }
        self.check_times(claims, expected.now.as_secs())?;
        if expected.nonces.is_empty() || claims.eat_nonce != expected.nonces {
            return Err(TokenFault::Nonces);
        }
        Ok(())
    }

    fn check_times(&self, claims: &Claims, now: u64) -> Result<(), TokenFault> {
        let Claims { exp, iat, nbf, .. } = *claims;
        let leeway = self.leeway.seconds();
        let lifetime = exp.checked_sub(iat.min(nbf));
        let is_sound = exp > iat.max(nbf) && lifetime.is_some_and(|l| l <= Self::MAX_LIFETIME);
        if !is_sound {
            return Err(TokenFault::Lifetime);
        }
        if now >= exp.saturating_add(leeway) {
            return Err(TokenFault::Expired);
        }
        if iat.max(nbf) > now.saturating_add(leeway) {
            return Err(TokenFault::NotYetValid);
        }
        Ok(())
    }
}

fn key_id<'a>(token: &'a Jws<'_>) -> Result<&'a str, TokenFault> {
    match (&token.header.x5c, &token.header.kid) {
        (Some(_), _) => Err(TokenFault::Parameter("x5c")),
        (None, None) => Err(TokenFault::NoParameter("kid")),
        (None, Some(id)) => Ok(id),
    }
}

fn check_with(keys: &Jwks, id: &str, token: &Jws<'_>) -> Result<(), TokenFault> {
    let key = keys.key(id).ok_or(TokenFault::UnknownKey)?;
    key.verify(token.signed, &token.signature)
}

impl VerifiedToken {
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// Every claim, those too that no one judges: to be shown, never to be judged.
    pub fn payload(&self) -> &Map<String, Value> {
        &self.payload
    }
}

/// A token's text, read as strictly and verified not at all: anyone may have written it. For people to look at.
#[derive(Clone, Debug)]
pub struct Unverified {
    claims: Claims,
    kind: TokenKind,
    payload: Map<String, Value>,
}

impl Unverified {
    /// Bytes of a token.
    pub const MAX_LEN: usize = jws::MAX_LEN;

    /// # Errors
    ///
    /// Not a token by form.
    pub fn parse(token: &str) -> Result<Unverified, TokenFault> {
        let token = Jws::parse(token)?;
        Ok(Unverified {
            claims: Claims::read(&token.payload)?,
            kind: match token.header.x5c {
                Some(_) => TokenKind::Pki,
                None => TokenKind::Oidc,
            },
            payload: token.payload,
        })
    }

    pub fn insecure_claims(&self) -> &Claims {
        &self.claims
    }

    pub fn insecure_payload(&self) -> &Map<String, Value> {
        &self.payload
    }

    pub fn kind(&self) -> TokenKind {
        self.kind
    }
}
