//! Counts of what happened, which a test can wait on.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::DEADLINE;

#[derive(Default)]
pub(crate) struct Tally<T> {
    count: Mutex<T>,
    changed: Condvar,
}

impl<T: Copy> Tally<T> {
    pub(crate) fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.count.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    pub(crate) fn now(&self) -> T {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the count satisfies the test, and fails the test at [`DEADLINE`].
    pub(crate) fn wait_until(&self, what: &str, is_enough: impl Fn(&T) -> bool) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let (_count, late) = self
            .changed
            .wait_timeout_while(count, DEADLINE, |count| !is_enough(count))
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!late.timed_out(), "{what}: not enough requests in time");
    }
}
