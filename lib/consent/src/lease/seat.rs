//! What is known of one participant's consent.

use super::asking::{Term, What};
use super::loss::Trouble;
use crate::clock::Moment;
use crate::metrics::Metrics;
use mcbn_share::{Contribution, Participant, Refused};
use tokio::task::AbortHandle;

#[derive(Debug)]
pub(super) struct Seat {
    participant: Participant,
    /// Of the lease that runs.
    term: Option<Term>,
    /// Why the last attempt gave nothing. None after one that did, and before the first.
    trouble: Option<Trouble>,
    /// The first attempt has ended.
    heard: bool,
    task: AbortHandle,
}

impl Seat {
    pub(super) fn new(participant: Participant, task: AbortHandle) -> Seat {
        Seat {
            participant,
            term: None,
            trouble: None,
            heard: false,
            task,
        }
    }

    pub(super) fn participant(&self) -> &Participant {
        &self.participant
    }

    /// When next something of it changes by itself.
    pub(super) fn next_change(&self, now: Moment) -> Option<Moment> {
        let term = self.term?;
        let half = Some(term.half()).filter(|half| *half > now);
        half.or(Some(term.end()))
    }

    pub(super) fn is_heard(&self) -> bool {
        self.heard
    }

    pub(super) fn is_live(&self) -> bool {
        self.term.is_some()
    }

    /// Live, and not late with its renewal.
    pub(super) fn is_sound(&self, now: Moment) -> bool {
        self.term.is_some_and(|term| now < term.half())
    }

    /// Asking again would change nothing while the start is waited for.
    pub(super) fn is_against(&self) -> bool {
        !self.is_live() && self.trouble.as_ref().is_some_and(Trouble::is_final)
    }

    /// Gives the share that came with it.
    pub(super) fn hear(&mut self, what: What, metrics: &Metrics) -> Option<Contribution> {
        self.heard = true;
        match what {
            What::Released { share, term } => {
                metrics.released();
                tracing::info!(participant = %self.participant, "consent given");
                self.term = Some(term);
                self.trouble = None;
                Some(share)
            }
            What::Renewed { term } => {
                metrics.renewed();
                if self.trouble.take().is_some() {
                    tracing::info!(participant = %self.participant, "consent renewed again");
                }
                self.term = Some(term);
                None
            }
            What::Failed(failure) => {
                metrics.failed(failure.reason());
                self.meet(Trouble::Failed(failure));
                None
            }
        }
    }

    fn meet(&mut self, trouble: Trouble) {
        if trouble.ends_consent() {
            self.term = None;
        }
        let participant = &self.participant;
        let before = self.trouble.as_ref().map(Trouble::reason);
        match before == Some(trouble.reason()) {
            // It was said once.
            true => tracing::debug!(%participant, %trouble, "still no consent"),
            false => tracing::warn!(%participant, %trouble, "no consent"),
        }
        self.trouble = Some(trouble);
    }

    /// The share cannot be used: its owner is asked no more.
    pub(super) fn dismiss(&mut self, refused: Refused) {
        self.task.abort();
        self.term = None;
        self.meet(Trouble::Share(refused));
    }

    pub(super) fn expire(&mut self, now: Moment) {
        if self.term.is_some_and(|term| term.end() <= now) {
            self.term = None;
            tracing::warn!(participant = %self.participant, "the lease has ended");
            self.trouble.get_or_insert(Trouble::Expired);
        }
    }

    /// Why there is no consent of this participant, if there is none.
    pub(super) fn take_trouble(&mut self) -> Option<Trouble> {
        match self.is_live() {
            true => None,
            false => Some(self.trouble.take().unwrap_or(Trouble::NoAnswer)),
        }
    }
}
