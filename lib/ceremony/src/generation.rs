//! How n participants and an attested server make a key of which any t of them can sign, and that nobody has.
//!
//! | participant | server |
//! |---|---|
//! | | announces what it will do: [`Announced`] |
//! | [`Joining`]: compares that with what it expects, makes an opening key, approves | [`Generation::approve`]: once all n have, deals the key, seals each share to its owner, wipes them |
//! | [`Joining::open`]: opens its share, checks it against commitments and proof | [`Generation::sealed_share`] |
//! | [`Opened::confirm`] | [`Generation::confirm`]: once all n have, [`Receipt`] |
//! | [`Opened::finish`]: the share counts from now on | [`Generation::receipt`] |
//!
//! Both signatures are [`approval`](crate::approval)s of the announced request, with these payloads:
//!
//! ```text
//! approval:     "mcbn/v1/threshold-generate" ‖ 0x00 ‖ field(purpose) ‖ field(encryption key: 32 bytes)
//! confirmation: "mcbn/v1/threshold-confirm" ‖ 0x00 ‖ field(group key: 48 bytes) ‖ field(digest of the commitments: 32 bytes)
//! ```
//!
//! No key is half given: a share counts only with the receipt, and the receipt is made of the confirmations of all n.
//! Before that the server may end in any way, and what was made is nothing.
//! - A participant that vanishes: at the deadline the generation is abandoned, whatever its phase. There is no receipt,
//!   sealed shares are given out no more, and participants throw away theirs.
//! - A message that is repeated, byte for byte, is answered as it was; another one in its place is refused.
//! - A server that starts again has another request id: approvals, sealed shares and confirmations of before do not
//!   fit.
//! - A server that dies after the last confirmation: a participant that has the receipt hands it to the others, who
//!   verify it by itself, for it carries all n confirmations, and hold it against the group that they have from the
//!   server, under the token over that answer. If nobody has it, nobody's share counts. A participant that has
//!   confirmed therefore keeps its share until it has the receipt, or knows that the generation was abandoned, or that
//!   nobody has a receipt.
//!
//! Threat: a participant who wants the rest to have a key that they cannot use, or under which it alone decides. It can
//! stop the generation, and is named; nothing more. The server is attested, and is nevertheless checked: other
//! commitments to others would need confirmations that do not fit each other.

use std::collections::{BTreeMap, BTreeSet};

use mcbn_threshold::{Index, NotDealt};

use crate::approval::{Approval, NotApproved, Request, RequestId};
use crate::framing::Framed;
use crate::group::ProvenGroup;
use crate::sealed::{Context, EncryptionKey, SealedShare};
use crate::taken::NotTaken;
use crate::terms::{Moment, Purpose, Terms};

mod error;
mod joining;
mod receipt;

pub use error::Refused;
pub use joining::{
    Differs, Expected, Finished, Joining, NotFinished, NotJoined, NotTheShare, Opened,
};
pub use receipt::{NotAReceipt, Receipt};

const APPROVAL_LABEL: &str = "mcbn/v1/threshold-generate";
const CONFIRMATION_LABEL: &str = "mcbn/v1/threshold-confirm";

/// What the server will do once all have approved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announced {
    pub id: RequestId,
    pub terms: Terms,
    /// What the group's key will be for.
    pub purpose: Purpose,
}

impl Announced {
    fn request<'a>(&'a self, payload: &'a [u8]) -> Request<'a> {
        Request {
            id: self.id,
            terms: &self.terms,
            payload,
        }
    }

    fn approval_payload(&self, key: &EncryptionKey) -> Vec<u8> {
        Framed::labelled(APPROVAL_LABEL)
            .field(self.purpose.as_str().as_bytes())
            .field(&key.to_bytes())
            .into_bytes()
    }

    fn sealing(&self, group: &ProvenGroup, owner: Index) -> Context {
        Context {
            request: self.id,
            commitments: group.digest(),
            owner,
        }
    }
}

fn confirmation_payload(group: &ProvenGroup) -> Vec<u8> {
    Framed::labelled(CONFIRMATION_LABEL)
        .field(&group.group().key().to_bytes())
        .field(&group.digest())
        .into_bytes()
}

