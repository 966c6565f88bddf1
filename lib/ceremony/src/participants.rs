//! Who takes part: keys, in the order that gives each its number.

use std::error::Error;
use std::fmt;

use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::traits::IsIdentity;
use mcbn_manifest::Pin;
use mcbn_threshold::Index;
use sha2::{Digest, Sha256};

/// What stands before an Ed25519 public key: SEQUENCE, the algorithm id-Ed25519, and a BIT STRING of 32 bytes.
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// A participant's Ed25519 public key: the one encoding of a point of the group of prime order, and not its identity.
///
/// ring's verification takes any 32 bytes that decode to a point. With a key of small order, one signature would fit
/// nearly every message; with a second encoding, one key would count twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParticipantKey([u8; Self::LENGTH]);

impl ParticipantKey {
    /// In bytes.
    pub const LENGTH: usize = 32;

    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, NotAParticipantKey> {
        let point = CompressedEdwardsY(*bytes)
            .decompress()
            .ok_or(NotAParticipantKey)?;
        // The identity is in the group of prime order, too; all else of small order is not, nor is any other point that
        // has a second encoding.
        match point.is_torsion_free() && !point.is_identity() {
            true => Ok(Self(*bytes)),
            false => Err(NotAParticipantKey),
        }
    }

    pub fn to_bytes(self) -> [u8; Self::LENGTH] {
        self.0
    }

    /// What TLS knows this participant by: the SHA-256 of the SubjectPublicKeyInfo
    /// ([RFC 8410 §4](https://www.rfc-editor.org/rfc/rfc8410#section-4)).
    pub fn pin(&self) -> Pin {
        let digest = Sha256::new().chain_update(SPKI).chain_update(self.0);
        Pin(digest.finalize().into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Debug for ParticipantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = self.0.map(|byte| format!("{byte:02x}")).concat();
        write!(f, "ParticipantKey({hex})")
    }
}

/// Distinct keys, 2 to 255. Each participant's [`Index`] is its place, counted from one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Participants(Vec<ParticipantKey>);

impl Participants {
    pub fn new(keys: Vec<ParticipantKey>) -> Result<Self, NotParticipants> {
        let count = u8::try_from(keys.len()).map_err(|_| NotParticipants::Number)?;
        if count < 2 {
            return Err(NotParticipants::Number);
        }
        for (index, key) in Index::all(count).zip(&keys) {
            let earlier = Index::all(count)
                .zip(&keys)
                .find(|(_, other)| *other == key);
            if let Some((first, _)) = earlier.filter(|(first, _)| *first != index) {
                return Err(NotParticipants::Repeated(first, index));
            }
        }
        Ok(Self(keys))
    }

    /// Participants 1 to this.
    pub fn count(&self) -> u8 {
        u8::try_from(self.0.len()).expect("made of no more")
    }

    pub fn key(&self, index: Index) -> Option<&ParticipantKey> {
        self.0.get(usize::from(index.get()) - 1)
    }

    pub fn index(&self, key: &ParticipantKey) -> Option<Index> {
        let mut all = Index::all(self.count()).zip(&self.0);
        all.find_map(|(index, other)| (other == key).then_some(index))
    }

    /// In their order.
    pub fn keys(&self) -> &[ParticipantKey] {
        &self.0
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAParticipantKey;

impl fmt::Display for NotAParticipantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an Ed25519 public key of prime order, in its one encoding")
    }
}

impl Error for NotAParticipantKey {}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotParticipants {
    Number,
    /// Two places with the same key.
    Repeated(Index, Index),
}

impl fmt::Display for NotParticipants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number => f.write_str("there are 2 to 255 participants"),
            Self::Repeated(first, second) => {
                write!(f, "participants {first} and {second} have the same key")
            }
        }
    }
}

impl Error for NotParticipants {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{key, keys};
    use curve25519_dalek::constants::EIGHT_TORSION;
    use ring::signature::{ED25519, UnparsedPublicKey};

    #[test]
    fn a_key_of_small_order_is_refused() {
        for point in EIGHT_TORSION {
            let bytes = point.compress().0;
            let refused = ParticipantKey::from_bytes(&bytes);
            assert_eq!(refused, Err(NotAParticipantKey), "{bytes:02x?}");
        }
    }

    /// All that there are: y from p to 2^255 - 1, and the sign of an x that is zero.
    #[test]
    fn a_second_encoding_of_a_key_is_refused() {
        let mut second: Vec<[u8; 32]> = Vec::new();
        for (low, sign) in (0xed..=0xff).flat_map(|low| [(low, 0x7f), (low, 0xff)]) {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (low, sign);
            second.push(bytes);
        }
        let mut one = [0; 32];
        (one[0], one[31]) = (1, 0x80);
        let mut minus_one = [0xff; 32];
        minus_one[0] = 0xec;
        second.extend([one, minus_one]);
        let points = second
            .iter()
            .filter(|bytes| CompressedEdwardsY(**bytes).decompress().is_some());
        assert!(points.count() > 20);
        for bytes in second {
            let refused = ParticipantKey::from_bytes(&bytes);
            assert_eq!(refused, Err(NotAParticipantKey), "{bytes:02x?}");
        }
    }

    #[test]
    fn ring_alone_would_take_a_key_of_small_order() {
        // R the identity and S zero, under the identity as key: why such keys are refused here.
        let mut signature = [0; 64];
        signature[0] = 1;
        let key = UnparsedPublicKey::new(&ED25519, EIGHT_TORSION[0].compress().0);
        assert!(key.verify(b"whatever there is", &signature).is_ok());
    }

    #[test]
    fn a_key_with_a_part_of_small_order_is_refused() {
        let point = CompressedEdwardsY(key(1).public().to_bytes())
            .decompress()
            .unwrap();
        for torsion in &EIGHT_TORSION[1..] {
            let mixed = (point + torsion).compress().0;
            assert_eq!(ParticipantKey::from_bytes(&mixed), Err(NotAParticipantKey));
        }
    }

    #[test]
    fn bytes_that_are_no_point_are_refused() {
        let mut two = [0; 32];
        two[0] = 2;
        assert_eq!(ParticipantKey::from_bytes(&two), Err(NotAParticipantKey));
    }

    #[test]
    fn a_place_is_a_number_from_one_on() {
        let participants = Participants::new(keys(3)).unwrap();
        let two = Index::new(2).unwrap();
        assert_eq!(participants.count(), 3);
        assert_eq!(participants.key(two), Some(&keys(3)[1]));
        assert_eq!(participants.index(&keys(3)[1]), Some(two));
        assert_eq!(participants.key(Index::new(4).unwrap()), None);
        assert_eq!(participants.index(&keys(4)[3]), None);
    }

    #[test]
    fn two_participants_with_one_key_are_refused() {
        let mut keys = keys(4);
        keys[3] = keys[1];
        let [two, four] = [2, 4].map(|number| Index::new(number).unwrap());
        let refused = Participants::new(keys);
        assert_eq!(refused, Err(NotParticipants::Repeated(two, four)));
    }

    #[test]
    fn another_number_of_participants_is_refused() {
        for count in [0, 1] {
            assert_eq!(Participants::new(keys(count)), Err(NotParticipants::Number));
        }
        let many = vec![keys(1)[0]; 256];
        assert_eq!(Participants::new(many), Err(NotParticipants::Number));
    }
}
