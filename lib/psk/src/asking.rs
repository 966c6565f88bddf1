//! What a handshake and the callback inside it tell each other.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::time::Instant;

use mcbn_tls::{HandshakeError, Setup};
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{Ssl, SslRef};

use crate::key::NoKey;

/// How far one handshake of TLS 1.2 or DTLS 1.2 is with its key. It lies in OpenSSL's object, where both find it.
#[derive(Default)]
pub struct Asking {
    until: OnceLock<Instant>,
    has_asked: AtomicBool,
    refused: OnceLock<NoKey>,
}

impl Asking {
    /// To be done before the handshake, whose caller may say now or later how long it waits.
    pub fn prepare(ssl: &mut SslRef, until: Option<Instant>) -> Result<(), Setup> {
        let asking = Self {
            until: until.map(OnceLock::from).unwrap_or_default(),
            ..Self::default()
        };
        ssl.set_ex_data(index()?, asking);
        Ok(())
    }

    /// That of a handshake which was prepared.
    pub fn of(ssl: &SslRef) -> Option<&Self> {
        index().ok().and_then(|index| ssl.ex_data(index))
    }

    /// The handshake's caller waits no longer than this. A handshake has one deadline: the first.
    pub fn give_up_at(&self, until: Instant) {
        let _ = self.until.set(until);
    }

    pub(crate) fn until(&self) -> Option<Instant> {
        self.until.get().copied()
    }

    pub(crate) fn begin(&self) {
        self.has_asked.store(true, Ordering::Relaxed);
    }

    /// Whether the handshake has come so far that the key was asked for.
    pub fn has_asked(&self) -> bool {
        self.has_asked.load(Ordering::Relaxed)
    }

    /// A handshake asks once.
    pub(crate) fn refuse(&self, no_key: NoKey) {
        let _ = self.refused.set(no_key);
    }

    /// There was no key, and that is why the handshake failed.
    pub fn refused(&self) -> Option<HandshakeError> {
        self.refused.get().map(|why| HandshakeError::NoKey(why.0))
    }
}

fn index() -> Result<Index<Ssl, Asking>, Setup> {
    static INDEX: LazyLock<Result<Index<Ssl, Asking>, ErrorStack>> =
        LazyLock::new(Ssl::new_ex_index);
    let index = INDEX.as_ref();
    index
        .copied()
        .map_err(|stack| Setup::step("make an index")(stack.clone()))
}
