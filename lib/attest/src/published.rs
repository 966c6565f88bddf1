//! The keys that an issuer publishes, kept until they should be looked at again
//! ([OpenID Connect Discovery 1.0](https://openid.net/specs/openid-connect-discovery-1_0.html)).
//!
//! Keys are looked at again when they are [`FRESH`] no more, or when a token names one that is not among them; in any
//! case at most once in [`PAUSE`], whatever strangers write into tokens. While the issuer is out of reach, those at
//! hand are used until they are [`STALE`]: a key that the issuer withdrew is trusted that much longer at most.
//!
//! One call fetches, and the others go on with what is there: nobody waits for the network but that one.
//!
//! Answers an issuer that is slow, silent or gone, and tokens made to have it asked over and over.

use crate::error::{KeysFault, Refused, TokenFault};
use crate::fetch::{Fetch, MAX_ANSWER, Unfetched};
use crate::issuer::Issuer;
use crate::json;
use crate::jwks::Jwks;
use crate::location::Location;
use rustls_pki_types::UnixTime;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};

/// Seconds in which published keys are taken as they are.
pub const FRESH: u64 = 3600;
/// Seconds after which keys that could not be looked at again are trusted no more.
pub const STALE: u64 = 24 * 3600;
/// Seconds between two looks, whatever tokens name.
pub const PAUSE: u64 = 60;

pub(crate) struct Published {
    issuer: Issuer,
    fetch: Box<dyn Fetch>,
    state: RwLock<State>,
    /// Held by the call that fetches.
    fetching: Mutex<()>,
}

/// Times are seconds since 1970, of the callers' clock.
#[derive(Clone, Default)]
struct State {
    keys: Option<(Arc<Jwks>, u64)>,
    tried: Option<u64>,
    failure: Option<KeysFault>,
}

impl Published {
    pub fn new(issuer: Issuer, fetch: Box<dyn Fetch>) -> Published {
        Published {
            issuer,
            fetch,
            state: RwLock::default(),
            fetching: Mutex::new(()),
        }
    }

    pub fn warm(&self, now: UnixTime) -> Result<(), KeysFault> {
        let now = now.as_secs();
        if self.state().usable(now).is_none() {
            self.look(now)?;
        }
        self.state().usable(now).map(drop).ok_or_else(|| self.why())
    }

    /// A key set with a key of this id.
    pub fn having(&self, id: &str, now: UnixTime) -> Result<Arc<Jwks>, Refused> {
        let now = now.as_secs();
        let with_id = |state: &State| {
            let keys = state.usable(now)?;
            keys.key(id).is_some().then(|| Arc::clone(keys))
        };
        let state = self.state();
        let found = with_id(&state);
        if let (Some(keys), true) = (&found, state.is_fresh(now)) {
            return Ok(Arc::clone(keys));
        }
        let looked = self.look(now);
        let state = self.state();
        match (with_id(&state), looked) {
            (Some(keys), _) => Ok(keys),
            (None, Err(fault)) => Err(fault.into()),
            (None, Ok(())) if state.usable(now).is_some() && state.failure.is_none() => {
                Err(TokenFault::UnknownKey.into())
            }
            (None, Ok(())) => Err(self.why().into()),
        }
    }

    fn state(&self) -> State {
        let state = self.state.read();
        state.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn why(&self) -> KeysFault {
        self.state().failure.unwrap_or(KeysFault::Busy)
    }

    /// Fetches, unless that was tried just now. `Ok` says nothing of what came of it, only that it is over.
    fn look(&self, now: u64) -> Result<(), KeysFault> {
        let _held = match self.fetching.try_lock() {
            Ok(held) => held,
            Err(TryLockError::Poisoned(held)) => held.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(KeysFault::Busy),
        };
        let before = self.state();
        if before
            .tried
            .is_some_and(|tried| now.abs_diff(tried) < PAUSE)
        {
            return Ok(());
        }
        let fetched = self.fetch();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.tried = Some(now);
        match fetched {
            Ok(keys) => {
                state.keys = Some((Arc::new(keys), now));
                state.failure = None;
            }
            Err(fault) => state.failure = Some(fault),
        }
        Ok(())
    }

    fn fetch(&self) -> Result<Jwks, KeysFault> {
        let discovery = self.get(&self.issuer.discovery())?;
        let discovery = json::object(&discovery).map_err(|_| KeysFault::Discovery)?;
        let text = |name: &str| discovery.get(name).and_then(Value::as_str);
        // An issuer that describes itself under another name is another one.
        if text("issuer") != Some(self.issuer.as_str()) {
            return Err(KeysFault::Discovery);
        }
        let place = text("jwks_uri").and_then(|url| self.issuer.elsewhere(url));
        let keys = self.get(&place.ok_or(KeysFault::Discovery)?)?;
        Jwks::parse(&keys).map_err(KeysFault::Jwks)
    }

    fn get(&self, place: &Location) -> Result<Vec<u8>, KeysFault> {
        let answer = self.fetch.get(place).and_then(|answer| match answer.len() {
            0..=MAX_ANSWER => Ok(answer),
            _ => Err(Unfetched::TooLong),
        });
        answer.map_err(|why| KeysFault::Fetch(place.clone(), why))
    }
}

impl State {
    /// The keys at hand, if they are not stale. A clock that was set back makes keys old, not young.
    fn usable(&self, now: u64) -> Option<&Arc<Jwks>> {
        self.younger(STALE, now)
    }

    fn is_fresh(&self, now: u64) -> bool {
        self.younger(FRESH, now).is_some()
    }

    fn younger(&self, age: u64, now: u64) -> Option<&Arc<Jwks>> {
        let (keys, fetched) = self.keys.as_ref()?;
        (now.abs_diff(*fetched) < age).then_some(keys)
    }
}
