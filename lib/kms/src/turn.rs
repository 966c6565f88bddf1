//! How a handshake comes to its signature: one step at a time, each with a seat for as long as it may need one.
//!
//! rustls signs in the midst of a step, and can only wait there by blocking the thread. So a step is taken with a seat in
//! hand, and a handshake that has none yet waits for it as any task waits. What only waits for its peer has no seat.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Instant;

use mcbn_mutual::Unsigned;
use rustls_pki_types::UnixTime;
use tokio::sync::Semaphore;
use tokio::time::timeout_at;

use crate::signer::NotSigned;

tokio::task_local! {
    static TURN: Arc<Turn>;
}

/// One handshake, as far as rustls does not hand it on to what it calls.
#[derive(Debug)]
pub(crate) struct Turn {
    until: Instant,
    has_signed: AtomicBool,
    /// How long sessions of this connection may be resumed; nobody knows before the peer is judged.
    good_until: Mutex<Option<UnixTime>>,
}

impl Turn {
    /// Of a handshake that nobody waits for after `until`.
    pub(crate) fn new(until: Instant) -> Arc<Turn> {
        Arc::new(Turn {
            until,
            has_signed: AtomicBool::new(false),
            good_until: Mutex::new(None),
        })
    }

    /// The one whose step this is. None outside of every step.
    pub(crate) fn current() -> Option<Arc<Turn>> {
        TURN.try_with(Arc::clone).ok()
    }

    pub(crate) fn until(&self) -> Instant {
        self.until
    }

    /// There is one signature in a handshake of either end: after it no seat is needed.
    pub(crate) fn signs(&self) {
        self.has_signed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn good_until(&self) -> Option<UnixTime> {
        *self
            .good_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_good_until(&self, until: UnixTime) {
        let mut good_until = self
            .good_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *good_until = Some(until);
    }

    /// Does the handshake, step by step.
    pub(crate) async fn drive<T>(
        self: &Arc<Turn>,
        seats: &Semaphore,
        handshake: impl Future<Output = T>,
    ) -> Result<T, Unsigned> {
        let mut handshake = pin!(handshake);
        loop {
            let seat = match self.has_signed.load(Ordering::Relaxed) {
                true => None,
                false => {
                    let seat = timeout_at(self.until.into(), seats.acquire()).await;
                    let seat = seat.map_err(|_| NotSigned::NoSeat.unsigned())?;
                    Some(seat.expect("nobody closes it"))
                }
            };
            let step = poll_fn(|cx| {
                let step = || handshake.as_mut().poll(cx);
                Poll::Ready(TURN.sync_scope(Arc::clone(self), step))
            });
            let step = step.await;
            drop(seat);
            match step {
                Poll::Ready(done) => return Ok(done),
                Poll::Pending => woken().await,
            }
        }
    }
}

/// Until the task is woken by what the step waits for, or by something else, which does no harm.
async fn woken() {
    let mut waits = false;
    poll_fn(|_| match std::mem::replace(&mut waits, true) {
        false => Poll::Pending,
        true => Poll::Ready(()),
    })
    .await;
}