/// The server's side, of one key.
#[derive(Debug)]
pub struct Generation {
    announced: Announced,
    deadline: Moment,
    state: State,
}

#[derive(Debug)]
enum State {
    Approving(BTreeMap<Index, Approved>),
    Dealt(Box<Dealt>),
    Abandoned(Vec<Index>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Approved {
    key: EncryptionKey,
    approval: Approval,
}

/// A key was made; what is left of it is public or sealed.
#[derive(Debug)]
struct Dealt {
    group: ProvenGroup,
    approved: BTreeMap<Index, Approved>,
    sealed: Vec<SealedShare>,
    fetched: BTreeSet<Index>,
    confirmed: BTreeMap<Index, Approval>,
    /// Once all have confirmed.
    receipt: Option<Receipt>,
}

/// Where a generation stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Some have not approved yet.
    Approving { missing: Vec<Index> },
    /// The shares can be fetched, and some have not confirmed theirs yet.
    Confirming { missing: Vec<Index> },
    /// The receipt can be fetched.
    Done,
    /// Nothing came of it: these did not approve, or did not confirm, in time.
    Abandoned { missing: Vec<Index> },
}

/// What a participant gets: its share, which nobody else can open, and what to check it against.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    pub group: &'a ProvenGroup,
    pub sealed: &'a SealedShare,
}

impl Generation {
    /// `random` fills a slice with fresh random bytes.
    pub fn new<E>(
        terms: Terms,
        purpose: Purpose,
        deadline: Moment,
        random: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let id = RequestId::fresh(random)?;
        Ok(Self {
            announced: Announced { id, terms, purpose },
            deadline,
            state: State::Approving(BTreeMap::new()),
        })
    }

    pub fn announced(&self) -> &Announced {
        &self.announced
    }

    pub fn standing(&mut self, now: Moment) -> Standing {
        self.settle(now);
        match &self.state {
            State::Approving(approved) => Standing::Approving {
                missing: self.missing(approved),
            },
            State::Dealt(dealt) if dealt.receipt.is_some() => Standing::Done,
            State::Dealt(dealt) => Standing::Confirming {
                missing: self.missing(&dealt.confirmed),
            },
            State::Abandoned(missing) => Standing::Abandoned {
                missing: missing.clone(),
            },
        }
    }

    /// A participant agrees. With the last one the key is made, and its shares are sealed.
    ///
    /// Where random bytes fail then, the last approval counts as not given, and may be given again.
    pub fn approve<E>(
        &mut self,
        now: Moment,
        index: Index,
        key: EncryptionKey,
        approval: Approval,
        random: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<(), NotTaken<Refused, E>> {
        self.settle(now);
        let new = Approved { key, approval };
        let approved = match &mut self.state {
            State::Approving(approved) => approved,
            State::Dealt(dealt) => {
                return match dealt.approved.get(&index) {
                    Some(given) if *given == new => Ok(()),
                    Some(_) => Err(Refused::Changed(index).into()),
                    None => Err(Refused::NotApproved(NotApproved::Stranger(index)).into()),
                };
            }
            State::Abandoned(_) => return Err(Refused::Abandoned.into()),
        };
        match approved.get(&index) {
            Some(given) if *given == new => return Ok(()),
            Some(_) => return Err(Refused::Changed(index).into()),
            None => {}
        }
        let payload = self.announced.approval_payload(&key);
        let verified = self.announced.request(&payload).verify(index, &approval);
        let verified = verified.map_err(Refused::NotApproved)?;
        let other = approved.iter().find(|(_, other)| other.key == key);
        if let Some((other, _)) = other {
            return Err(Refused::SameEncryptionKey(index, *other).into());
        }
        let mut all = approved.clone();
        all.insert(verified.index(), new);
        match all.len() == usize::from(self.announced.terms.participants().count()) {
            false => *approved = all,
            true => {
                let dealt = deal(&self.announced, all, random).map_err(NotTaken::Random)?;
                self.state = State::Dealt(Box::new(dealt));
            }
        }
        Ok(())
    }

    /// It can be fetched again, until the deadline or the program ends.
    pub fn sealed_share(&mut self, now: Moment, index: Index) -> Result<Given<'_>, Refused> {
        self.settle(now);
        let dealt = match &mut self.state {
            State::Approving(_) => return Err(Refused::TooEarly),
            State::Dealt(dealt) => dealt,
            State::Abandoned(_) => return Err(Refused::Abandoned),
        };
        let sealed = dealt.sealed.get(usize::from(index.get()) - 1);
        let sealed = sealed.ok_or(Refused::NotApproved(NotApproved::Stranger(index)))?;
        dealt.fetched.insert(index);
        Ok(Given {
            group: &dealt.group,
            sealed,
        })
    }

