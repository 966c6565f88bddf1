//! Public keys, and the proof that somebody has the secret one.

use std::fmt;
use std::str::FromStr;

use blst::BLST_ERROR;
use blst::min_pk;

use crate::error::{NotAPoint, NotAPublicKey, NotGenuine};
use crate::scalar::Scalar;
use crate::signature::{SIGNATURE_TAG, Signature};

/// That of a group, or of one participant's share. It is not the point at infinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(pub(crate) min_pk::PublicKey);

impl PublicKey {
    /// In bytes, compressed.
    pub const LENGTH: usize = 48;

    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, NotAPoint> {
        let point = min_pk::PublicKey::uncompress(bytes).map_err(NotAPoint::of)?;
        point.validate().map_err(NotAPoint::of)?;
        Ok(Self(point))
    }

    pub fn to_bytes(self) -> [u8; Self::LENGTH] {
        self.0.compress()
    }

    pub(crate) fn of(secret: &Scalar) -> Self {
        Self(secret.key().sk_to_pk())
    }

    /// [CoreVerify](https://datatracker.ietf.org/doc/html/draft-irtf-cfrg-bls-signature-06#section-2.7).
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), NotGenuine> {
        self.verify_tagged(message, SIGNATURE_TAG, signature)
    }

    /// Both points are in their group already: that is what their types say.
    fn verify_tagged(
        &self,
        message: &[u8],
        tag: &[u8],
        signature: &Signature,
    ) -> Result<(), NotGenuine> {
        match signature.0.verify(false, message, tag, &[], &self.0, false) {
            BLST_ERROR::BLST_SUCCESS => Ok(()),
            _ => Err(NotGenuine),
        }
    }
}

/// 96 lower-case hex digits.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 2 * Self::LENGTH];
        let text = base16ct::lower::encode_str(&self.0.compress(), &mut text);
        f.write_str(text.expect("48 bytes are 96 digits"))
    }
}

impl FromStr for PublicKey {
    type Err = NotAPublicKey;

    fn from_str(text: &str) -> Result<Self, NotAPublicKey> {
        let mut bytes = [0; Self::LENGTH];
        match base16ct::lower::decode(text, &mut bytes) {
            Ok(all) if all.len() == Self::LENGTH => {
                Self::from_bytes(&bytes).map_err(NotAPublicKey::Point)
            }
            _ => Err(NotAPublicKey::Digits),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// `hash_to_point` of the proof has a tag of its own, so that no signature is a proof and no proof a signature.
const POSSESSION_TAG: &[u8] = b"BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/// That whoever published a public key has its secret key: [PopProve and PopVerify].
///
/// A key without it may be made of other keys (a rogue key), so that signatures which these make are taken for its own
/// once they are aggregated.
///
/// [PopProve and PopVerify]: https://datatracker.ietf.org/doc/html/draft-irtf-cfrg-bls-signature-06#section-3.3
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProofOfPossession(Signature);

impl ProofOfPossession {
    /// In bytes, compressed.
    pub const LENGTH: usize = Signature::LENGTH;

    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, NotAPoint> {
        Signature::from_bytes(bytes).map(Self)
    }

    pub fn to_bytes(self) -> [u8; Self::LENGTH] {
        self.0.to_bytes()
    }

    pub(crate) fn of(secret: &Scalar) -> Self {
        let public = PublicKey::of(secret).to_bytes();
        Self(Signature(secret.key().sign(&public, POSSESSION_TAG, &[])))
    }

    pub fn verify(&self, key: &PublicKey) -> Result<(), NotGenuine> {
        key.verify_tagged(&key.to_bytes(), POSSESSION_TAG, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(byte: u8) -> Scalar {
        Scalar::of_random(&[byte; 32])
    }

    #[test]
    fn a_proof_is_of_one_key() {
        let proof = ProofOfPossession::of(&secret(1));
        let proof = ProofOfPossession::from_bytes(&proof.to_bytes()).unwrap();
        assert_eq!(proof.verify(&PublicKey::of(&secret(1))), Ok(()));
        let other = PublicKey::of(&secret(2));
        assert_eq!(proof.verify(&other), Err(NotGenuine));
    }

    #[test]
    fn a_signature_of_the_public_key_is_refused_as_a_proof() {
        let key = PublicKey::of(&secret(1));
        let signature = Signature::by(&secret(1), &key.to_bytes());
        assert_eq!(key.verify(&key.to_bytes(), &signature), Ok(()));
        assert_eq!(ProofOfPossession(signature).verify(&key), Err(NotGenuine));
    }

    #[test]
    fn a_rogue_key_is_refused() {
        // The sum of it and an honest key is a key that the rogue knows; its own secret key nobody knows.
        let (honest, sum) = (PublicKey::of(&secret(1)), PublicKey::of(&secret(2)));
        let mut rogue = min_pk::AggregatePublicKey::from_public_key(&sum.0);
        rogue.sub_aggregate(&min_pk::AggregatePublicKey::from_public_key(&honest.0));
        let rogue = PublicKey(rogue.to_public_key());
        // What it can sign with does not prove it.
        let proof = secret(2).key().sign(&rogue.to_bytes(), POSSESSION_TAG, &[]);
        assert_eq!(
            ProofOfPossession(Signature(proof)).verify(&rogue),
            Err(NotGenuine)
        );
    }

    #[test]
    fn a_key_is_read_back() {
        let generator = PublicKey::of(&Scalar::one());
        let text = generator.to_string();
        assert!(text.starts_with("97f1d3a73197d794"), "{text}");
        assert_eq!(text.parse(), Ok(generator));
    }

    #[test]
    fn another_text_is_refused() {
        let text = PublicKey::of(&Scalar::one()).to_string();
        for text in [
            "",
            &text[1..],
            &text[2..],
            &text.to_uppercase(),
            &format!("{text} "),
            &text.replace('f', "g"),
        ] {
            assert_eq!(text.parse::<PublicKey>(), Err(NotAPublicKey::Digits));
        }
        let infinity = format!("c0{}", "00".repeat(47));
        let refused = Err(NotAPublicKey::Point(NotAPoint::Infinity));
        assert_eq!(infinity.parse::<PublicKey>(), refused);
    }
}
