//! How participants of a group sign: one announces, any t of them submit their partial signatures, the server combines.
//!
//! | participant | server |
//! |---|---|
//! | [`Signers::announce`]: signs what it wants signed | [`Signing::announce`]: opens a request, with an id and an expiry |
//! | [`Signers::sign`]: reads what is asked, signs with its share and approves | [`Signing::submit`]: verifies at once; with the t-th, combines and verifies |
//! | [`Signers::verify`] | [`Signing::open`], [`Signing::after`] |
//!
//! Both signatures are [`approval`](crate::approval)s, the announcement under the id of this start of the server, the
//! other under that of the request, with these payloads:
//!
//! ```text
//! announcement: "mcbn/v1/threshold-announce" ‖ 0x00 ‖ field(group key: 48 bytes) ‖ field(purpose) ‖ field(signed bytes)
//! approval:     "mcbn/v1/threshold-sign" ‖ 0x00 ‖ field(group key: 48 bytes) ‖ field(purpose) ‖ field(signed bytes)
//! ```
//!
//! The signed bytes are what the group's key signs, exactly: see [`Message`].
//!
//! Each partial signature is verified when it comes. A bad one is refused in its sender's name and changes nothing. A
//! request that has its signature keeps it until it expires, and whoever comes late is answered with it, unverified: it
//! is no secret.
//!
//! What is open at one time is bounded, and each participant has an equal part of it: it cannot crowd out the rest. A
//! request counts until it expires, signed or not. The same message for the same purpose is one request, whoever
//! announces it.
//!
//! Threat: a participant, or whoever speaks in its name, who makes others sign something else than they read, or keeps
//! them from signing. The former needs another approval; the latter takes more than n - t of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::Duration;

use mcbn_threshold::{Index, NotCombined, PartialSignature, Signature};

use crate::approval::{Approval, RequestId};
use crate::taken::NotTaken;
use crate::terms::Moment;

mod error;
mod signers;
mod subject;

pub use error::Refused;
pub use signers::{OtherGroup, Signers};
pub use subject::{Message, NotSignable, Subject};

/// What a server keeps at one time: for each request about 700 bytes beside its message, and until it is signed
/// about 200 bytes for each partial signature, of which there are t - 1 at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Open requests, of which each participant may have announced an equal part, and one at least.
    pub open: usize,
    /// How long a request is open.
    pub life: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            open: 10_000,
            life: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// The server's side, of one start.
#[derive(Debug)]
pub struct Signing {
    session: RequestId,
    signers: Signers,
    limits: Limits,
    requests: BTreeMap<RequestId, Open>,
    /// The digest of what each is about, so that nothing is open twice.
    subjects: BTreeMap<[u8; 32], RequestId>,
    expiries: BTreeSet<(Moment, RequestId)>,
    announced: BTreeMap<Index, usize>,
}

/// A request that is open.
#[derive(Debug)]
pub struct Open {
    subject: Subject,
    by: Index,
    expires: Moment,
    state: State,
}

#[derive(Debug)]
enum State {
    Collecting(Vec<PartialSignature>),
    Signed(Vec<Index>, Signature),
}

impl Open {
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Who announced it first.
    pub fn by(&self) -> Index {
        self.by
    }

    pub fn expires(&self) -> Moment {
        self.expires
    }

    /// Whose partial signatures are there, or went into the group's signature.
    pub fn signed_by(&self) -> Vec<Index> {
        match &self.state {
            State::Collecting(partials) => partials.iter().map(|partial| partial.index).collect(),
            State::Signed(by, _) => by.clone(),
        }
    }

    /// Once there is one. It verifies with the group's key.
    pub fn signature(&self) -> Option<&Signature> {
        match &self.state {
            State::Collecting(_) => None,
            State::Signed(_, signature) => Some(signature),
        }
    }
}

impl Signing {
    /// `random` fills a slice with fresh random bytes.
    pub fn new<E>(
        signers: Signers,
        limits: Limits,
        random: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        Ok(Self {
            session: RequestId::fresh(random)?,
            signers,
            limits,
            requests: BTreeMap::new(),
            subjects: BTreeMap::new(),
            expiries: BTreeSet::new(),
            announced: BTreeMap::new(),
        })
    }

    /// What announcements are signed under.
    pub fn session(&self) -> RequestId {
        self.session
    }

