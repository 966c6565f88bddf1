//! The shares at hand, until there are enough of them for a key, or to sign with.

use crate::combine::{self, Combined, ManifestDigest};
use crate::contribution::Contribution;
use crate::participant::Participant;
use crate::plan::{Refused, Rule, Unanimous};
use crate::quality;
use crate::shamir::{self, Inconsistent};
use crate::text::NotAShare;
use mcbn_secret::{ConsentSignature, ShamirShare, Share};
use mcbn_threshold::{KeyShare, Threshold};
use std::fmt;

/// What each participant has contributed so far. Each share is looked at when it is added: alone, and beside the others.
///
/// The derivations that depend on an order take the shares in the order in which they were added.
pub struct Contributions {
    rule: Rule,
    needed: usize,
    shares: Vec<(Participant, Contribution)>,
}

impl Contributions {
    pub(crate) fn new(rule: Rule, participants: usize) -> Contributions {
        let needed = match &rule {
            Rule::Unanimous(_) => participants,
            Rule::Shamir(threshold) => threshold.get(),
            Rule::Signed(signers) => signers.holders().group().threshold().get(),
            Rule::Revealed(holders) => holders.group().threshold().get(),
        };
        Contributions {
            rule,
            needed,
            shares: Vec::with_capacity(participants),
        }
    }

    /// A participant's share, in place of the one that was added before.
    ///
    /// # Errors
    ///
    /// [`Refused`]: it is of another kind, was never random, is that of another participant, or does not verify. Then there
    /// is none of this participant.
    pub fn add(&mut self, whose: &Participant, share: Contribution) -> Result<(), Refused> {
        self.remove(whose);
        match (&self.rule, &share) {
            (Rule::Unanimous(_), Contribution::Share(_))
            | (Rule::Shamir(_), Contribution::Shamir(_)) => share.refuse_degenerate(whose)?,
            (Rule::Signed(signers), Contribution::Consent(signature)) => {
                signers.verify(whose, signature)?;
            }
            (Rule::Revealed(holders), Contribution::Revealed(share)) => {
                holders.share(whose, share)?;
            }
            _ => return Err(Refused::NotAShare(whose.clone(), NotAShare::Length)),
        }
        for (earlier, other) in &self.shares {
            let pair = || [earlier, whose].map(Clone::clone);
            // Also of Shamir shares, without the x-coordinate: two participants with equal values would mean that
            // their polynomial is, or nearly is, the secret itself.
            let values = share.values().zip(other.values());
            if values.is_some_and(|(own, others)| quality::equal(own, others)) {
                return Err(Refused::Equal(pair()));
            }
            if share.x().is_some() && share.x() == other.x() {
                return Err(Refused::OnePoint(pair()));
            }
        }
        self.shares.push((whose.clone(), share));
        Ok(())
    }

    /// Wipes a participant's share, if there is one.
    pub fn remove(&mut self, whose: &Participant) {
        self.shares.retain(|(participant, _)| participant != whose);
    }

    pub fn has(&self, whose: &Participant) -> bool {
        self.shares
            .iter()
            .any(|(participant, _)| participant == whose)
    }

    /// How many participants' shares give a key, or are enough to sign with.
    pub fn needed(&self) -> usize {
        self.needed
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.shares.len()
    }

    /// Combines them.
    ///
    /// # Errors
    ///
    /// [`Refused`], where shares contradict each other, or recover a secret that was never random.
    ///
    /// # Panics
    ///
    /// While there are fewer than [needed](Contributions::needed), and where they are
    /// [revealed](crate::Plan::revealed), which makes no key.
    pub fn combine(&self, manifest: Option<&ManifestDigest>) -> Result<Combined, Refused> {
        assert!(self.count() >= self.needed, "too few shares are combined");
        match &self.rule {
            Rule::Unanimous(rule) => Ok(unanimous(*rule, &self.plain(), manifest)),
            Rule::Shamir(threshold) => t_of_n(*threshold, &self.points(), manifest),
            Rule::Signed(signers) => {
                let signature = signers.combine(self.signatures());
                Ok(combine::bls_prf_v1(&signature, signers.manifest()))
            }
            Rule::Revealed(_) => panic!("shares that are revealed make no key"),
        }
    }

    /// The shares of the group's key, each verified: whoever has them can sign as the group does.
    ///
    /// # Panics
    ///
    /// While there are fewer than [needed](Contributions::needed), and where they are not
    /// [revealed](crate::Plan::revealed).
    pub fn into_key_shares(self) -> Vec<KeyShare> {
        assert!(self.count() >= self.needed, "too few shares are given out");
        let Rule::Revealed(holders) = &self.rule else {
            panic!("shares that make a key are not given out");
        };
        let shares = self.shares.iter().filter_map(|(name, share)| match share {
            Contribution::Revealed(share) => Some(holders.share(name, share)),
            _ => None,
        });
        let verified = shares.collect::<Result<_, _>>();
        verified.expect("each was verified when it was added")
    }

    fn plain(&self) -> Vec<(&Participant, &Share)> {
        let shares = self.shares.iter().map(|(name, share)| match share {
            Contribution::Share(share) => Some((name, share)),
            _ => None,
        });
        shares.flatten().collect()
    }

    fn points(&self) -> Vec<&ShamirShare> {
        let points = self.shares.iter().map(|(_, share)| match share {
            Contribution::Shamir(share) => Some(share),
            _ => None,
        });
        points.flatten().collect()
    }

    fn signatures(&self) -> impl Iterator<Item = (&Participant, &ConsentSignature)> {
        self.shares.iter().filter_map(|(name, share)| match share {
            Contribution::Consent(signature) => Some((name, signature)),
            _ => None,
        })
    }
}

impl fmt::Debug for Contributions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.shares.iter().map(|(participant, _)| participant);
        f.debug_set().entries(names).finish()
    }
}

fn unanimous(
    rule: Unanimous,
    shares: &[(&Participant, &Share)],
    manifest: Option<&ManifestDigest>,
) -> Combined {
    let in_order: Vec<&Share> = shares.iter().map(|(_, share)| *share).collect();
    match rule {
        Unanimous::HkdfV1 => combine::hkdf_v1(shares, manifest),
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
    points: &[&ShamirShare],
    manifest: Option<&ManifestDigest>,
) -> Result<Combined, Refused> {
    let secret =
        shamir::recover(points, threshold).map_err(|Inconsistent| Refused::Inconsistent)?;
    // To check it.
    match quality::looks_random(secret.expose_secret()) {
        true => Ok(combine::shamir_v1(&secret, manifest)),
        false => Err(Refused::SecretNotRandom),
    }
}

#[cfg(test)]
mod tests;
