//! How many signatures are made at one time.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use crate::service::Tally;

/// Requests for a signature that are being served.
#[derive(Clone, Copy, Default)]
pub(super) struct InFlight {
    pub(super) now: u64,
    pub(super) most: u64,
}

pub(super) struct Signers {
    setting: RwLock<Setting>,
    in_flight: Tally<InFlight>,
}

#[derive(Clone)]
struct Setting {
    turns: Arc<Semaphore>,
    each: Duration,
}

/// One request that is being served, until it is dropped.
pub(super) struct Serving(Arc<Signers>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.in_flight.change(|count| count.now -= 1);
    }
}

impl Signers {
    pub(super) fn new() -> Self {
        Self {
            setting: RwLock::new(Setting {
                turns: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
                each: Duration::ZERO,
            }),
            in_flight: Tally::default(),
        }
    }

    pub(super) fn set(&self, count: usize, each: Duration) {
        let turns = Arc::new(Semaphore::new(count));
        *self.setting.write().unwrap_or_else(PoisonError::into_inner) = Setting { turns, each };
    }

    pub(super) fn in_flight(&self) -> InFlight {
        self.in_flight.now()
    }

    pub(super) fn wait_until(&self, is_enough: impl Fn(&InFlight) -> bool) {
        self.in_flight.wait_until("the signers", is_enough);
    }

    pub(super) fn arrive(self: &Arc<Self>) -> Serving {
        self.in_flight.change(|count| {
            count.now += 1;
            count.most = count.most.max(count.now);
        });
        Serving(Arc::clone(self))
    }

    /// Waits for a turn, and then as long as a signature takes. The turn is over when what is returned is dropped.
    pub(super) async fn turn(&self) -> OwnedSemaphorePermit {
        let setting = self
            .setting
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let turn = setting.turns.acquire_owned().await;
        if !setting.each.is_zero() {
            sleep(setting.each).await;
        }
        turn.expect("nobody closes it")
    }
}
