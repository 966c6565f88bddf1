//! SHA-256 digests and public keys, each kind a type with its own way of writing it. None is a secret.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use std::fmt::{self, Debug, Display};
use std::str::FromStr;

/// SHA-256 of the SubjectPublicKeyInfo (DER) of a keeper's TLS key; written as 43 base64url characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin(pub [u8; 32]);

/// A participant's Ed25519 public key ([RFC 8032 §5.1.5](https://www.rfc-editor.org/rfc/rfc8032#section-5.1.5)), with which
/// their approvals verify; written as 43 base64url characters. Any 32 bytes are read: what they are worth, whoever verifies
/// with them says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SigningKey(pub [u8; 32]);

/// Of a container image, its index or its manifest; written `sha256:` and 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageDigest(pub [u8; 32]);

/// SHA-256 of a public key (DER) that signs images; written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 32]);

impl Pin {
    /// Of a key in this form: SubjectPublicKeyInfo, in DER.
    pub fn of_key(spki: &[u8]) -> Pin {
        Pin(Sha256::digest(spki).into())
    }
}

impl FromStr for Pin {
    type Err = NotAPin;

    fn from_str(text: &str) -> Result<Pin, NotAPin> {
        from_base64url(text).map(Pin).ok_or(NotAPin)
    }
}

impl FromStr for SigningKey {
    type Err = NotASigningKey;

    fn from_str(text: &str) -> Result<SigningKey, NotASigningKey> {
        from_base64url(text).map(SigningKey).ok_or(NotASigningKey)
    }
}

fn from_base64url(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    match Base64UrlUnpadded::decode(text, &mut bytes) {
        Ok(all) if all.len() == 32 => Some(bytes),
        _ => None,
    }
}

impl FromStr for ImageDigest {
    type Err = NotAnImageDigest;

    fn from_str(text: &str) -> Result<ImageDigest, NotAnImageDigest> {
        let digits = text.strip_prefix("sha256:").and_then(from_hex);
        digits.map(ImageDigest).ok_or(NotAnImageDigest)
    }
}

impl FromStr for KeyId {
    type Err = NotAKeyId;

    fn from_str(text: &str) -> Result<KeyId, NotAKeyId> {
        from_hex(text).map(KeyId).ok_or(NotAKeyId)
    }
}

fn from_hex(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    match base16ct::lower::decode(digits, &mut bytes) {
        Ok(all) if all.len() == 32 => Some(bytes),
        _ => None,
    }
}

impl Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_base64url(&self.0, f)
    }
}

impl Display for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_base64url(&self.0, f)
    }
}

fn write_base64url(bytes: &[u8; 32], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = [0; 43];
    let text = Base64UrlUnpadded::encode(bytes, &mut text);
    f.write_str(text.expect("32 bytes are 43 characters"))
}

impl Display for ImageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        write_hex(&self.0, f)
    }
}

impl Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

fn write_hex(bytes: &[u8; 32], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = [0; 64];
    let text = base16ct::lower::encode_str(bytes, &mut text);
    f.write_str(text.expect("32 bytes are 64 digits"))
}

/// As they are displayed: a list of numbers says nothing to people.
macro_rules! debug_as_displayed {
    ($($kind:ident)*) => {
        $(
            impl Debug for $kind {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "{}({self})", stringify!($kind))
                }
            }
        )*
    };
}

debug_as_displayed! { Pin SigningKey ImageDigest KeyId }

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAPin;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotASigningKey;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnImageDigest;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAKeyId;

impl Display for NotAPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pin is 43 base64url characters, the SHA-256 of a public key")
    }
}

impl Display for NotASigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a signing key is 43 base64url characters, an Ed25519 public key")
    }
}

impl Display for NotAnImageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an image digest is 'sha256:' and 64 lower-case hex digits")
    }
}

impl Display for NotAKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key is named by 64 lower-case hex digits, the SHA-256 of its DER form")
    }
}

impl std::error::Error for NotAPin {}
impl std::error::Error for NotASigningKey {}
impl std::error::Error for NotAnImageDigest {}
impl std::error::Error for NotAKeyId {}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const PIN: &str = "ABEiM0RVZneImaq7zN3u_wARIjNEVWZ3iJmqu8zd7v8";

    #[test]
    fn each_is_read_back() {
        let image = format!("sha256:{HEX}");
        let bytes = HEX.parse::<KeyId>().unwrap().0;
        assert_eq!(bytes[14..18], [0xee, 0xff, 0x00, 0x11]);
        assert_eq!(image.parse(), Ok(ImageDigest(bytes)));
        assert_eq!(PIN.parse(), Ok(Pin(bytes)));
        assert_eq!(KeyId(bytes).to_string(), HEX);
        assert_eq!(ImageDigest(bytes).to_string(), image);
        assert_eq!(Pin(bytes).to_string(), PIN);
        assert_eq!(PIN.parse(), Ok(SigningKey(bytes)));
        assert_eq!(SigningKey(bytes).to_string(), PIN);
        assert_eq!(format!("{:?}", Pin(bytes)), format!("Pin({PIN})"));
    }

    #[test]
    fn another_form_is_refused() {
        for hex in [
            "",
            &HEX[2..],
            &format!("{HEX}00"),
            &HEX.to_uppercase(),
            &HEX.replace('a', "g"),
            &format!("{HEX} "),
        ] {
            assert_eq!(hex.parse::<KeyId>(), Err(NotAKeyId), "{hex:?}");
            let image = format!("sha256:{hex}");
            assert_eq!(image.parse::<ImageDigest>(), Err(NotAnImageDigest));
        }
        for prefix in ["", "sha512:", "SHA256:", "sha256", "sha256: "] {
            let image = format!("{prefix}{HEX}");
            assert_eq!(image.parse::<ImageDigest>(), Err(NotAnImageDigest));
        }
        for pin in [
            "",
            HEX,
            &PIN[1..],
            &format!("{PIN}="),
            &PIN.replace('_', "/"),
            // Bits beyond the last byte.
            &format!("{}9", &PIN[..42]),
        ] {
            assert_eq!(pin.parse::<Pin>(), Err(NotAPin), "{pin:?}");
            assert_eq!(pin.parse::<SigningKey>(), Err(NotASigningKey), "{pin:?}");
        }
    }
}
