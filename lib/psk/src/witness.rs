//! Whether a key is gone.

use std::sync::{Arc, Weak};

use mcbn_secret::Psk;

/// Knows whether a key is still in memory. Keeps it there no longer.
#[derive(Clone, Debug)]
pub struct Witness(Weak<Psk>);

impl Witness {
    pub(crate) fn of(key: &Arc<Psk>) -> Self {
        Self(Arc::downgrade(key))
    }

    /// Whether the key was wiped. It is when the connector or acceptor that has it, every clone of that, and every
    /// connection made with it are dropped: OpenSSL holds it until then.
    pub fn key_is_wiped(&self) -> bool {
        self.0.strong_count() == 0
    }
}
