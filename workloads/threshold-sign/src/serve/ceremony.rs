//! The open requests, and what the log says of them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use mcbn_ceremony::approval::{Approval, RequestId};
use mcbn_ceremony::message::{
    Announced, AskRequest, AskRequests, AskSubmit, OpenRequest, OpenRequests, Refusal, Session,
};
use mcbn_ceremony::signing::{Refused, Shares, Signing, Step, Subject};
use mcbn_ceremony::{Moment, NotTaken};
use mcbn_ceremony_endpoint::Callers;
use mcbn_threshold::Index;
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};

use crate::config::Config;

pub struct Ceremony {
    signing: Mutex<Signing>,
    session: Session,
    callers: Callers,
    start: Instant,
    random: SystemRandom,
}

impl Ceremony {
    /// None where there are no random bytes.
    pub fn begin(config: &Config, shares: Shares) -> Option<Self> {
        let random = SystemRandom::new();
        let fresh = |bytes: &mut [u8]| random.fill(bytes);
        let signing = Signing::new(config.signers.clone(), shares, config.limits, fresh);
        let signing = signing.ok()?;
        Some(Self {
            session: Session::of(&signing),
            signing: Mutex::new(signing),
            callers: Callers::new(&config.endpoint.manifest, &config.endpoint.terms),
            start: Instant::now(),
            random,
        })
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    pub fn callers(&self) -> &Callers {
        &self.callers
    }

    pub fn announce(
        &self,
        index: Index,
        subject: Subject,
        announcement: &Approval,
    ) -> Result<Announced, Refusal> {
        let (now, fresh) = (self.now(), |bytes: &mut [u8]| self.random.fill(bytes));
        let announced = self
            .signing()
            .announce(now, index, subject, announcement, fresh);
        let request = announced.map_err(|error: NotTaken<Refused, Unspecified>| {
            self.callers
                .log(index, "an announcement is refused", &error);
            Refusal::from(error)
        })?;
        self.tell(request, index, "announced");
        Ok(Announced { request })
    }

    pub fn submit(&self, index: Index, ask: &AskSubmit) -> Result<OpenRequest, Refusal> {
        let now = self.now();
        // The lock is free while the partial signature is verified.
        let open = self.signing().open(now, ask.request);
        let submitted = open.and_then(|open| {
            let (step, progress) = open.submit(index, ask.partial, &ask.approval)?;
            Ok((open, step, progress))
        });
        let (open, step, progress) = submitted.map_err(|error| {
            self.callers.log(index, "an approval is refused", &error);
            Refusal::from(error)
        })?;
        match step {
            Step::None => {}
            Step::Approved => self.tell(ask.request, index, "approved"),
            Step::Signed => self.tell(ask.request, index, "approved, and it is signed"),
        }
        Ok(OpenRequest::of(&open, progress, now))
    }

    pub fn request(&self, ask: &AskRequest) -> Result<OpenRequest, Refusal> {
        let now = self.now();
        let open = self.signing().open(now, ask.request)?;
        Ok(OpenRequest::of(&open, open.progress(), now))
    }

    pub fn requests(&self, ask: &AskRequests) -> OpenRequests {
        let now = self.now();
        OpenRequests::page(&mut self.signing(), now, ask)
    }

    fn tell(&self, request: RequestId, index: Index, what: &str) {
        let participant = self.callers.name(index);
        tracing::info!(%participant, request = shown(request), "{what}");
    }

    fn now(&self) -> Moment {
        Moment(self.start.elapsed())
    }

    /// What a panic interrupted is as it was before: each step is whole or not at all.
    fn signing(&self) -> MutexGuard<'_, Signing> {
        self.signing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shown(request: RequestId) -> String {
    mcbn_body::base64url(&request.0)
}
