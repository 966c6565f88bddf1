//! Connecting to one of several places.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::{Future, ready};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::names::{LOCALHOST, LookupFailed, Names};
pub use crate::race::Dialled;
use crate::race::Race;
use crate::rest::Rests;
use crate::target::Target;

/// Somewhere to connect to: several places that all do, in order of preference. Clones share what they learn.
///
/// What is connected is a TCP connection, or a UDP socket.
pub struct Upstream<D = TcpStream>(Arc<Inner>, PhantomData<fn() -> D>);

struct Inner {
    targets: Vec<Target>,
    names: Option<Names>,
    limit: Duration,
    rests: Mutex<(Rests<Target>, Rests<SocketAddr>)>,
}

/// One attempt, of the several that a connection may take, takes at most so long.
const EACH_ATTEMPT: Duration = Duration::from_secs(5);

/// What was established may fail for a reason that passes.
pub trait MayPass {
    /// Whether it is worth trying again.
    fn may_pass(&self) -> bool;
}

impl<D: Dialled> Upstream<D> {
    /// `names` is needed where a target has a name. [`Upstream::connect`] gives up after `limit`.
    pub fn new(targets: Vec<Target>, names: Option<Names>, limit: Duration) -> Self {
        let inner = Inner {
            targets,
            names,
            limit,
            rests: Mutex::new((Rests::new(), Rests::new())),
        };
        Self(Arc::new(inner), PhantomData)
    }

    /// Connects, and has `establish` make of the connection what is needed: a handshake, perhaps. Where either fails,
    /// the next address is tried, then the next target. When all have failed, and one target only for reasons that may
    /// pass, they are tried again after a rest, until the limit.
    ///
    /// Places that failed of late are tried last. `establish` sets its own deadline.
    pub async fn connect<T, E, F>(&self, establish: impl Fn(D) -> F) -> Result<T, Unreachable<E>>
    where
        F: Future<Output = Result<T, E>>,
        E: MayPass,
    {
        let deadline = Instant::now() + self.0.limit;
        let mut failures = Vec::new();
        loop {
            let mut round = Round::new();
            match timeout_at(deadline, self.0.round(&establish, &mut round)).await {
                Ok(Some(established)) => return Ok(established),
                Ok(None) => failures = round.failures,
                Err(_) => {
                    failures = round.cut_short(failures);
                    break;
                }
            }
            if !self.0.is_worth_a_round(&failures) {
                break;
            }
            // However long the rests have become, the end of the limit sees one more round.
            let last_round = deadline - self.0.limit / 10;
            let now = Instant::now();
            if now >= last_round {
                break;
            }
            sleep_until(self.0.end_of_rest(now).min(last_round)).await;
        }
        Err(Unreachable { failures })
    }

    /// As [`Upstream::connect`], but every place is tried once and no more: the caller decides when to try again.
    pub async fn connect_once<T, E, F>(
        &self,
        establish: impl Fn(D) -> F,
    ) -> Result<T, Unreachable<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let mut round = Round::new();
        let failures = match timeout(self.0.limit, self.0.round(&establish, &mut round)).await {
            Ok(Some(established)) => return Ok(established),
            Ok(None) => round.failures,
            Err(_) => round.cut_short(Vec::new()),
        };
        Err(Unreachable { failures })
    }

    /// Connects, and no more.
    pub async fn dial(&self) -> Result<D, Unreachable<Infallible>> {
        self.connect(|stream| ready(Ok(stream))).await
    }
}

impl Inner {
    /// Every target once. None when all failed.
    async fn round<D, T, E, F>(
        &self,
        establish: &impl Fn(D) -> F,
        round: &mut Round<E>,
    ) -> Option<T>
    where
        D: Dialled,
        F: Future<Output = Result<T, E>>,
    {
        for target in self.by_rest() {
            let established = self.try_target(&target, establish, round).await;
            let (targets, _) = &mut *self.rests();
            match established {
                Some(established) => {
                    targets.forget(&target);
                    return Some(established);
                }
                None => targets.failed(target, Instant::now(), lot()),
            }
        }
        None
    }

