//! The keys of sessions, made in a TPM: one thread has it, and whoever needs a key waits in line.

use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use mcbn_psk::{KeySource, NoKey, Randoms};
use mcbn_secret::Psk;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

use crate::error::Error;
use crate::key::Name;
use crate::layout::{Layout, Message};
use crate::loaded::{KeyConfig, LoadedKey};
use crate::metrics::{Metrics, Outcome};

/// A permanent key that stays in its TPM.
///
/// Requests are served in the order in which they came, each until its own deadline. A TPM that goes away is looked for
/// until it is back; requests fail at once in the meantime. When this is dropped, what was loaded is flushed.
pub struct KeyInTpm {
    layout: Layout,
    name: Name,
    seats: Arc<Semaphore>,
    notice: Arc<Notice>,
    metrics: Metrics,
    requests: Option<SyncSender<Request>>,
    /// Disconnected when the thread has flushed everything.
    done: Mutex<Receiver<()>>,
}

struct Request {
    message: Message,
    asked: Instant,
    until: Instant,
    answer: SyncSender<Result<Psk, NoKey>>,
}

/// Why no keys are made now, for those who would only stand in line to hear it: whoever looks for a TPM that is away may be
/// long about it.
#[derive(Default)]
struct Notice(Mutex<Option<NoKey>>);

impl Notice {
    fn put_up(&self, why: Option<NoKey>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    fn read(&self) -> Result<(), NoKey> {
        let why = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        why.map_or(Ok(()), Err)
    }
}

/// How often a TPM that is away is looked for.
const RETRY: Duration = Duration::from_secs(1);

/// How long an end waits for the TPM to flush. The kernel and the broker do it for a program that is gone.
const FLUSH: Duration = Duration::from_secs(5);

/// How long a key is waited for where the caller does not say.
const PATIENCE: Duration = Duration::from_secs(30);

impl KeyInTpm {
    /// Loads the key and tries it. So many requests wait at one time, each with a thread of its own. `reachable` is told
    /// whenever the TPM is lost or found again, and at the end.
    ///
    /// Blocks while the TPM is at work.
    pub fn open(
        config: KeyConfig,
        layout: Layout,
        seats: usize,
        metrics: Metrics,
        reachable: impl Fn(bool) + Send + 'static,
    ) -> Result<Self, Error> {
        let loaded = LoadedKey::load(&config)?;
        let name = loaded.name().clone();
        metrics.reachable(true);
        reachable(true);
        let (requests, line) = sync_channel(seats);
        let (ended, done) = sync_channel(1);
        let notice = Arc::<Notice>::default();
        let desk = Desk {
            config,
            state: State::Ready(Box::new(loaded)),
            notice: Arc::clone(&notice),
            metrics: metrics.clone(),
            reachable: Box::new(reachable),
        };
        thread::Builder::new()
            .name("tpm".into())
            .spawn(move || {
                desk.serve(line);
                drop(ended);
            })
            .map_err(Error::NoThread)?;
        Ok(Self {
            layout,
            name,
            seats: Arc::new(Semaphore::new(seats)),
            notice,
            metrics,
            requests: Some(requests),
            done: Mutex::new(done),
        })
    }

    /// What the TPM calls the key.
    pub fn name(&self) -> &Name {
        &self.name
    }

    fn ask(&self, message: Message, until: Option<Instant>) -> Result<Psk, NoKey> {
        let asked = Instant::now();
        let until = until.unwrap_or(asked + PATIENCE);
        let (answer, answered) = sync_channel(1);
        let request = Request {
            message,
            asked,
            until,
            answer,
        };
        self.notice
            .read()
            .inspect_err(|_| self.metrics.count(Outcome::Failed))?;
        let requests = self.requests.as_ref().ok_or(ENDED)?;
        requests.try_send(request).map_err(|error| match error {
            TrySendError::Full(_) => NoKey("too many sessions wait for the TPM"),
            TrySendError::Disconnected(_) => ENDED,
        })?;
        let left = until.saturating_duration_since(asked);
        answered.recv_timeout(left).map_err(|error| match error {
            RecvTimeoutError::Timeout => LATE,
            RecvTimeoutError::Disconnected => ENDED,
        })?
    }
}

const ENDED: NoKey = NoKey("the TPM is not asked any more");
const LATE: NoKey = NoKey("the TPM did not answer in time");

impl KeySource for KeyInTpm {
    fn write_key(
        &self,
        randoms: &Randoms,
        until: Option<Instant>,
        out: &mut [u8; Psk::LENGTH],
    ) -> Result<(), NoKey> {
        let message = self.layout.message(randoms);
        let many = Handle::try_current()
            .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
        let key = match many {
            true => tokio::task::block_in_place(|| self.ask(message, until)),
            // There is no other task that it could hold up on purpose.
            false => self.ask(message, until),
        }?;
        // OpenSSL needs the bytes: this is the one place where a session's key enters it.
        out.copy_from_slice(key.expose_secret());
        Ok(())
    }

    fn seats(&self) -> Option<Arc<Semaphore>> {
        Some(Arc::clone(&self.seats))
    }

    fn advice(&self) -> &'static str {
        crate::ADVICE
    }
}

impl Drop for KeyInTpm {
    fn drop(&mut self) {
        drop(self.requests.take());
        let done = self.done.get_mut().unwrap_or_else(PoisonError::into_inner);
        // It ends by being disconnected.
        let _ = done.recv_timeout(FLUSH);
    }
}

