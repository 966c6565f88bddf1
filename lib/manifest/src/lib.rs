//! The consent manifest: the one file that all participants of a network agree on.
//!
//! It says who takes part and where their consent is asked for, how many of them must agree, which images may play which part,
//! and what a machine must prove before any of them hands out a share. Its identity is the SHA-256 of its exact bytes:
//! that digest salts the key and stands in every token's nonces, so who uses another file has another network. There
//! is no canonical form: a line feed more is another manifest.
//!
//! A [`Manifest`] is valid as a whole or does not exist. Every mistake is reported at once, with its line and column.
//! Nothing is ignored: an unknown key is a mistake, because it could be a demand that was misspelt. What is not said
//! is demanded in its strictest form, and only keys that begin with `insecure-` weaken a demand.
//!
//! It is not a secret, and it judges nothing: [`policy`] is data, which a keeper holds against a token's claims. It
//! reads no files and knows no clock.
//!
//! A workload gets its manifest from the operator, whom nobody trusts. That is answered by the digest, not here; what
//! is answered here is a manifest made to crash or mislead who reads it: sizes are bounded, names have one spelling,
//! and messages show nothing that a terminal would act on.
#![forbid(unsafe_code)]

mod address;
mod asked;
pub mod carried;
mod digest;
mod mistake;
mod name;
mod parse;
pub mod policy;

pub use address::{Address, Host, NotAnAddress};
pub use asked::{Asked, Ciphertext, Cloud, CloudShare, Endpoints, Keeper, NotACiphertext};
pub use digest::{
    ImageDigest, KeyId, NotAKeyId, NotAPin, NotASigningKey, NotAnImageDigest, Pin, SigningKey,
};
pub use mcbn_gcp_name::{Endpoint, KeyName, ProviderName, SecretVersionName};
pub use mistake::{Mistake, Mistakes};
pub use name::{Name, NotAName};

use mcbn_share::{Derivation, Holders, Kind, ManifestDigest, Participant, Threshold};
use policy::{Container, Policy};
use std::time::Duration;

/// What the participants agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    digest: ManifestDigest,
    network: Name,
    members: Vec<Member>,
    rule: Rule,
    kind: Kind,
    lease: Duration,
    workloads: Vec<Workload>,
    policy: Policy,
    endpoints: Endpoints,
}

/// A participant, and where their consent is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub name: Participant,
    pub asked: Asked,
    /// What their approvals of a key or a signature verify with, where they take part in making those.
    pub signing_key: Option<SigningKey>,
}

/// Whose consent makes a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// That of every participant.
    Unanimous,
    /// That of any so many of them; never more than there are.
    Threshold(Threshold),
}

/// A part in the network, and the images that may play it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    pub name: Name,
    /// Of the index or of the manifest of an image; no other workload has one of them.
    pub images: Vec<ImageDigest>,
    /// What is demanded of how the image was started.
    pub container: Container,
}

impl Member {
    /// Theirs, where they have one.
    pub fn keeper(&self) -> Option<&Keeper> {
        match &self.asked {
            Asked::Keeper(keeper) => Some(keeper),
            Asked::Cloud(_) => None,
        }
    }

    /// Their share in Google Cloud, where it is there.
    pub fn cloud(&self) -> Option<&Cloud> {
        match &self.asked {
            Asked::Keeper(_) => None,
            Asked::Cloud(cloud) => Some(cloud),
        }
    }
}

impl Manifest {
    /// Longer than any manifest of 255 participants, if their ciphertexts are of shares.
    pub const MAX_LEN: usize = 256 * 1024;

    /// # Errors
    ///
    /// Every mistake in it, in the order of their places.
    pub fn parse(bytes: &[u8]) -> Result<Manifest, Mistakes> {
        parse::manifest(bytes)
    }

    /// SHA-256 of the exact bytes that were parsed.
    pub fn digest(&self) -> ManifestDigest {
        self.digest
    }

    pub fn network(&self) -> &Name {
        &self.network
    }

    /// 1 to 255, in the manifest's order; names, pins, signing keys, keepers' addresses, secrets and keys are distinct.
    pub fn participants(&self) -> &[Member] {
        &self.members
    }

    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// None of the published ones: they take no salt, and so would not bind the manifest.
    pub fn derivation(&self) -> Derivation {
        match self.kind {
            Kind::Share => Derivation::HkdfV1,
            Kind::Shamir => Derivation::ShamirV1,
            Kind::Consent(_) => Derivation::BlsPrfV1,
            Kind::Reveal(_) => Derivation::BlsRevealV1,
        }
    }

    /// The group whose key these participants, in the manifest's order, have shares of, where they do.
    pub fn holders(&self) -> Option<&Holders> {
        match &self.kind {
            Kind::Share | Kind::Shamir => None,
            Kind::Consent(signers) => Some(signers.holders()),
            Kind::Reveal(holders) => Some(holders),
        }
    }

    /// What each participant contributes.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// For how long a consent holds unless it is renewed: 10 seconds to a day.
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// One or more, with distinct names.
    pub fn workloads(&self) -> &[Workload] {
        &self.workloads
    }

    /// The part that an image may play.
    pub fn workload_of(&self, image: &ImageDigest) -> Option<&Workload> {
        let plays = |workload: &&Workload| workload.images.contains(image);
        self.workloads.iter().find(plays)
    }

    /// What is demanded of every machine.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Where those of Google's services are that stand elsewhere.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }
}