    pub fn signers(&self) -> &Signers {
        &self.signers
    }

    /// How many requests one participant may have announced that are still open.
    pub fn part(&self) -> usize {
        let count = usize::from(self.signers.terms().participants().count());
        (self.limits.open / count).max(1)
    }

    /// Opens a request, or finds the one that is open for the same.
    pub fn announce<E>(
        &mut self,
        now: Moment,
        index: Index,
        subject: Subject,
        announcement: &Approval,
        random: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<RequestId, NotTaken<Refused, E>> {
        self.expire(now);
        let verified = self
            .signers
            .verify_announcement(self.session, index, &subject, announcement)
            .map_err(Refused::NotApproved)?;
        let digest = subject.digest();
        if let Some(open) = self.subjects.get(&digest) {
            return Ok(*open);
        }
        let part = self.part();
        let announced = self.announced.entry(index).or_default();
        if *announced >= part {
            return Err(Refused::TooMany { index, part }.into());
        }
        let id = RequestId::fresh(random).map_err(NotTaken::Random)?;
        *announced += 1;
        let expires = now.plus(self.limits.life);
        self.subjects.insert(digest, id);
        self.expiries.insert((expires, id));
        self.requests.insert(
            id,
            Open {
                subject,
                by: verified.index(),
                expires,
                state: State::Collecting(Vec::new()),
            },
        );
        Ok(id)
    }

    /// Takes a partial signature. With the t-th the group's is made; where random bytes fail then, that one counts as
    /// not submitted, and may come again.
    pub fn submit<E>(
        &mut self,
        now: Moment,
        id: RequestId,
        partial: PartialSignature,
        approval: &Approval,
        random: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<&Open, NotTaken<Refused, E>> {
        self.expire(now);
        let open = self.requests.get_mut(&id).ok_or(Refused::NotOpen)?;
        if let State::Collecting(partials) = &mut open.state
            && is_new(partials, &partial)?
        {
            self.signers
                .verify_partial(id, &open.subject, &partial, approval)?;
            partials.push(partial);
            let group = self.signers.group().group();
            if partials.len() == group.threshold().get() {
                let message = open.subject.message().signed();
                let combined = match group.combine(&message, partials, random) {
                    Ok(combined) => combined,
                    Err(NotCombined::Random(error)) => {
                        partials.pop();
                        return Err(NotTaken::Random(error));
                    }
                    Err(_) => unreachable!("each was verified, and is of another participant"),
                };
                let by = partials.iter().map(|partial| partial.index).collect();
                open.state = State::Signed(by, combined.signature);
            }
        }
        Ok(open)
    }

    /// None where there is no such request, or where it has expired.
    pub fn open(&mut self, now: Moment, id: RequestId) -> Option<&Open> {
        self.expire(now);
        self.requests.get(&id)
    }

    /// How many requests are open.
    pub fn count(&mut self, now: Moment) -> usize {
        self.expire(now);
        self.requests.len()
    }

    /// The open requests, in the order of their ids, which means nothing: those behind this one, or all.
    pub fn after(
        &mut self,
        now: Moment,
        id: Option<RequestId>,
    ) -> impl Iterator<Item = (RequestId, &Open)> {
        self.expire(now);
        let behind = id.map_or(Bound::Unbounded, Bound::Excluded);
        let requests = self.requests.range((behind, Bound::Unbounded));
        requests.map(|(id, open)| (*id, open))
    }

    fn expire(&mut self, now: Moment) {
        while let Some((expires, id)) = self.expiries.first().copied()
            && expires <= now
        {
            self.expiries.remove(&(expires, id));
            let open = self.requests.remove(&id).expect("it has an expiry");
            self.subjects.remove(&open.subject.digest());
            let announced = self.announced.get_mut(&open.by);
            *announced.expect("it announced this one") -= 1;
        }
    }
}

/// Whether the participant has not submitted this one already; another one than it has submitted is refused.
fn is_new(partials: &[PartialSignature], new: &PartialSignature) -> Result<bool, Refused> {
    match partials.iter().find(|there| there.index == new.index) {
        None => Ok(true),
        Some(there) if there == new => Ok(false),
        Some(_) => Err(Refused::Changed(new.index)),
    }
}

#[cfg(test)]
mod tests;
