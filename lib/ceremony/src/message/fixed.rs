//! Values of a fixed number of bytes, and a few others, as texts and numbers: for serde's `with`.

use mcbn_threshold::{Index, ProofOfPossession, PublicKey, Signature};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::approval::{Approval, RequestId};
use crate::participants::ParticipantKey;
use crate::sealed::{EncryptionKey, SealedShare};

/// What stands in a message as unpadded base64url.
pub(super) trait Fixed: Sized {
    fn to_text(&self) -> String;
    /// None where it is not the one text of a value.
    fn of_text(text: &str) -> Option<Self>;
}

/// One line a kind: its name, its length in bytes, how it becomes bytes and is made of them.
macro_rules! fixed {
    ($($kind:ident[$length:expr]: $to:expr, $of:expr;)*) => {$(
        impl Fixed for $kind {
            fn to_text(&self) -> String {
                let bytes: [u8; $length] = ($to)(self);
                mcbn_body::base64url(&bytes)
            }

            fn of_text(text: &str) -> Option<Self> {
                let bytes = mcbn_body::from_base64url::<{ $length }>(text).ok()?;
                ($of)(bytes)
            }
        }
    )*};
}

fixed! {
    RequestId[32]: |id: &RequestId| id.0, |bytes| Some(RequestId(bytes));
    Approval[64]: |approval: &Approval| approval.0, |bytes| Some(Approval(bytes));
    ParticipantKey[32]: |key: &ParticipantKey| key.to_bytes(),
        |bytes| ParticipantKey::from_bytes(&bytes).ok();
    EncryptionKey[32]: |key: &EncryptionKey| key.to_bytes(),
        |bytes| EncryptionKey::from_bytes(&bytes).ok();
    SealedShare[SealedShare::LENGTH]: |sealed: &SealedShare| sealed.0,
        |bytes| Some(SealedShare(bytes));
    PublicKey[PublicKey::LENGTH]: |key: &PublicKey| key.to_bytes(),
        |bytes| PublicKey::from_bytes(&bytes).ok();
    ProofOfPossession[ProofOfPossession::LENGTH]: |proof: &ProofOfPossession| proof.to_bytes(),
        |bytes| ProofOfPossession::from_bytes(&bytes).ok();
    Signature[Signature::LENGTH]: |signature: &Signature| signature.to_bytes(),
        |bytes| Signature::from_bytes(&bytes).ok();
}

/// A [`Fixed`] value as serde takes it.
struct Text<T>(T);

impl<T: Fixed> Serialize for Text<&T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0.to_text())
    }
}

impl<'de, T: Fixed> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(from)?;
        let value = T::of_text(text);
        value
            .map(Text)
            .ok_or_else(|| D::Error::custom("no such value"))
    }
}

pub(super) fn serialize<T: Fixed, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    Text(value).serialize(to)
}

pub(super) fn deserialize<'de, T: Fixed, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Text::deserialize(from).map(|Text(value)| value)
}

/// One that may be absent, and is then not written.
pub(super) mod option {
    use super::*;

    pub fn serialize<T: Fixed, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Text).serialize(to)
    }

    /// `null` is not how it is absent.
    pub fn deserialize<'de, T: Fixed, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        super::deserialize(from).map(Some)
    }
}

pub(super) mod list {
    use super::*;

    pub fn serialize<T: Fixed, S: Serializer>(values: &[T], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(Text))
    }

    pub fn deserialize<'de, T: Fixed, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
        let values = Vec::<Text<T>>::deserialize(from)?;
        Ok(values.into_iter().map(|Text(value)| value).collect())
    }
}

/// A participant's number.
pub(super) mod index {
    use super::*;

    pub fn serialize<S: Serializer>(index: &Index, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(index.get())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Index, D::Error> {
        Index::new(u8::deserialize(from)?).map_err(D::Error::custom)
    }

    pub mod list {
        use super::*;

        pub fn serialize<S: Serializer>(all: &[Index], to: S) -> Result<S::Ok, S::Error> {
            to.collect_seq(all.iter().map(|index| index.get()))
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Index>, D::Error> {
            let all = Vec::<u8>::deserialize(from)?.into_iter();
            let all = all.map(|number| Index::new(number).map_err(D::Error::custom));
            all.collect()
        }
    }

    pub mod option {
        use super::*;

        pub fn serialize<S: Serializer>(index: &Option<Index>, to: S) -> Result<S::Ok, S::Error> {
            index.map(Index::get).serialize(to)
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Index>, D::Error> {
            super::deserialize(from).map(Some)
        }
    }
}

/// What has a text of its own: a digest, a purpose.
pub(super) mod shown {
    use super::*;
    use std::fmt::Display;
    use std::str::FromStr;

    pub fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = <&str>::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}