impl fmt::Debug for KeyInTpm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyInTpm")
            .field("layout", &self.layout)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Where requests are served.
struct Desk {
    config: KeyConfig,
    state: State,
    notice: Arc<Notice>,
    metrics: Metrics,
    reachable: Box<dyn Fn(bool) + Send>,
}

enum State {
    Ready(Box<LoadedKey>),
    /// It is looked for again at this time.
    Lost {
        why: Error,
        next: Instant,
    },
    /// Looking again would not help, and a wrong authorization counts each time.
    Useless(Error),
}

/// However it ends, also by a bug: nobody makes keys any more.
impl Drop for Desk {
    fn drop(&mut self) {
        self.metrics.reachable(false);
        (self.reachable)(false);
    }
}

impl Desk {
    /// Until nobody can ask any more.
    fn serve(mut self, line: Receiver<Request>) {
        loop {
            let request = match &self.state {
                State::Lost { next, .. } => {
                    let left = next.saturating_duration_since(Instant::now());
                    match line.recv_timeout(left) {
                        Ok(request) => request,
                        Err(RecvTimeoutError::Timeout) => {
                            self.look();
                            continue;
                        }
                        Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
                State::Ready(_) | State::Useless(_) => match line.recv() {
                    Ok(request) => request,
                    Err(_) => return,
                },
            };
            let answer = self.answer(&request);
            // Whoever asked may have gone.
            let _ = request.answer.send(answer);
        }
    }

    fn answer(&mut self, request: &Request) -> Result<Psk, NoKey> {
        let now = Instant::now();
        if request.until <= now {
            self.metrics.count(Outcome::Late);
            return Err(LATE);
        }
        self.metrics.waited(now - request.asked);
        let loaded = match &mut self.state {
            State::Ready(loaded) => loaded,
            State::Lost { why, .. } | State::Useless(why) => {
                self.metrics.count(Outcome::Failed);
                return Err(NoKey(why.phrase()));
            }
        };
        match loaded.hmac(&request.message) {
            Ok(key) => {
                self.metrics.took(loaded.take_busy());
                self.metrics.count(Outcome::Made);
                Ok(key)
            }
            Err(error) => {
                let phrase = error.phrase();
                self.metrics.count(Outcome::Failed);
                self.lose(error);
                Err(NoKey(phrase))
            }
        }
    }

    /// Tries to load the key anew.
    fn look(&mut self) {
        match LoadedKey::load(&self.config) {
            Ok(loaded) => {
                tracing::info!("the TPM is back");
                self.state = State::Ready(Box::new(loaded));
                self.notice.put_up(None);
                self.metrics.reachable(true);
                (self.reachable)(true);
            }
            Err(error) => self.lose(error),
        }
    }

    fn lose(&mut self, error: Error) {
        let was_ready = matches!(self.state, State::Ready(_));
        let news = was_ready || self.why() != Some(error.phrase());
        if news {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, source, "no keys are made");
        }
        self.notice.put_up(Some(NoKey(error.phrase())));
        // What was loaded is flushed before anything is loaded anew.
        self.state = match error.may_pass() {
            true => State::Lost {
                why: error,
                next: Instant::now() + RETRY,
            },
            false => State::Useless(error),
        };
        if was_ready {
            self.metrics.reachable(false);
            (self.reachable)(false);
        }
    }

    fn why(&self) -> Option<&'static str> {
        match &self.state {
            State::Ready(_) => None,
            State::Lost { why, .. } | State::Useless(why) => Some(why.phrase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Whose;
    use crate::loaded::KeyPlace;

    /// Before a TPM that is not there, and what is told of whether it is reachable.
    fn desk() -> (Desk, Receiver<bool>) {
        let handle = crate::PersistentHandle::new(0x8100_0001).unwrap();
        let (tell, told) = sync_channel(1);
        let desk = Desk {
            config: KeyConfig {
                tcti: "swtpm:path=/nowhere".parse().unwrap(),
                key: KeyPlace::Persistent(handle),
                key_auth: None,
                parent_auth: None,
                limit: Duration::from_secs(20),
            },
            state: State::Useless(Error::Reset),
            notice: Arc::default(),
            metrics: Metrics::default(),
            reachable: Box::new(move |is| {
                // Whoever listened may have gone.
                let _ = tell.send(is);
            }),
        };
        (desk, told)
    }

    #[test]
    fn what_time_does_not_mend_is_not_looked_for() {
        let (mut desk, _told) = desk();
        for error in [
            Error::WrongAuth(Whose::Key),
            Error::WrongAuth(Whose::Parent),
            Error::AnotherTpms,
            Error::NoSuchHandle,
        ] {
            let phrase = error.phrase();
            desk.lose(error);
            assert!(matches!(desk.state, State::Useless(_)), "{phrase}");
            assert_eq!(desk.notice.read(), Err(NoKey(phrase)));
        }
        for error in [Error::Lockout, Error::Reset, Error::OtherPcrs, Error::Full] {
            let phrase = error.phrase();
            desk.lose(error);
            assert!(matches!(desk.state, State::Lost { .. }), "{phrase}");
            assert_eq!(desk.notice.read(), Err(NoKey(phrase)));
        }
    }

    #[test]
    fn a_desk_that_ends_in_whatever_way_is_not_reachable() {
        let (desk, told) = desk();
        let ended = thread::spawn(move || {
            let _desk = desk;
            panic!("a bug");
        });
        assert!(ended.join().is_err());
        assert_eq!(told.recv(), Ok(false));
    }
}
