//! What is known of a source of keys once the source itself is inside OpenSSL.

use std::sync::Arc;

use mcbn_tls::HandshakeError;
use openssl::ssl::SslRef;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use crate::asking::Asking;
use crate::key::KeySource;
use crate::witness::Witness;

/// Its end, its seats and its advice.
#[derive(Clone, Debug)]
pub struct Source {
    witness: Witness,
    seats: Option<Arc<Semaphore>>,
    advice: &'static str,
}

impl Source {
    pub fn of<K: KeySource>(keys: &Arc<K>) -> Self {
        Self {
            witness: Witness::of(keys),
            seats: keys.seats(),
            advice: keys.advice(),
        }
    }

    pub fn witness(&self) -> Witness {
        self.witness.clone()
    }

    pub fn advice(&self) -> &'static str {
        self.advice
    }

    /// Waits for a seat, to be held while OpenSSL is at work for a handshake that may ask for its key, and no longer than
    /// the handshake's caller waits. None where none is needed.
    pub async fn seat(&self, ssl: &SslRef) -> Result<Option<OwnedSemaphorePermit>, HandshakeError> {
        let Some(seats) = &self.seats else {
            return Ok(None);
        };
        let asking = Asking::of(ssl);
        if asking.is_some_and(Asking::has_asked) {
            return Ok(None);
        }
        let seat = Arc::clone(seats).acquire_owned();
        let seat = match asking.and_then(Asking::until) {
            Some(until) => timeout_at(until.into(), seat).await,
            None => Ok(seat.await),
        };
        match seat {
            Ok(Ok(seat)) => Ok(Some(seat)),
            Ok(Err(_)) => Err(HandshakeError::NoKey("no more are made")),
            Err(_) => Err(HandshakeError::NoKey("too many handshakes wait for theirs")),
        }
    }
}