    async fn try_target<D, T, E, F>(
        &self,
        target: &Target,
        establish: &impl Fn(D) -> F,
        round: &mut Round<E>,
    ) -> Option<T>
    where
        D: Dialled,
        F: Future<Output = Result<T, E>>,
    {
        round.begin(target, None, Step::Lookup);
        let hosts = match self.hosts(target).await {
            Ok(hosts) => hosts,
            Err(error) => {
                round.failed(target, None, Cause::Lookup(error));
                return None;
            }
        };
        for host in hosts {
            round.begin(target, None, Step::Lookup);
            let addresses = match self.addresses(&host).await {
                Ok(addresses) => addresses,
                Err(error) => {
                    round.failed(target, None, Cause::Lookup(error));
                    continue;
                }
            };
            let mut race = Race::new(addresses, EACH_ATTEMPT);
            loop {
                round.begin(target, None, Step::Connect);
                let Some((address, outcome)) = race.next().await else {
                    break;
                };
                let cause = match outcome {
                    Ok(stream) => {
                        round.begin(target, Some(address), Step::Handshake);
                        match establish(stream).await {
                            Ok(established) => {
                                self.rests().1.forget(&address);
                                return Some(established);
                            }
                            Err(error) => Cause::Establish(error),
                        }
                    }
                    Err(error) => Cause::Connect(error),
                };
                self.rests().1.failed(address, Instant::now(), lot());
                round.failed(target, Some(address), cause);
            }
        }
        None
    }

    /// What a target stands for: itself, or the hosts of a service.
    async fn hosts(&self, target: &Target) -> Result<Vec<Target>, LookupFailed> {
        match (target, &self.names) {
            (Target::Service(name), Some(names)) => names.service(name, &mut lot).await,
            (Target::Service(_), None) => Err(LookupFailed::NoAnswer),
            (host, _) => Ok(vec![host.clone()]),
        }
    }

    /// A host's addresses, those that rest last.
    async fn addresses(&self, host: &Target) -> Result<Vec<SocketAddr>, LookupFailed> {
        let mut addresses = match (host, &self.names) {
            (Target::Address(address), _) => vec![*address],
            (Target::Host { name, port }, names) => {
                let found = match names {
                    Some(names) => names.addresses(name).await?,
                    None if name.is_localhost() => LOCALHOST.to_vec(),
                    None => return Err(LookupFailed::NoAnswer),
                };
                found
                    .into_iter()
                    .map(|ip| SocketAddr::new(ip, *port))
                    .collect()
            }
            (Target::Service(_), _) => return Err(LookupFailed::NotFound),
        };
        let now = Instant::now();
        let (_, rests) = &*self.rests();
        addresses.sort_by_key(|address| rests.until(address, now));
        Ok(addresses)
    }

    /// The targets, those that rest last and the one whose rest ends first before the others.
    fn by_rest(&self) -> Vec<Target> {
        let mut all = self.targets.clone();
        let now = Instant::now();
        let (rests, _) = &*self.rests();
        all.sort_by_key(|target| rests.until(target, now));
        all
    }

    /// A target that has judged at one address will not judge otherwise at another.
    fn is_worth_a_round<E: MayPass>(&self, failures: &[Failure<E>]) -> bool {
        self.targets.iter().any(|target| {
            let mut of_it = failures.iter().filter(|failure| failure.target == *target);
            of_it.all(Failure::may_pass)
        })
    }

    fn end_of_rest(&self, now: Instant) -> Instant {
        let (rests, _) = &*self.rests();
        let ends = self.targets.iter().map(|target| rests.until(target, now));
        ends.min().flatten().unwrap_or(now)
    }

    fn rests(&self) -> MutexGuard<'_, (Rests<Target>, Rests<SocketAddr>)> {
        // Nothing can panic while the lock is held, and a lost note would only cost time.
        self.rests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one round has met so far, and what it is at.
struct Round<E> {
    failures: Vec<Failure<E>>,
    at: Option<Failure<E>>,
}

impl<E> Round<E> {
    fn new() -> Self {
        Self {
            failures: Vec::new(),
            at: None,
        }
    }

