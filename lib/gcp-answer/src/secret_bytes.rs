//! What a service gave in confidence.

use bytes::Bytes;
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// A secret of any length, wiped when dropped.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes out of an answer, and wipes them there unless somebody else holds the answer, too.
    pub fn taken_from(bytes: Bytes) -> SecretBytes {
        let taken = SecretBytes(Zeroizing::new(bytes.to_vec()));
        if let Ok(mut bytes) = bytes.try_into_mut() {
            bytes.as_mut().zeroize();
        }
        taken
    }

    /// What was decoded into memory that is wiped.
    pub fn of(bytes: Zeroizing<Vec<u8>>) -> SecretBytes {
        SecretBytes(bytes)
    }

    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}
