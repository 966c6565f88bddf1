//! What the configuration says about the shares, and what carrying it out gives.

use crate::contribution::{Contribution, Kind};
use crate::contributions::Contributions;
use crate::derivation::Derivation;
use crate::holders::Holders;
use crate::participant::Participant;
use crate::signers::Signers;
use crate::source::{self, Claimed, Source};
use crate::text::NotAShare;
use mcbn_place::{Inheritance, NotClaimed, Unreadable};
use mcbn_threshold::Threshold;
use std::error::Error;
use std::fmt::{self, Display};
use std::sync::Arc;

/// A derivation, the sources of shares in the order in which they were given, and whose shares come from elsewhere.
#[derive(Clone, Debug)]
pub struct Plan {
    rule: Rule,
    sources: Vec<Source>,
    others: Vec<Participant>,
}

#[derive(Clone, Debug)]
pub(crate) enum Rule {
    /// Every participant's share is needed.
    Unanimous(Unanimous),
    Shamir(Threshold),
    Signed(Arc<Signers>),
    /// They make no key.
    Revealed(Arc<Holders>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Unanimous {
    HkdfV1,
    Sha256ConcatHex,
    HmacChainHex,
    XorSha256,
}

impl Rule {
    fn kind(&self) -> Kind {
        match self {
            Rule::Unanimous(_) => Kind::Share,
            Rule::Shamir(_) => Kind::Shamir,
            Rule::Signed(signers) => Kind::Consent(Arc::clone(signers)),
            Rule::Revealed(holders) => Kind::Reveal(Arc::clone(holders)),
        }
    }
}

/// x-coordinates end there, and no network is larger.
const MOST: usize = 255;

impl Plan {
    /// All shares are read here.
    ///
    /// # Errors
    ///
    /// The configuration's mistakes, as far as they show before anything is read.
    pub fn new(
        derivation: Derivation,
        threshold: Option<Threshold>,
        sources: Vec<Source>,
    ) -> Result<Plan, NoPlan> {
        Plan::with_others(derivation, threshold, sources, Vec::new())
    }

    /// The shares of `others` come to this program in another way.
    ///
    /// # Errors
    ///
    /// As for [`Plan::new`].
    pub fn with_others(
        derivation: Derivation,
        threshold: Option<Threshold>,
        sources: Vec<Source>,
        others: Vec<Participant>,
    ) -> Result<Plan, NoPlan> {
        let rule = match (derivation, threshold) {
            (Derivation::HkdfV1, None) => Rule::Unanimous(Unanimous::HkdfV1),
            (Derivation::Sha256ConcatHex, None) => Rule::Unanimous(Unanimous::Sha256ConcatHex),
            (Derivation::HmacChainHex, None) => Rule::Unanimous(Unanimous::HmacChainHex),
            (Derivation::XorSha256, None) => Rule::Unanimous(Unanimous::XorSha256),
            (Derivation::ShamirV1, Some(threshold)) => Rule::Shamir(threshold),
            (Derivation::ShamirV1, None) => return Err(NoPlan::NoThreshold),
            (Derivation::BlsPrfV1, _) => return Err(NoPlan::NoGroup),
            (Derivation::BlsRevealV1, _) => return Err(NoPlan::NoKey),
            (other, Some(_)) => return Err(NoPlan::ThresholdForAll(other)),
        };
        Plan::of(rule, sources, others)
    }

    /// `bls-prf-v1`: those of the group sign, here or elsewhere.
    ///
    /// # Errors
    ///
    /// As for [`Plan::new`].
    pub fn signed(
        signers: Arc<Signers>,
        sources: Vec<Source>,
        others: Vec<Participant>,
    ) -> Result<Plan, NoPlan> {
        Plan::of(Rule::Signed(signers), sources, others)
    }

    /// `bls-reveal-v1`: those of the group give their shares of its key. There is no key to make of them.
    ///
    /// # Errors
    ///
    /// As for [`Plan::new`].
    pub fn revealed(
        holders: Arc<Holders>,
        sources: Vec<Source>,
        others: Vec<Participant>,
    ) -> Result<Plan, NoPlan> {
        Plan::of(Rule::Revealed(holders), sources, others)
    }

    fn of(rule: Rule, sources: Vec<Source>, others: Vec<Participant>) -> Result<Plan, NoPlan> {
        let fewest = match &rule {
            // The chain's first share alone would be the key.
            Rule::Unanimous(Unanimous::HmacChainHex) => 2,
            Rule::Unanimous(_) => 1,
            Rule::Shamir(threshold) => threshold.get(),
            Rule::Signed(signers) => signers.holders().group().threshold().get(),
            Rule::Revealed(holders) => holders.group().threshold().get(),
        };
        let all = sources.len() + others.len();
        if all < fewest {
            return Err(NoPlan::TooFew { fewest });
        }
        if all > MOST {
            return Err(NoPlan::TooMany);
        }
        refuse_repeated(&sources, &others)?;
        Ok(Plan {
            rule,
            sources,
            others,
        })
    }

    pub fn participants(&self) -> impl Iterator<Item = &Participant> {
        let here = self.sources.iter().map(|source| &source.participant);
        here.chain(&self.others)
    }

    /// Takes the inherited descriptors that the plan names. Reads nothing.
    ///
    /// This comes before the program starts a thread or opens anything itself: later, a number that was not inherited
    /// could be something of its own.
    ///
    /// # Errors
    ///
    /// Every descriptor that was not inherited.
    pub fn claim(self, inheritance: &mut Inheritance) -> Result<ClaimedPlan, Vec<NotClaimed>> {
        Ok(ClaimedPlan {
            sources: source::claim(self.sources, inheritance)?,
            rule: self.rule,
            others: self.others,
        })
    }
}

fn refuse_repeated(sources: &[Source], others: &[Participant]) -> Result<(), NoPlan> {
    for (i, source) in sources.iter().enumerate() {
        for earlier in &sources[..i] {
            if source.participant == earlier.participant {
                return Err(NoPlan::NamedTwice(source.participant.clone()));
            }
            if source.place == earlier.place {
                let pair = [&earlier.participant, &source.participant];
                return Err(NoPlan::OnePlaceForTwo(pair.map(Clone::clone)));
            }
        }
    }
    for (i, other) in others.iter().enumerate() {
        let here = sources.iter().map(|source| &source.participant);
        if here.chain(&others[..i]).any(|earlier| earlier == other) {
            return Err(NoPlan::NamedTwice(other.clone()));
        }
    }
    Ok(())
}

/// A plan that holds the descriptors that it will read.
#[derive(Clone, Debug)]
pub struct ClaimedPlan {
    rule: Rule,
    sources: Vec<Claimed>,
    others: Vec<Participant>,
}

impl ClaimedPlan {
    /// Whose share is read from standard input, which then has nothing else to give.
    pub fn of_standard_input(&self) -> Option<&Participant> {
        let mut sources = self.sources.iter();
        let of_it = sources.find(|source| source.is_standard_input())?;
        Some(&of_it.participant)
    }

    /// Whose shares come from elsewhere.
    pub fn others(&self) -> &[Participant] {
        &self.others
    }

    /// Reads every share that is read here, and checks it. Blocks while a pipe's writer is at work.
    ///
    /// # Errors
    ///
    /// [`NoKey`] says which participant's share could not be read or was refused.
    pub fn read(&self) -> Result<Contributions, NoKey> {
        let all = self.sources.len() + self.others.len();
        let mut contributions = Contributions::new(self.rule.clone(), all);
        let kind = self.rule.kind();
        for source in &self.sources {
            let share = Contribution::read(source, &kind)?;
            contributions.add(&source.participant, share)?;
        }
        Ok(contributions)
    }
}

/// The configuration is at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPlan {
    TooFew {
        fewest: usize,
    },
    TooMany,
    NamedTwice(Participant),
    OnePlaceForTwo([Participant; 2]),
    NoThreshold,
    ThresholdForAll(Derivation),
    NoGroup,
    /// The derivation is for shares that are signed with, and not for a key.
    NoKey,
}

impl Display for NoPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoPlan::TooFew { fewest } => {
                write!(
                    f,
                    "fewer participants than the {fewest} that the derivation needs"
                )
            }
            NoPlan::TooMany => write!(f, "more than {MOST} participants"),
            NoPlan::NamedTwice(participant) => {
                write!(f, "participant {participant} is named more than once")
            }
            NoPlan::OnePlaceForTwo([a, b]) => {
                write!(f, "the shares of {a} and {b} would be read from one place")
            }
            NoPlan::NoThreshold => {
                write!(f, "{} needs a threshold", Derivation::ShamirV1)
            }
            NoPlan::NoGroup => write!(
                f,
                "{} needs a manifest, which has the group's commitments",
                Derivation::BlsPrfV1
            ),
            NoPlan::NoKey => write!(
                f,
                "{} makes no key: it gives shares to a program that signs with them",
                Derivation::BlsRevealV1
            ),
            NoPlan::ThresholdForAll(derivation) => {
                write!(
                    f,
                    "{derivation} needs the share of every participant and takes no threshold"
                )
            }
        }
    }
}

