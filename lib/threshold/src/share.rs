use std::fmt;

use mcbn_secret::SigningShare;

use crate::error::NotAKeyShare;
use crate::index::Index;
use crate::key::PublicKey;
use crate::scalar::Scalar;
use crate::signature::{PartialSignature, Signature};

/// One participant's part of a group's key. [`Group::check`](crate::Group::check) says whether it is one.
pub struct KeyShare {
    index: Index,
    secret: Scalar,
}

impl KeyShare {
    /// From the bytes that were kept, or sent to its owner.
    pub fn new(index: Index, secret: &SigningShare) -> Result<Self, NotAKeyShare> {
        // To compute with it.
        let secret = Scalar::from_bytes(secret.expose_secret()).ok_or(NotAKeyShare)?;
        Ok(Self { index, secret })
    }

    pub(crate) fn at(index: Index, secret: Scalar) -> Self {
        Self { index, secret }
    }

    pub fn index(&self) -> Index {
        self.index
    }

    /// Big-endian, to keep or to send to its owner.
    pub fn secret(&self) -> SigningShare {
        let filled = SigningShare::fill(|bytes| {
            bytes.copy_from_slice(self.secret.little_endian());
            bytes.reverse();
            Ok::<_, std::convert::Infallible>(())
        });
        filled.unwrap_or_else(|never| match never {})
    }

    pub fn public_key(&self) -> PublicKey {
        PublicKey::of(&self.secret)
    }

    pub fn sign(&self, message: &[u8]) -> PartialSignature {
        PartialSignature {
            index: self.index,
            signature: Signature::by(&self.secret, message),
        }
    }
}

impl fmt::Debug for KeyShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyShare({}, ..)", self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> Index {
        Index::new(3).unwrap()
    }

    #[test]
    fn what_is_kept_gives_the_share_again() {
        let share = KeyShare::at(index(), Scalar::of_random(&[9; 32]));
        let again = KeyShare::new(index(), &share.secret()).unwrap();
        assert_eq!(again.public_key(), share.public_key());
        assert_eq!(again.sign(b"a message"), share.sign(b"a message"));
    }

    #[test]
    fn bytes_that_are_no_scalar_are_refused() {
        for byte in [0, 0xff] {
            let secret = SigningShare::copied_from(&[byte; 32]);
            assert!(KeyShare::new(index(), &secret).is_err(), "{byte}");
        }
    }

    #[test]
    fn debug_shows_no_byte_of_it() {
        let share = KeyShare::at(index(), Scalar::of_random(&[9; 32]));
        assert_eq!(format!("{share:?}"), "KeyShare(3, ..)");
    }
}
