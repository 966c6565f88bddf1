//! Fixed numbers of bytes as texts, each in one way only.

use mcbn_body::{NotBytes, base64url, from_base64url};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::{self, Debug, Display};
use std::str::FromStr;

/// One line a kind: what it is, its name, its length in bytes.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident[$length:literal];)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $kind(pub [u8; $length]);

        /// Unpadded base64url.
        impl Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&base64url(&self.0))
            }
        }

        impl Debug for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($kind), "({})"), self)
            }
        }

        impl FromStr for $kind {
            type Err = NotBytes;

            fn from_str(text: &str) -> Result<$kind, NotBytes> {
                from_base64url(text).map($kind)
            }
        }

        impl Serialize for $kind {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<$kind, D::Error> {
                let text = <&str>::deserialize(from)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

kinds! {
    /// What a keeper gives to one connection, for one token. Not a secret: it stands in the token.
    Challenge[32];

    /// The name of a lease. Not a secret: it is worth nothing without the token of its instance.
    Lease[16];
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
