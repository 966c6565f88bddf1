//! What is known of the way to the TPM beside what upstream's library says.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One connection to the TPM.
#[derive(Default)]
pub(crate) struct Link {
    fault: Mutex<Option<io::Error>>,
    /// Nothing that is said on it now would be understood.
    dead: AtomicBool,
    /// In nanoseconds.
    busy: AtomicU64,
}

impl Link {
    pub(crate) fn broke(&self, error: io::Error) {
        self.dead.store(true, Ordering::Relaxed);
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    pub(crate) fn answered(&self, after: Duration) {
        let nanoseconds = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
        self.busy.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Why the connection broke, if it did since this was last asked.
    pub(crate) fn take_fault(&self) -> Option<io::Error> {
        self.fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// How long the TPM was at work since this was last asked.
    pub(crate) fn take_busy(&self) -> Duration {
        Duration::from_nanos(self.busy.swap(0, Ordering::Relaxed))
    }
}
