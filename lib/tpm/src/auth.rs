//! What opens a key of the TPM, or a hierarchy.

use std::fmt;

use tss_esapi::structures::Auth;
use zeroize::Zeroizing;

/// An authorization value: 1 to 32 bytes, as many as the digest of the key's name has.
pub struct AuthValue(Zeroizing<Vec<u8>>);

impl AuthValue {
    pub const MAX_LEN: usize = 32;

    /// The bytes of one line of text: what tpm2-tools take as it is. Wiping the original is left to the caller.
    pub fn from_line(text: &[u8]) -> Result<Self, NotAnAuthValue> {
        let line = text.strip_suffix(b"\n").unwrap_or(text);
        // The TPM takes zero bytes at the end for none.
        let allowed = (1..=Self::MAX_LEN).contains(&line.len())
            && line.iter().all(|byte| !byte.is_ascii_control());
        match allowed {
            true => Ok(Self(Zeroizing::new(line.to_vec()))),
            false => Err(NotAnAuthValue),
        }
    }

    /// For upstream's library, which wipes it.
    pub(crate) fn for_the_tpm(&self) -> Auth {
        // The session needs it, and never sends it.
        Auth::try_from(self.expose_secret()).expect("a digest's length at most")
    }

    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for AuthValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthValue(..)")
    }
}

/// The text cannot be an authorization value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAnAuthValue;

impl fmt::Display for NotAnAuthValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = AuthValue::MAX_LEN;
        write!(f, "it is not one line of 1 to {most} bytes")
    }
}

impl std::error::Error for NotAnAuthValue {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_taken_and_not_shown() {
        let value = AuthValue::from_line(b"a secret word\n").unwrap();
        assert_eq!(value.expose_secret(), b"a secret word");
        assert_eq!(format!("{value:?}"), "AuthValue(..)");
        AuthValue::from_line(&[b'x'; 32]).unwrap();
    }

    #[test]
    fn what_no_tpm_takes_is_refused() {
        for text in [&b""[..], b"\n", b"a\nb", b"a\r\n", b"a\0", &[b'x'; 33]] {
            assert_eq!(AuthValue::from_line(text).unwrap_err(), NotAnAuthValue);
        }
    }
}
