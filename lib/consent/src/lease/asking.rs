//! One participant is asked, again and again, for as long as anybody listens.

use super::pace::{self, Backoff, Lots};
use crate::ask::{Ask, Granted};
use crate::client::Failure;
use crate::clock::{Clock, Moment};
use crate::message::Code;
use mcbn_manifest::Member;
use mcbn_share::Contribution;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

pub(super) struct Asking<A, K> {
    /// The participant's number among those who are asked.
    pub(super) seat: usize,
    pub(super) member: Member,
    pub(super) ask: Arc<A>,
    pub(super) clock: K,
    pub(super) lots: Lots,
    pub(super) longest_lease: Duration,
    pub(super) tell: mpsc::Sender<Event>,
}

#[derive(Debug)]
pub(super) struct Event {
    pub(super) seat: usize,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Released { share: Contribution, term: Term },
    Renewed { term: Term },
    Failed(Failure),
}

/// The time of a lease.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    /// From when it is counted: before the question was sent.
    asked: Moment,
    length: Duration,
}

impl Term {
    pub(super) fn end(&self) -> Moment {
        self.asked + self.length
    }

    /// By then it should have been renewed, even if the first attempts failed.
    pub(super) fn half(&self) -> Moment {
        self.asked + self.length / 2
    }
}

/// A lease that runs.
struct Held<L> {
    lease: L,
    term: Term,
}

impl<A: Ask, K: Clock> Asking<A, K> {
    pub(super) async fn run(self) {
        let mut backoff = Backoff::default();
        loop {
            match self.release().await {
                Ok((share, held)) => {
                    let term = held.term;
                    self.tell(What::Released { share, term }).await;
                    self.hold(held).await;
                    backoff = Backoff::default();
                }
                Err(failure) => {
                    let pause = backoff.after(&failure, None, (self.lots)());
                    self.tell(What::Failed(failure)).await;
                    self.clock.sleep_until(self.clock.now() + pause).await;
                }
            }
        }
    }

    /// Renews the lease until it has ended or the keeper knows it no more.
    async fn hold(&self, mut held: Held<A::Lease>) {
        let mut backoff = Backoff::default();
        let mut next = self.first_try(&held);
        loop {
            let end = held.term.end();
            self.clock.sleep_until(next.min(end)).await;
            if self.clock.now() >= end {
                return;
            }
            let failure = match self.renew(&held).await {
                Ok(term) => {
                    held.term = term;
                    backoff = Backoff::default();
                    next = self.first_try(&held);
                    self.tell(What::Renewed { term }).await;
                    continue;
                }
                Err(failure) => failure,
            };
            let (ends, code) = (failure.ends_consent(), failure.code());
            let lease = (!ends).then_some(held.term.length);
            let pause = backoff.after(&failure, lease, (self.lots)());
            next = self.clock.now() + pause;
            self.tell(What::Failed(failure)).await;
            if ends {
                self.clock.sleep_until(next).await;
                return;
            }
            if code == Some(Code::Lease) {
                // What was agreed holds until its end, and a new lease may come before.
                return;
            }
        }
    }

    fn first_try(&self, held: &Held<A::Lease>) -> Moment {
        held.term.asked + pace::renewal(held.term.length, (self.lots)())
    }

    async fn release(&self) -> Result<(Contribution, Held<A::Lease>), Failure> {
        let asked = self.clock.now();
        let granted = timeout(pace::attempt(None), self.ask.release(&self.member)).await;
        let Granted {
            share,
            lease,
            length,
        } = granted.map_err(|_| Failure::Slow)??;
        let term = self.term(asked, length);
        Ok((share, Held { lease, term }))
    }

    async fn renew(&self, held: &Held<A::Lease>) -> Result<Term, Failure> {
        let asked = self.clock.now();
        let limit = pace::attempt(Some(held.term.length));
        let length = timeout(limit, self.ask.renew(&self.member, &held.lease)).await;
        Ok(self.term(asked, length.map_err(|_| Failure::Slow)??))
    }

    fn term(&self, asked: Moment, length: Duration) -> Term {
        let length = length.min(self.longest_lease);
        Term { asked, length }
    }

    async fn tell(&self, what: What) {
        let seat = self.seat;
        // Nobody listens any more only where this task is about to be dropped.
        let _ = self.tell.send(Event { seat, what }).await;
    }
}
