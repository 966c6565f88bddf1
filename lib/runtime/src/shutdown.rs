//! The end of a program: the first SIGTERM or SIGINT drains, the drain has a deadline, a second signal ends at once.

use crate::settings::Setting;
use std::future;
use std::io;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Part of every program's table.
pub const DRAIN: Setting = Setting::value(
    "drain-timeout",
    "TIME",
    "after SIGTERM or SIGINT, how long open connections may go on",
)
.default("10s");

/// The phases only move forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    Draining,
    Ended,
}

/// Tells every task of the end. Clones see the same end.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<Phase>);

impl Shutdown {
    /// An end that is triggered by hand: what tests use, and what [`on_signals`] is made of.
    pub fn manual() -> (Trigger, Shutdown) {
        let (sender, receiver) = watch::channel(Phase::Running);
        (Trigger(sender), Shutdown(receiver))
    }

    /// Resolves when no new work should be taken on: at the first signal, or ever after.
    pub async fn draining(&self) {
        self.reached(Phase::Draining).await;
    }

    /// Resolves when open work must be dropped: at the drain's deadline or a second signal.
    pub async fn ended(&self) {
        self.reached(Phase::Ended).await;
    }

    pub fn is_draining(&self) -> bool {
        *self.0.borrow() >= Phase::Draining
    }

    async fn reached(&self, phase: Phase) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|now| *now >= phase).await.is_err() {
            // The trigger is gone, so the end can no longer be announced.
            future::pending::<()>().await;
        }
    }
}

/// Moves a [`Shutdown`] through its phases.
#[derive(Debug)]
pub struct Trigger(watch::Sender<Phase>);

impl Trigger {
    pub fn drain(&self) {
        self.advance(Phase::Draining);
    }

    pub fn end(&self) {
        self.advance(Phase::Ended);
    }

    fn advance(&self, phase: Phase) {
        self.0.send_if_modified(|now| {
            let later = phase > *now;
            if later {
                *now = phase;
            }
            later
        });
    }
}

/// Installs the signal handlers and the task that answers them.
///
/// Must be called inside a tokio runtime with its I/O and time drivers on.
pub fn on_signals(drain: Duration) -> io::Result<Shutdown> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (trigger, shutdown) = Shutdown::manual();

    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        next().await;
        tracing::info!(deadline_ms = drain.as_millis() as u64, "draining");
        trigger.drain();
        tokio::select! {
            () = tokio::time::sleep(drain) => tracing::warn!("the drain's deadline has passed"),
            () = next() => tracing::warn!("a second signal ends the drain"),
        }
        trigger.end();
        // Receivers may still ask: the phase must stay readable for as long as the process lives.
        future::pending::<()>().await;
    });
    Ok(shutdown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_phases_only_move_forward() {
        let (trigger, shutdown) = Shutdown::manual();
        assert!(!shutdown.is_draining());
        trigger.end();
        trigger.drain();
        shutdown.draining().await;
        shutdown.ended().await;
    }

    #[tokio::test]
    async fn draining_is_not_yet_the_end() {
        let (trigger, shutdown) = Shutdown::manual();
        trigger.drain();
        shutdown.draining().await;
        tokio::select! {
            biased;
            () = shutdown.ended() => panic!("ended"),
            () = tokio::task::yield_now() => {}
        }
    }

    #[tokio::test]
    async fn a_lost_trigger_announces_nothing() {
        let (trigger, shutdown) = Shutdown::manual();
        drop(trigger);
        tokio::select! {
            biased;
            () = shutdown.draining() => panic!("draining"),
            () = tokio::task::yield_now() => {}
        }
    }
}
