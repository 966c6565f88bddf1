//! A manifest as the operator hands it to a workload: in a variable, as text.
//!
//! Variables are measured, and a token shows those that the operator set. A manifest cannot list its own text; but the
//! text is held to the digest that the participants agreed on, so it needs no listing.

use crate::Manifest;
use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use std::error::Error;
use std::fmt::{self, Display};

/// The name of the variable.
pub const VARIABLE: &str = "MCBN_MANIFEST";

const SCHEME: &str = "text:";

/// `text:` and base64url, without padding, of the exact bytes.
pub fn encode(manifest: &[u8]) -> String {
    format!("{SCHEME}{}", Base64UrlUnpadded::encode_string(manifest))
}

/// The bytes of a value that [`encode`] made.
///
/// # Errors
///
/// It was not made so, or holds more than any manifest.
pub fn decode(value: &str) -> Result<Vec<u8>, NotCarried> {
    let text = value.strip_prefix(SCHEME).ok_or(NotCarried)?;
    if text.len() > Manifest::MAX_LEN.div_ceil(3) * 4 {
        return Err(NotCarried);
    }
    Base64UrlUnpadded::decode_vec(text).map_err(|_| NotCarried)
}

impl Manifest {
    /// Whether the variable and its value carry this manifest, to the byte.
    pub fn is_carried_by(&self, variable: &str, value: &str) -> bool {
        variable == VARIABLE
            && decode(value)
                .is_ok_and(|bytes| <[u8; 32]>::from(Sha256::digest(bytes)) == self.digest().0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotCarried;

impl Display for NotCarried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not text: and the base64url of a manifest")
    }
}

impl Error for NotCarried {}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &[u8] = include_bytes!("../testdata/unanimous.toml");

    #[test]
    fn a_manifest_is_carried_to_the_byte() {
        let value = encode(EXAMPLE);
        assert_eq!(decode(&value).as_deref(), Ok(EXAMPLE));
        let manifest = Manifest::parse(EXAMPLE).unwrap();
        assert!(manifest.is_carried_by("MCBN_MANIFEST", &value));
    }

    #[test]
    fn another_manifest_or_variable_is_refused() {
        let manifest = Manifest::parse(EXAMPLE).unwrap();
        let other = encode(&[EXAMPLE, b"\n"].concat());
        assert!(!manifest.is_carried_by("MCBN_MANIFEST", &other));
        assert!(!manifest.is_carried_by("MCBN_SERVER", &encode(EXAMPLE)));
    }

    #[test]
    fn a_value_of_another_form_is_refused() {
        let good = encode(EXAMPLE);
        let long = encode(&vec![b'#'; Manifest::MAX_LEN + 3]);
        for bad in [
            "",
            "text",
            &good[5..],
            &format!("{good}="),
            "file:/etc/passwd",
            &long,
        ] {
            assert_eq!(decode(bad), Err(NotCarried));
        }
    }
}
