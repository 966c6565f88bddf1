//! The state of the one generation, and who has been given what.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mcbn_ceremony::approval::Approval;
use mcbn_ceremony::generation::{Announced, Generation, Refused, Standing};
use mcbn_ceremony::message::{self, GivenReceipt, GivenShare, Refusal};
use mcbn_ceremony::sealed::EncryptionKey;
use mcbn_ceremony::{Moment, NotTaken};
use mcbn_ceremony_endpoint::Callers;
use mcbn_share::Participant;
use mcbn_threshold::Index;
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::config::Config;

pub struct Ceremony {
    state: Mutex<State>,
    announced: Announced,
    callers: Callers,
    start: Instant,
    deadline: Duration,
    random: SystemRandom,
    /// Somebody has fetched the receipt.
    fetched: Notify,
}

struct State {
    generation: Generation,
    receipts: BTreeSet<Index>,
}

/// How it ended.
pub enum Outcome {
    /// All have the receipt.
    Done,
    /// There is a receipt, and these did not fetch it in time: others can give it to them.
    NotFetched(Vec<Participant>),
    /// There is none: these did not do their part in time.
    Abandoned(Vec<Participant>),
    /// The program was told to end.
    Stopped,
}

impl Ceremony {
    /// None where there are no random bytes.
    pub fn begin(config: &Config) -> Option<Self> {
        let random = SystemRandom::new();
        let deadline = Moment(config.deadline);
        let endpoint = &config.endpoint;
        let (terms, purpose) = (endpoint.terms.clone(), config.purpose.clone());
        let fresh = |bytes: &mut [u8]| random.fill(bytes);
        let generation = Generation::new(terms, purpose, deadline, fresh).ok()?;
        Some(Self {
            announced: generation.announced().clone(),
            state: Mutex::new(State {
                generation,
                receipts: BTreeSet::new(),
            }),
            callers: Callers::new(&endpoint.manifest, &endpoint.terms),
            start: Instant::now(),
            deadline: config.deadline,
            random,
            fetched: Notify::new(),
        })
    }

    /// Which start this is.
    pub fn request(&self) -> String {
        mcbn_body::base64url(&self.announced.id.0)
    }

    pub fn announced(&self) -> &Announced {
        &self.announced
    }

    pub fn callers(&self) -> &Callers {
        &self.callers
    }

    pub fn standing(&self) -> message::Standing {
        let now = self.now();
        self.state().generation.standing(now).into()
    }

    pub fn approve(
        &self,
        index: Index,
        key: EncryptionKey,
        approval: Approval,
    ) -> Result<message::Standing, Refusal> {
        let (now, fresh) = (self.now(), |bytes: &mut [u8]| self.random.fill(bytes));
        let taken = self
            .state()
            .generation
            .approve(now, index, key, approval, fresh);
        taken.map_err(|error: NotTaken<Refused, Unspecified>| {
            self.callers.log(index, "an approval is refused", &error);
            Refusal::from(error)
        })?;
        tracing::info!(participant = %self.callers.name(index), "approved");
        Ok(self.standing())
    }

    pub fn share(&self, index: Index) -> Result<GivenShare, Refusal> {
        let now = self.now();
        let mut state = self.state();
        let given = state.generation.sealed_share(now, index);
        given
            .map(|given| GivenShare::of(&given))
            .map_err(Refusal::from)
    }

    pub fn confirm(
        &self,
        index: Index,
        confirmation: Approval,
    ) -> Result<message::Standing, Refusal> {
        let now = self.now();
        let confirmed = self.state().generation.confirm(now, index, confirmation);
        confirmed.map_err(|error| {
            self.callers.log(index, "a confirmation is refused", &error);
            Refusal::from(error)
        })?;
        tracing::info!(participant = %self.callers.name(index), "confirmed");
        Ok(self.standing())
    }

    pub fn receipt(&self, index: Index) -> Result<GivenReceipt, Refusal> {
        let now = self.now();
        let mut state = self.state();
        let receipt = state.generation.receipt(now)?;
        let given = GivenReceipt::of(receipt);
        if state.receipts.insert(index) {
            tracing::info!(participant = %self.callers.name(index), "has the receipt");
            self.fetched.notify_one();
        }
        Ok(given)
    }

    /// Resolves when all have the receipt, or at the deadline.
    pub async fn outcome(&self) -> Outcome {
        let left = self.deadline.saturating_sub(self.start.elapsed());
        tokio::select! {
            () = self.all_have_the_receipt() => Outcome::Done,
            () = sleep(left) => self.at_the_deadline(),
        }
    }

    async fn all_have_the_receipt(&self) {
        while self.state().receipts.len() < self.callers.count() {
            self.fetched.notified().await;
        }
    }

    fn at_the_deadline(&self) -> Outcome {
        let mut state = self.state();
        match state.generation.standing(Moment(self.deadline)) {
            Standing::Done => {
                let all = Index::all(self.announced.terms.participants().count());
                let without = all.filter(|index| !state.receipts.contains(index));
                Outcome::NotFetched(without.map(|index| self.callers.name(index)).collect())
            }
            Standing::Approving { missing }
            | Standing::Confirming { missing }
            | Standing::Abandoned { missing } => {
                let missing = missing.into_iter();
                Outcome::Abandoned(missing.map(|index| self.callers.name(index)).collect())
            }
        }
    }

    fn now(&self) -> Moment {
        Moment(self.start.elapsed())
    }

    /// What a panic interrupted is as it was before: each step is whole or not at all.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
