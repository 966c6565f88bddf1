//! Reads the books and takes orders, over a connection of the page's own. Both wait for a disk, so they run on threads
//! that may.

use super::order::{Order, Stale, give};
use crate::keeper::ledger::chain::Head;
use crate::keeper::ledger::entry::{By, Time};
use crate::keeper::ledger::file::Open;
use crate::keeper::ledger::verify::{Unsound, verify};
use crate::keeper::ledger::{Fault, Ledger};
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

#[derive(Debug)]
pub struct Clerk {
    ledger: Mutex<Ledger>,
    path: PathBuf,
    by: By,
    checks: Semaphore,
}

/// What came of computing the whole ledger again.
#[derive(Debug)]
pub enum Checked {
    Sound(Head),
    Unsound(Unsound),
    /// The ledger could not be opened another time.
    NotOpened,
}

impl Clerk {
    pub fn new(ledger: Ledger, path: PathBuf, by: By) -> Clerk {
        Clerk {
            ledger: Mutex::new(ledger),
            path,
            by,
            checks: Semaphore::new(1),
        }
    }

    /// Reads one state of the ledger, however many questions that takes.
    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Fault> {
        self.at_it(move |ledger, _| {
            let reading = ledger.read().unchecked_transaction()?;
            Ok(ask(&reading)?)
        })
        .await
    }

    /// Gives the place of the entry that was appended.
    pub async fn order(
        self: &Arc<Self>,
        order: Order,
        now: Time,
    ) -> Result<Result<u64, Stale>, Fault> {
        self.at_it(move |ledger, by| ledger.append(now, |page| give(page, order, by)))
            .await
    }

    /// Computes every entry again; nobody waits for it but who asked, and a second check waits for the first.
    pub async fn check(&self) -> Checked {
        let _turn = self.checks.acquire().await.expect("it is never closed");
        let path = self.path.clone();
        let checked = spawn_blocking(move || match Ledger::open(&path, Open::Existing) {
            Ok(ledger) => match verify(&ledger, None) {
                Ok(head) => Checked::Sound(head),
                Err(unsound) => Checked::Unsound(unsound),
            },
            Err(_) => Checked::NotOpened,
        });
        checked.await.unwrap_or(Checked::NotOpened)
    }

    async fn at_it<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Ledger, By) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let clerk = Arc::clone(self);
        let worked = spawn_blocking(move || {
            // A panic rolls its transaction back; the ledger is as good as before.
            let mut ledger = clerk.ledger.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut ledger, clerk.by)
        });
        // The panic hook has logged the bug.
        worked.await.unwrap_or(Err(Fault::Stopped))
    }
}
