//! What the configuration says about the shares, and what carrying it out gives.

use crate::combine::{self, Combined, ManifestDigest};
use crate::derivation::Derivation;
use crate::participant::Participant;
use crate::quality;
use crate::shamir::{self, Inconsistent, Threshold};
use crate::source::{self, Claimed, NotClaimed, Source, Unreadable};
use crate::text::{self, NotAShare};
use mcbn_secret::{ShamirShare, Share};
use std::error::Error;
use std::fmt::{self, Display};

/// A derivation and the sources that it needs, in the order in which they were given.
#[derive(Clone, Debug)]
pub struct Plan {
    rule: Rule,
    sources: Vec<Source>,
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    /// Every participant's share is needed.
    Unanimous(Unanimous),
    Shamir(Threshold),
}

#[derive(Clone, Copy, Debug)]
enum Unanimous {
    HkdfV1,
    Sha256ConcatHex,
    HmacChainHex,
    XorSha256,
}

/// x-coordinates end there, and no network is larger.
const MOST: usize = 255;

impl Plan {
    /// # Errors
    ///
    /// The configuration's mistakes, as far as they show before anything is read.
    pub fn new(
        derivation: Derivation,
        threshold: Option<Threshold>,
        sources: Vec<Source>,
    ) -> Result<Plan, NoPlan> {
        let rule = match (derivation, threshold) {
            (Derivation::HkdfV1, None) => Rule::Unanimous(Unanimous::HkdfV1),
            (Derivation::Sha256ConcatHex, None) => Rule::Unanimous(Unanimous::Sha256ConcatHex),
            (Derivation::HmacChainHex, None) => Rule::Unanimous(Unanimous::HmacChainHex),
            (Derivation::XorSha256, None) => Rule::Unanimous(Unanimous::XorSha256),
            (Derivation::ShamirV1, Some(threshold)) => Rule::Shamir(threshold),
            (Derivation::ShamirV1, None) => return Err(NoPlan::NoThreshold),
            (other, Some(_)) => return Err(NoPlan::ThresholdForAll(other)),
        };
        let fewest = match rule {
            // The chain's first share alone would be the key.
            Rule::Unanimous(Unanimous::HmacChainHex) => 2,
            Rule::Unanimous(_) => 1,
            Rule::Shamir(threshold) => threshold.get(),
        };
        if sources.len() < fewest {
            return Err(NoPlan::TooFew { fewest });
        }
        if sources.len() > MOST {
            return Err(NoPlan::TooMany);
        }
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
        Ok(Plan { rule, sources })
    }

    pub fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.sources.iter().map(|source| &source.participant)
    }

    /// Takes the inherited descriptors that the plan names. Reads nothing.
    ///
    /// This comes before the program starts a thread or opens anything itself: later, a number that was not inherited
    /// could be something of its own.
    ///
    /// # Errors
    ///
    /// Every descriptor that was not inherited.
    pub fn claim(self) -> Result<ClaimedPlan, Vec<NotClaimed>> {
        let sources = source::claim(self.sources)?;
        let rule = self.rule;
        Ok(ClaimedPlan { rule, sources })
    }
}

/// A plan that holds the descriptors that it will read.
#[derive(Clone, Debug)]
pub struct ClaimedPlan {
    rule: Rule,
    sources: Vec<Claimed>,
}

impl ClaimedPlan {
    /// Whose share is read from standard input, which then has nothing else to give.
    pub fn of_standard_input(&self) -> Option<&Participant> {
        let mut sources = self.sources.iter();
        let of_it = sources.find(|source| source.is_standard_input())?;
        Some(&of_it.participant)
    }

    /// Reads every share, checks it, and combines them. Blocks while a pipe's writer is at work.
    ///
    /// # Errors
    ///
    /// [`NoKey`] says which participant's share could not be read or was refused. No key is made from the others.
    pub fn read(&self, manifest: Option<&ManifestDigest>) -> Result<Combined, NoKey> {
        match self.rule {
            Rule::Unanimous(rule) => {
                let shares = self.each(text::share)?;
                // To check them.
                refuse_degenerate(&shares, |share| share.expose_secret())?;
                Ok(unanimous(rule, &shares, manifest))
            }
            Rule::Shamir(threshold) => {
                let shares = self.each(text::shamir_share)?;
                refuse_degenerate(&shares, |share| shamir::point(share).1)?;
                refuse_points(&shares)?;
                Ok(t_of_n(threshold, &shares, manifest)?)
            }
        }
    }

