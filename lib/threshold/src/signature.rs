use std::fmt;

use blst::min_pk;

use crate::error::NotAPoint;
use crate::index::Index;
use crate::scalar::Scalar;

/// The ciphersuite's name, which hashing a message to the curve is bound to.
pub(crate) const SIGNATURE_TAG: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/// A point that may be a signature: whose and of what, [`PublicKey::verify`](crate::PublicKey::verify) says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub(crate) min_pk::Signature);

impl Signature {
    /// In bytes, compressed.
    pub const LENGTH: usize = 96;

    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, NotAPoint> {
        let point = min_pk::Signature::uncompress(bytes).map_err(NotAPoint::of)?;
        point.validate(true).map_err(NotAPoint::of)?;
        Ok(Self(point))
    }

    pub fn to_bytes(self) -> [u8; Self::LENGTH] {
        self.0.compress()
    }

    /// [CoreSign](https://datatracker.ietf.org/doc/html/draft-irtf-cfrg-bls-signature-06#section-2.6).
    pub(crate) fn by(secret: &Scalar, message: &[u8]) -> Self {
        Self(secret.key().sign(message, SIGNATURE_TAG, &[]))
    }
}

/// It shows no byte: where a signature is used as a secret, it is one.
impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(..)")
    }
}

/// What a participant signs with its share: it says nothing by itself, and any t of them make the group's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartialSignature {
    pub index: Index,
    pub signature: Signature,
}
