//! One thread writes for all connections: decisions that wait together share a transaction, and so one wait for the
//! disk. Each is answered after the commit.

use super::decide::{Decision, Terms, Wish, decide};
use super::entry::{Event, Time};
use super::{Fault, Ledger};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use tokio::sync::{mpsc, oneshot};

/// The end of the channel that connections hold. The thread ends when all of them are gone.
#[derive(Clone, Debug)]
pub struct Writer(mpsc::Sender<Job>);

/// Decisions in one transaction. More would make the first wait longer than the disk does.
const GROUP: usize = 256;

/// Decisions that may wait for their group.
const QUEUE: usize = 4 * GROUP;

#[derive(Debug)]
struct Job {
    asked: Asked,
    answer: oneshot::Sender<Result<Decided, Arc<Fault>>>,
}

#[derive(Debug)]
enum Asked {
    Decide(Box<Wish>),
    Note(Box<Event>),
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
enum Decided {
    Decision(Decision),
    Noted,
}

/// The keeper's clock.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// Starts the thread. Joining it gives the ledger back.
pub fn start(
    ledger: Ledger,
    terms: Terms,
    clock: Clock,
) -> std::io::Result<(Writer, JoinHandle<Ledger>)> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let write = move || write(ledger, &terms, &clock, receiver);
    let thread = thread::Builder::new().name("ledger".into()).spawn(write)?;
    Ok((Writer(sender), thread))
}

impl Writer {
    /// Decides, and returns when the decision is on the disk.
    ///
    /// # Errors
    ///
    /// Nothing was written, and nothing must be released.
    pub async fn decide(&self, wish: Wish) -> Result<Decision, Arc<Fault>> {
        match self.send(Asked::Decide(Box::new(wish))).await? {
            Decided::Decision(decision) => Ok(decision),
            Decided::Noted => unreachable!("a wish is decided"),
        }
    }

    /// Writes down what happened.
    ///
    /// # Errors
    ///
    /// It was not written.
    pub async fn note(&self, event: Event) -> Result<(), Arc<Fault>> {
        self.send(Asked::Note(Box::new(event))).await.map(drop)
    }

    async fn send(&self, asked: Asked) -> Result<Decided, Arc<Fault>> {
        let (answer, decided) = oneshot::channel();
        let stopped = || Arc::new(Fault::Stopped);
        let sent = self.0.send(Job { asked, answer }).await;
        sent.map_err(|_| stopped())?;
        decided.await.map_err(|_| stopped())?
    }
}

fn write(
    mut ledger: Ledger,
    terms: &Terms,
    clock: &Clock,
    mut jobs: mpsc::Receiver<Job>,
) -> Ledger {
    let mut group = Vec::with_capacity(GROUP);
    let mut failing = false;
    while jobs.blocking_recv_many(&mut group, GROUP) > 0 {
        let (asked, answers): (Vec<_>, Vec<_>) =
            group.drain(..).map(|job| (job.asked, job.answer)).unzip();
        let decided = ledger.append(clock(), |page| {
            let each = asked.into_iter().map(|asked| match asked {
                Asked::Decide(wish) => decide(page, *wish, terms).map(Decided::Decision),
                Asked::Note(event) => page.write(*event).map(|_| Decided::Noted),
            });
            each.collect::<Result<Vec<_>, Fault>>()
        });
        match decided {
            Ok(decided) => {
                if failing {
                    tracing::info!("the ledger can be written again");
                }
                failing = false;
                for (answer, decided) in answers.into_iter().zip(decided) {
                    // Who has gone meanwhile holds a lease that ends by itself.
                    let _ = answer.send(Ok(decided));
                }
            }
            Err(fault) => {
                if !failing {
                    let cause = std::error::Error::source(&fault).map(ToString::to_string);
                    tracing::error!(%fault, cause, hint = fault.hint(), "nothing is released");
                }
                failing = true;
                let fault = Arc::new(fault);
                for answer in answers {
                    let _ = answer.send(Err(Arc::clone(&fault)));
                }
            }
        }
    }
    ledger
}
