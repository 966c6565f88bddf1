//! The participant's side.

use std::error::Error;
use std::fmt;

use mcbn_secret::{OpeningKey, SigningShare};
use mcbn_threshold::{Index, KeyShare};

use super::{Announced, Receipt, confirmation_payload};
use crate::approval::{Approval, SigningKey};
use crate::group::ProvenGroup;
use crate::sealed::{EncryptionKey, SealedShare, opening_key};
use crate::terms::{Purpose, Terms};

/// What this participant agreed on with the others, before it heard of any server.
#[derive(Clone, Debug)]
pub struct Expected {
    pub terms: Terms,
    pub purpose: Purpose,
    /// Its own place.
    pub index: Index,
}

impl Expected {
    /// Whether it is what was agreed, and this key that of this participant there.
    pub fn compare(&self, announced: &Announced, own: &SigningKey) -> Result<(), Differs> {
        let (expected, terms) = (&self.terms, &announced.terms);
        let all = [
            (expected.manifest() == terms.manifest(), Differs::Manifest),
            (expected.image() == terms.image(), Differs::Image),
            (
                expected.threshold() == terms.threshold(),
                Differs::Threshold,
            ),
            (
                expected.participants() == terms.participants(),
                Differs::Participants,
            ),
            (self.purpose == announced.purpose, Differs::Purpose),
            (
                terms.participants().key(self.index) == Some(&own.public()),
                Differs::Place,
            ),
        ];
        match all.into_iter().find(|(same, _)| !same) {
            None => Ok(()),
            Some((_, differs)) => Err(differs),
        }
    }
}

/// A participant that agrees to what was announced, and waits for its share.
#[derive(Debug)]
pub struct Joining {
    announced: Announced,
    index: Index,
    key: OpeningKey,
}

impl Joining {
    /// `random` fills a slice with fresh random bytes.
    pub fn new<E>(
        expected: &Expected,
        announced: Announced,
        own: &SigningKey,
        random: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, NotJoined<E>> {
        expected
            .compare(&announced, own)
            .map_err(NotJoined::Differs)?;
        let key = opening_key(random).map_err(NotJoined::Random)?;
        Ok(Self {
            announced,
            index: expected.index,
            key,
        })
    }

    /// With the opening key that was kept, in a program that ended in between.
    pub fn again(
        expected: &Expected,
        announced: Announced,
        own: &SigningKey,
        key: OpeningKey,
    ) -> Result<Self, Differs> {
        expected.compare(&announced, own)?;
        Ok(Self {
            announced,
            index: expected.index,
            key,
        })
    }

    pub fn announced(&self) -> &Announced {
        &self.announced
    }

    pub fn index(&self) -> Index {
        self.index
    }

    /// To keep until there is a share, and wipe then.
    pub fn opening_key(&self) -> &OpeningKey {
        &self.key
    }

    pub fn encryption_key(&self) -> EncryptionKey {
        EncryptionKey::of(&self.key)
    }

    pub fn approve(&self, own: &SigningKey) -> Approval {
        let payload = self.announced.approval_payload(&self.encryption_key());
        self.announced.request(&payload).approve(own)
    }

    /// Opens the share, and checks it against what was published with it.
    pub fn open(&self, group: ProvenGroup, sealed: &SealedShare) -> Result<Opened, NotTheShare> {
        let terms = &self.announced.terms;
        if group.group().threshold() != terms.threshold()
            || group.group().count() != terms.participants().count()
        {
            return Err(NotTheShare::OtherGroup);
        }
        let context = self.announced.sealing(&group, self.index);
        let secret = sealed
            .open(&context, &self.key)
            .map_err(|_| NotTheShare::NotOpened)?;
        let share = KeyShare::new(self.index, &secret).map_err(|_| NotTheShare::NotPromised)?;
        let checked = group.group().check(&share);
        checked.map_err(|_| NotTheShare::NotPromised)?;
        Ok(Opened {
            announced: self.announced.clone(),
            group,
            share,
        })
    }
}

/// A participant that has its share, and may not use it yet.
#[derive(Debug)]
pub struct Opened {
    announced: Announced,
    group: ProvenGroup,
    share: KeyShare,
}

impl Opened {
    pub fn group(&self) -> &ProvenGroup {
        &self.group
    }

    /// To keep it before it is confirmed. It does not count yet.
    pub fn unconfirmed_share(&self) -> SigningShare {
        self.share.secret()
    }

    /// From now on the share is kept until there is a receipt, or it is known that there will be none.
    pub fn confirm(&self, own: &SigningKey) -> Approval {
        let payload = confirmation_payload(&self.group);
        self.announced.request(&payload).approve(own)
    }

    /// The receipt is verified already; here it is held against what this participant has itself.
    pub fn finish(&self, receipt: &Receipt) -> Result<Finished<'_>, NotFinished> {
        if *receipt.announced() != self.announced {
            return Err(NotFinished::OtherRequest);
        }
        if *receipt.group() != self.group {
            return Err(NotFinished::OtherGroup);
        }
        Ok(Finished {
            group: &self.group,
            share: &self.share,
        })
    }
}

/// A share that counts.
#[derive(Clone, Copy, Debug)]
pub struct Finished<'a> {
    group: &'a ProvenGroup,
    share: &'a KeyShare,
}

impl<'a> Finished<'a> {
    pub fn group(&self) -> &'a ProvenGroup {
        self.group
    }

    pub fn share(&self) -> &'a KeyShare {
        self.share
    }
}

/// What was announced is not what this participant expects: the server, its operator or the participant's own settings
/// are at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Differs {
    Manifest,
    Image,
    Threshold,
    Participants,
    Purpose,
    /// At this participant's place is not its own key.
    Place,
}

impl fmt::Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Manifest => "the server has another manifest",
            Self::Image => "the server announced another image digest",
            Self::Threshold => "the server announced another threshold",
            Self::Participants => "the server announced other participants, or in another order",
            Self::Purpose => "the server announced another purpose",
            Self::Place => "at this participant's place is not its own key",
        })
    }
}

impl Error for Differs {}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotJoined<E> {
    Differs(Differs),
    /// The source of random bytes failed.
    Random(E),
}

impl<E> fmt::Display for NotJoined<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs(differs) => differs.fmt(f),
            Self::Random(_) => f.write_str("cannot get random bytes"),
        }
    }
}

impl<E: Error + 'static> Error for NotJoined<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Differs(_) => None,
            Self::Random(error) => Some(error),
        }
    }
}

/// The server is at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotTheShare {
    /// The group has another threshold or another number of participants than was announced.
    OtherGroup,
    /// It is not sealed to this participant, for this request and group.
    NotOpened,
    /// It is not what the commitments promise.
    NotPromised,
}

impl fmt::Display for NotTheShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherGroup => "the group is not the one that was announced",
            Self::NotOpened => "the sealed share does not open",
            Self::NotPromised => "the share is not the one that the commitments promise",
        })
    }
}

impl Error for NotTheShare {}

/// The receipt is of something else: the share does not count with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotFinished {
    OtherRequest,
    OtherGroup,
}

impl fmt::Display for NotFinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherRequest => "the receipt is of another request",
            Self::OtherGroup => "the receipt is of another group than this participant's share",
        })
    }
}

impl Error for NotFinished {}

#[cfg(test)]
mod tests;
