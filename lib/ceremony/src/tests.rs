//! Keys and bytes that the modules' tests share.

use std::convert::Infallible;
use std::time::Duration;

use mcbn_manifest::ImageDigest;
use mcbn_share::ManifestDigest;
use mcbn_threshold::{Group, Index, Threshold, generate};

use serde_json::Value;

use crate::approval::SigningKey;
use crate::group::ProvenGroup;
use crate::participants::{ParticipantKey, Participants};
use crate::terms::{Moment, Purpose, Terms};

/// Always the same one for a number.
pub fn key(number: u8) -> SigningKey {
    // RFC 8410 §7: what stands before the seed.
    let mut der = unhex("302e020100300506032b657004220420");
    der.extend_from_slice(&[number; 32]);
    SigningKey::from_pkcs8(&der).unwrap()
}

/// Those of participants 1 to `count`.
pub fn keys(count: u8) -> Vec<ParticipantKey> {
    (1..=count).map(|number| key(number).public()).collect()
}

pub fn index(number: u8) -> Index {
    Index::new(number).unwrap()
}

pub fn unhex(text: &str) -> Vec<u8> {
    base16ct::lower::decode_vec(text).unwrap()
}

/// Random bytes that are never the same twice, and always the same in another run.
pub fn random(seed: u8) -> impl FnMut(&mut [u8]) -> Result<(), Infallible> {
    let mut next = u32::from(seed) << 24;
    move |bytes| {
        for block in bytes.chunks_mut(4) {
            next += 1;
            block.copy_from_slice(&next.to_be_bytes()[..block.len()]);
        }
        Ok(())
    }
}

/// Two of the first `count` participants.
pub fn terms(count: u8) -> Terms {
    let participants = Participants::new(keys(count)).unwrap();
    terms_of([1; 32], [2; 32], 2, participants)
}

pub fn terms_of(
    manifest: [u8; 32],
    image: [u8; 32],
    threshold: u8,
    participants: Participants,
) -> Terms {
    let threshold = Threshold::new(threshold).unwrap();
    let (manifest, image) = (ManifestDigest(manifest), ImageDigest(image));
    Terms::new(manifest, image, threshold, participants).unwrap()
}

pub fn purpose() -> Purpose {
    "sign the releases of Example".parse().unwrap()
}

/// So many seconds after the start.
pub fn at(seconds: u64) -> Moment {
    Moment(Duration::from_secs(seconds))
}

/// One section of what testdata/derive.py computes.
pub fn derived(section: &str) -> Value {
    let all = include_str!("../testdata/derive.json");
    serde_json::from_str::<Value>(all).unwrap()[section].take()
}

/// That of testdata/derive.py. Its proof is none, and has no part in the layouts.
pub fn known_group() -> ProvenGroup {
    let commitments = derived("generation")["commitments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|commitment| commitment.as_str().unwrap().parse().unwrap())
        .collect();
    let group = Group::new(commitments, 3).unwrap();
    let other = generate(Threshold::new(2).unwrap(), 2, random(1)).unwrap();
    ProvenGroup::unproven(group, other.proof)
}