    /// A participant has its share, and it is what the commitments promise. With the last one the receipt is made.
    pub fn confirm(
        &mut self,
        now: Moment,
        index: Index,
        confirmation: Approval,
    ) -> Result<(), Refused> {
        self.settle(now);
        let dealt = match &mut self.state {
            State::Approving(_) => return Err(Refused::TooEarly),
            State::Dealt(dealt) => dealt,
            State::Abandoned(_) => return Err(Refused::Abandoned),
        };
        match dealt.confirmed.get(&index) {
            Some(given) if *given == confirmation => return Ok(()),
            Some(_) => return Err(Refused::Changed(index)),
            None => {}
        }
        let payload = confirmation_payload(&dealt.group);
        let verified = self
            .announced
            .request(&payload)
            .verify(index, &confirmation);
        let verified = verified.map_err(Refused::NotApproved)?;
        if !dealt.fetched.contains(&index) {
            return Err(Refused::NotFetched(index));
        }
        dealt.confirmed.insert(verified.index(), confirmation);
        if dealt.confirmed.len() == dealt.sealed.len() {
            let confirmations = dealt.confirmed.values().copied().collect();
            let (announced, group) = (self.announced.clone(), dealt.group.clone());
            dealt.receipt = Some(Receipt::of(announced, group, confirmations));
        }
        Ok(())
    }

    pub fn receipt(&mut self, now: Moment) -> Result<&Receipt, Refused> {
        self.settle(now);
        match &self.state {
            State::Approving(_) => Err(Refused::TooEarly),
            State::Dealt(dealt) => dealt.receipt.as_ref().ok_or(Refused::TooEarly),
            State::Abandoned(_) => Err(Refused::Abandoned),
        }
    }

    /// Time has passed: what is not done by the deadline is nothing.
    fn settle(&mut self, now: Moment) {
        if now < self.deadline {
            return;
        }
        let missing = match &self.state {
            State::Approving(approved) => self.missing(approved),
            State::Dealt(dealt) if dealt.receipt.is_none() => self.missing(&dealt.confirmed),
            State::Dealt(_) | State::Abandoned(_) => return,
        };
        self.state = State::Abandoned(missing);
    }

    fn missing<T>(&self, there: &BTreeMap<Index, T>) -> Vec<Index> {
        Index::all(self.announced.terms.participants().count())
            .filter(|index| !there.contains_key(index))
            .collect()
    }
}

/// Makes the key. Its shares are wiped when this returns, whatever it returns.
fn deal<E>(
    announced: &Announced,
    approved: BTreeMap<Index, Approved>,
    mut random: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<Dealt, E> {
    let terms = &announced.terms;
    let count = terms.participants().count();
    let dealt = mcbn_threshold::generate(terms.threshold(), count, &mut random);
    let dealt = dealt.map_err(|not_dealt| match not_dealt {
        NotDealt::Random(error) => error,
        NotDealt::FewerThanThreshold => unreachable!("the terms fit each other"),
    })?;
    let group = ProvenGroup::new(dealt.group, dealt.proof).expect("proven with the key itself");
    let sealed = dealt
        .shares
        .iter()
        .zip(approved.values())
        .map(|(share, to)| {
            let context = announced.sealing(&group, share.index());
            SealedShare::seal(&context, &to.key, &share.secret(), &mut random)
        });
    let sealed = sealed.collect::<Result<_, E>>()?;
    Ok(Dealt {
        group,
        approved,
        sealed,
        fetched: BTreeSet::new(),
        confirmed: BTreeMap::new(),
        receipt: None,
    })
}

#[cfg(test)]
mod tests;