    fn begin(&mut self, target: &Target, address: Option<SocketAddr>, step: Step) {
        self.at = Some(Failure {
            target: target.clone(),
            address,
            cause: Cause::NoAnswer(step),
        });
    }

    fn failed(&mut self, target: &Target, address: Option<SocketAddr>, cause: Cause<E>) {
        self.at = None;
        self.failures.push(Failure {
            target: target.clone(),
            address,
            cause,
        });
    }

    /// What is known of each place when the limit ends this round: what it met, else what the round before met, else
    /// that there was no answer in time.
    fn cut_short(self, before: Vec<Failure<E>>) -> Vec<Failure<E>> {
        let mut known = self.failures;
        for earlier in before.into_iter().chain(self.at) {
            let is_told = known.iter().any(|failure| {
                failure.target == earlier.target
                    && (earlier.address.is_none() || failure.address == earlier.address)
            });
            if !is_told {
                known.push(earlier);
            }
        }
        known
    }
}

/// A number that differs each time and from process to process. Nothing secret hangs on it.
fn lot() -> u64 {
    RandomState::new().hash_one(())
}

impl<D> Clone for Upstream<D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), PhantomData)
    }
}

impl<D> fmt::Debug for Upstream<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("targets", &self.0.targets)
            .finish_non_exhaustive()
    }
}

/// No place could be reached.
#[derive(Debug)]
pub struct Unreachable<E> {
    failures: Vec<Failure<E>>,
}

/// One place that could not be reached.
#[derive(Debug)]
pub struct Failure<E> {
    pub target: Target,
    pub address: Option<SocketAddr>,
    pub cause: Cause<E>,
}

#[derive(Debug)]
pub enum Cause<E> {
    Lookup(LookupFailed),
    Connect(io::Error),
    Establish(E),
    /// The limit came first.
    NoAnswer(Step),
}

/// What has to be done to reach a place, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Lookup,
    Connect,
    Handshake,
}

impl<E> Unreachable<E> {
    /// What the last round met, in its order; empty only where there are no targets.
    pub fn failures(&self) -> &[Failure<E>] {
        &self.failures
    }
}

impl<E: MayPass> Failure<E> {
    fn may_pass(&self) -> bool {
        match &self.cause {
            Cause::Lookup(LookupFailed::NotFound) => false,
            Cause::Lookup(LookupFailed::NoAnswer) | Cause::Connect(_) | Cause::NoAnswer(_) => true,
            Cause::Establish(error) => error.may_pass(),
        }
    }
}

impl MayPass for Infallible {
    fn may_pass(&self) -> bool {
        match *self {}
    }
}

impl<E: fmt::Display> fmt::Display for Unreachable<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// A service can have any number of hosts; a message is for people.
        const SHOWN: usize = 8;
        if self.failures.is_empty() {
            return f.write_str("there is nowhere to connect to");
        }
        for (i, failure) in self.failures.iter().take(SHOWN).enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{failure}")?;
        }
        match self.failures.len().checked_sub(SHOWN) {
            Some(more @ 1..) => write!(f, "; and {more} more"),
            _ => Ok(()),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.target)?;
        if let (Some(address), Target::Host { .. } | Target::Service(_)) =
            (self.address, &self.target)
        {
            write!(f, " ({address})")?;
        }
        match &self.cause {
            Cause::Lookup(error) => write!(f, ": {error}"),
            Cause::Connect(error) => write!(f, ": {error}"),
            Cause::Establish(error) => write!(f, ": {error}"),
            Cause::NoAnswer(Step::Lookup) => f.write_str(": its name was not looked up in time"),
            Cause::NoAnswer(Step::Connect) => f.write_str(": no connection in time"),
            Cause::NoAnswer(Step::Handshake) => {
                f.write_str(": connected, but the handshake got no answer in time")
            }
        }
    }
}

impl<E: fmt::Debug + fmt::Display> Error for Unreachable<E> {}

#[cfg(test)]
mod tests;
