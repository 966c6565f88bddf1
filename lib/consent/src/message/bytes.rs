//! Fixed numbers of bytes as texts, each in one way only.

use mcbn_body::{NotBytes, base64url, from_base64url};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::{self, Debug, Display};
use std::str::FromStr;

/// The name of a lease. Not a secret: it is worth nothing without the token of its instance.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease(pub [u8; 16]);

/// Unpadded base64url.
impl Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url(&self.0))
    }
}

impl Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lease({self})")
    }
}

impl FromStr for Lease {
    type Err = NotBytes;

    fn from_str(text: &str) -> Result<Lease, NotBytes> {
        from_base64url(text).map(Lease)
    }
}

impl Serialize for Lease {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        text::serialize(self, to)
    }
}

impl<'de> Deserialize<'de> for Lease {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Lease, D::Error> {
        text::deserialize(from)
    }
}

/// What is written in JSON as it is displayed.
pub mod text {
    use super::*;

    pub fn serialize<T: Display, S: Serializer>(bytes: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(bytes)
    }

    pub fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err = NotBytes>,
        D: Deserializer<'de>,
    {
        let text = <&str>::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A manifest's digest is written in hex, as people compare it.
pub mod hex {
    use super::*;
    use mcbn_share::ManifestDigest;

    pub fn serialize<S: Serializer>(digest: &ManifestDigest, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&base16ct::lower::encode_string(&digest.0))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ManifestDigest, D::Error> {
        let text = <&str>::deserialize(from)?;
        let mut bytes = [0; 32];
        match base16ct::lower::decode(text, &mut bytes) {
            Ok(decoded) if decoded.len() == 32 => Ok(ManifestDigest(bytes)),
            _ => Err(D::Error::custom("not 64 lower-case hex digits")),
        }
    }
}