impl Error for NoPlan {}

/// There is no key: a share is missing or refused.
#[derive(Debug)]
pub enum NoKey {
    Unreadable(Unreadable),
    Refused(Refused),
}

impl NoKey {
    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            NoKey::Unreadable(error) => error.hint(),
            NoKey::Refused(refused) => refused.hint(),
        }
    }
}

impl From<Unreadable> for NoKey {
    fn from(error: Unreadable) -> NoKey {
        NoKey::Unreadable(error)
    }
}

impl From<Refused> for NoKey {
    fn from(refused: Refused) -> NoKey {
        NoKey::Refused(refused)
    }
}

impl Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoKey::Unreadable(error) => error.fmt(f),
            NoKey::Refused(refused) => refused.fmt(f),
        }
    }
}

impl Error for NoKey {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NoKey::Unreadable(error) => error.source(),
            NoKey::Refused(_) => None,
        }
    }
}

/// A participant is at fault, and is named; the share is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    NotAShare(Participant, NotAShare),
    NotRandom(Participant),
    Equal([Participant; 2]),
    /// A Shamir share's x-coordinate is 0, where the secret itself stands.
    PointZero(Participant),
    /// Two Shamir shares have the same x-coordinate.
    OnePoint([Participant; 2]),
    /// More Shamir shares than needed, and they contradict each other; whose is wrong cannot be told.
    Inconsistent,
    SecretNotRandom,
    /// A share of the group's key is not the one that the commitments promise to this participant.
    NotTheirs(Participant),
    /// A signature of consent does not verify.
    NotGenuine(Participant),
}