    fn each<S>(
        &self,
        parse: impl Fn(&[u8]) -> Result<S, NotAShare>,
    ) -> Result<Vec<(&Participant, S)>, NoKey> {
        let mut shares = Vec::with_capacity(self.sources.len());
        for source in &self.sources {
            let text = source.read()?;
            // To decode it.
            let share = parse(text.expose_secret())
                .map_err(|why| Refused::NotAShare(source.participant.clone(), why))?;
            shares.push((&source.participant, share));
        }
        Ok(shares)
    }
}

fn unanimous(
    rule: Unanimous,
    shares: &[(&Participant, Share)],
    manifest: Option<&ManifestDigest>,
) -> Combined {
    let in_order: Vec<&Share> = shares.iter().map(|(_, share)| share).collect();
    match rule {
        Unanimous::HkdfV1 => {
            let named: Vec<_> = shares.iter().map(|(name, share)| (*name, share)).collect();
            combine::hkdf_v1(&named, manifest)
        }
        Unanimous::Sha256ConcatHex => combine::sha256_concat_hex(&in_order),
        Unanimous::HmacChainHex => {
            let (first, rest) = in_order.split_first().expect("the plan has two or more");
            combine::hmac_chain_hex(first, rest)
        }
        Unanimous::XorSha256 => combine::xor_sha256(&in_order),
    }
}

fn t_of_n(
    threshold: Threshold,
    shares: &[(&Participant, ShamirShare)],
    manifest: Option<&ManifestDigest>,
) -> Result<Combined, Refused> {
    let points: Vec<&ShamirShare> = shares.iter().map(|(_, share)| share).collect();
    let secret =
        shamir::recover(&points, threshold).map_err(|Inconsistent| Refused::Inconsistent)?;
    // To check it.
    match quality::looks_random(secret.expose_secret()) {
        true => Ok(combine::shamir_v1(&secret, manifest)),
        false => Err(Refused::SecretNotRandom),
    }
}

/// Also of Shamir shares, by their values without the x-coordinate: two participants with equal values would mean that
/// their polynomial is, or nearly is, the secret itself.
fn refuse_degenerate<S>(
    shares: &[(&Participant, S)],
    bytes: impl Fn(&S) -> &[u8; 32],
) -> Result<(), Refused> {
    for (i, (participant, share)) in shares.iter().enumerate() {
        let share = bytes(share);
        if !quality::looks_random(share) {
            return Err(Refused::NotRandom((*participant).clone()));
        }
        for (earlier, other) in &shares[..i] {
            if quality::equal(share, bytes(other)) {
                return Err(Refused::Equal([earlier, participant].map(|&p| p.clone())));
            }
        }
    }
    Ok(())
}

fn refuse_points(shares: &[(&Participant, ShamirShare)]) -> Result<(), Refused> {
    for (i, (participant, share)) in shares.iter().enumerate() {
        let (x, _) = shamir::point(share);
        if x == 0 {
            return Err(Refused::PointZero((*participant).clone()));
        }
        for (earlier, other) in &shares[..i] {
            if shamir::point(other).0 == x {
                return Err(Refused::OnePoint(
                    [earlier, participant].map(|&p| p.clone()),
                ));
            }
        }
    }
    Ok(())
}

/// The configuration is at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPlan {
    TooFew { fewest: usize },
    TooMany,
    NamedTwice(Participant),
    OnePlaceForTwo([Participant; 2]),
    NoThreshold,
    ThresholdForAll(Derivation),
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
            Refused::PointZero(_) | Refused::OnePoint(_) | Refused::SecretNotRandom => None,
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
        }
    }
}

impl Error for Refused {}

#[cfg(test)]
mod tests;
