//! How participants of a group sign: one announces, any t of them agree, the server makes the group's signature.
//!
//! | participant | server |
//! |---|---|
//! | [`Signers::announce`]: signs what it wants signed | [`Signing::announce`]: opens a request, with an id and an expiry |
//! | [`Signers::sign`]: reads what is asked, signs with its share and approves | [`Open::submit`]: verifies at once; with the t-th, combines and verifies |
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
//! Where participants keep their shares, each submits a partial signature beside its approval, which is verified when it
//! comes. A bad one is refused in its sender's name and changes nothing. Where they have revealed their shares to the
//! server ([`Shares::revealed`]), they approve alone, [`Signers::approve`], and the server signs for t approvals.
//!
//! A request that has its signature keeps it until it expires, and whoever comes late is answered with it, unverified:
//! it is no secret.
//!
//! What is open at one time is bounded, and each participant has an equal part of it: it cannot crowd out the rest. A
//! request counts until it expires, signed or not. The same message for the same purpose is one request, whoever
//! announces it. Each request has a lock of its own, which is held while a signature for it is verified or made: one
//! does not wait for another.
//!
//! Threat: a participant, or whoever speaks in its name, who makes others sign something else than they read, or keeps
//! them from signing. The former needs another approval; the latter takes more than n - t of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use mcbn_threshold::Index;

use crate::approval::{Approval, RequestId};
use crate::taken::NotTaken;
use crate::terms::Moment;

mod error;
mod open;
mod shares;
mod signers;
mod subject;

pub use error::Refused;
pub use open::{Open, Progress, Step};
pub use shares::{NotRevealed, Shares};
pub use signers::{OtherGroup, Signers};
pub use subject::{Message, NotSignable, Subject};

/// What a server keeps at one time: for each request about 800 bytes beside its message, and until it is signed
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
    signers: Arc<Signers>,
    shares: Arc<Shares>,
    limits: Limits,
    requests: BTreeMap<RequestId, Arc<Open>>,
    /// The digest of what each is about, so that nothing is open twice.
    subjects: BTreeMap<[u8; 32], RequestId>,
    expiries: BTreeSet<(Moment, RequestId)>,
    announced: BTreeMap<Index, usize>,
}

impl Signing {
    /// `random` fills a slice with fresh random bytes.
    pub fn new<E>(
        signers: Signers,
        shares: Shares,
        limits: Limits,
        random: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        Ok(Self {
            session: RequestId::fresh(random)?,
            signers: Arc::new(signers),
            shares: Arc::new(shares),
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

    pub fn shares(&self) -> &Shares {
        &self.shares
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
        let (signers, shares) = (Arc::clone(&self.signers), Arc::clone(&self.shares));
        let open = Open::new(id, subject, verified.index(), expires, signers, shares);
        self.requests.insert(id, Arc::new(open));
        Ok(id)
    }

    pub fn open(&mut self, now: Moment, id: RequestId) -> Result<Arc<Open>, Refused> {
        self.expire(now);
        self.requests.get(&id).cloned().ok_or(Refused::NotOpen)
    }

    /// How many requests are open.
    pub fn count(&mut self, now: Moment) -> usize {
        self.expire(now);
        self.requests.len()
    }

    /// The ids of the open requests, in their order, which means nothing: those behind this one, or all.
    pub fn after(&mut self, now: Moment, id: Option<RequestId>) -> impl Iterator<Item = RequestId> {
        self.expire(now);
        let behind = id.map_or(Bound::Unbounded, Bound::Excluded);
        let requests = self.requests.range((behind, Bound::Unbounded));
        requests.map(|(id, _)| *id)
    }

    fn expire(&mut self, now: Moment) {
        while let Some((expires, id)) = self.expiries.first().copied()
            && expires <= now
        {
            self.expiries.remove(&(expires, id));
            let open = self.requests.remove(&id).expect("it has an expiry");
            self.subjects.remove(&open.subject().digest());
            let announced = self.announced.get_mut(&open.by());
            *announced.expect("it announced this one") -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