impl Refused {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Refused::NotAShare(..) => Some(
                "a share is 32 bytes as 64 hex digits or 43 base64url characters; for shamir-v1 33 bytes, as 66 or 44",
            ),
            Refused::NotRandom(_) => Some("a share is drawn at random, as by openssl rand -hex 32"),
            Refused::Equal(_) => {
                Some("each participant draws a share of their own and shows it to nobody")
            }
            Refused::Inconsistent => Some(
                "all shares must come from one splitting, and the threshold must be that of the splitting",
            ),
            Refused::NotTheirs(_) => Some(
                "the commitments of the manifest come from the making of the shares, and its participants stand in that order",
            ),
            Refused::PointZero(_)
            | Refused::OnePoint(_)
            | Refused::SecretNotRandom
            | Refused::NotGenuine(_) => None,
        }
    }
}

impl Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::NotAShare(participant, why) => {
                write!(f, "the share of {participant} is refused: {why}")
            }
            Refused::NotRandom(participant) => write!(
                f,
                "the share of {participant} is refused: it does not look random"
            ),
            Refused::Equal([a, b]) => {
                write!(f, "the shares of {a} and {b} are refused: they are equal")
            }
            Refused::PointZero(participant) => write!(
                f,
                "the share of {participant} is refused: its x-coordinate is 0"
            ),
            Refused::OnePoint([a, b]) => write!(
                f,
                "the shares of {a} and {b} are refused: they have the same x-coordinate"
            ),
            Refused::Inconsistent => {
                f.write_str("the shares are refused: they do not come from one secret")
            }
            Refused::SecretNotRandom => {
                f.write_str("the shares are refused: their secret does not look random")
            }
            Refused::NotTheirs(participant) => write!(
                f,
                "the share of {participant} is refused: the manifest's commitments promise another"
            ),
            Refused::NotGenuine(participant) => write!(
                f,
                "the consent of {participant} is refused: its signature does not verify"
            ),
        }
    }
}

impl Error for Refused {}

#[cfg(test)]
mod tests;
