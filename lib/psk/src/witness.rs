//! Whether a key is gone.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Weak};

/// Knows whether a key, or what gives keys, is still in memory. Keeps it there no longer.
#[derive(Clone)]
pub struct Witness(Weak<dyn Any + Send + Sync>);

impl Witness {
    pub fn of<K: Any + Send + Sync>(key: &Arc<K>) -> Self {
        let key: Arc<dyn Any + Send + Sync> = Arc::<K>::clone(key);
        Self(Arc::downgrade(&key))
    }

    /// Whether the key was wiped. It is when the connector or acceptor that has it, every clone of that, and every
    /// connection made with it are dropped: OpenSSL holds it until then.
    pub fn key_is_wiped(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").finish_non_exhaustive()
    }
}
