//! Who is asking, and what they were given, by names that a person can type.

use mcbn_consent::message::Lease;
use mcbn_manifest::{ImageDigest, Name};
use mcbn_share::ManifestDigest;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::{self, Debug, Display};
use std::str::FromStr;

/// A machine that runs an image of the manifest, as a verified token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    pub manifest: ManifestDigest,
    /// The machine, as the issuer names it.
    pub subject: String,
    pub image: ImageDigest,
    pub workload: Name,
}

impl Instance {
    /// The same for as long as all four stay the same.
    pub fn id(&self) -> InstanceId {
        let mut hash = Sha256::new();
        hash.update(b"mcbn/v1/instance\0");
        hash.update(self.manifest.0);
        hash.update(self.image.0);
        for text in [self.workload.as_str(), &self.subject] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        let digest: [u8; 32] = hash.finalize().into();
        InstanceId(*digest.first_chunk().expect("half of it"))
    }
}

/// One line a kind: what it is, its name.
macro_rules! names {
    ($($(#[$doc:meta])* $kind:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $kind([u8; 16]);

        /// 32 lower-case hex digits.
        impl Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&base16ct::lower::encode_string(&self.0))
            }
        }

        impl Debug for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($kind), "({})"), self)
            }
        }

        impl From<$kind> for String {
            fn from(name: $kind) -> String {
                name.to_string()
            }
        }

        impl TryFrom<String> for $kind {
            type Error = NotAName;

            fn try_from(text: String) -> Result<$kind, NotAName> {
                text.parse()
            }
        }

        impl FromStr for $kind {
            type Err = NotAName;

            fn from_str(text: &str) -> Result<$kind, NotAName> {
                let mut bytes = [0; 16];
                match base16ct::lower::decode(text, &mut bytes) {
                    Ok(all) if all.len() == 16 => Ok($kind(bytes)),
                    _ => Err(NotAName),
                }
            }
        }
    )*};
}

names! {
    /// An instance, and so also the request that it waits with.
    InstanceId;

    /// A lease; on the wire the same bytes are written in base64url.
    LeaseId;
}

impl From<Lease> for LeaseId {
    fn from(lease: Lease) -> LeaseId {
        LeaseId(lease.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAName;

impl Display for NotAName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not 32 lower-case hex digits")
    }
}

impl std::error::Error for NotAName {}

/// The beginning of an instance's or a lease's name, as a person types it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning(String);

impl Beginning {
    const SHORTEST: usize = 4;
    const WHOLE: usize = 32;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Beginning {
    type Err = NotABeginning;

    fn from_str(text: &str) -> Result<Beginning, NotABeginning> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let length = Beginning::SHORTEST..=Beginning::WHOLE;
        match length.contains(&text.len()) && text.bytes().all(digit) {
            true => Ok(Beginning(text.into())),
            false => Err(NotABeginning),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotABeginning;

impl Display for NotABeginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name is 32 lower-case hex digits, or at least the first 4 of them")
    }
}

impl std::error::Error for NotABeginning {}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance() -> Instance {
        Instance {
            manifest: ManifestDigest([1; 32]),
            subject: "https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/i".into(),
            image: ImageDigest([2; 32]),
            workload: "psk-server".parse().unwrap(),
        }
    }

    /// Computed by another implementation of SHA-256.
    #[test]
    fn the_name_of_an_instance_has_a_known_answer() {
        assert_eq!(
            instance().id().to_string(),
            "81ea0bcfca364dec9c81f08a78a8cf46"
        );
    }

    #[test]
    fn each_part_of_an_instance_makes_another_one() {
        let other = [
            Instance {
                manifest: ManifestDigest([3; 32]),
                ..instance()
            },
            Instance {
                subject: "elsewhere".into(),
                ..instance()
            },
            Instance {
                image: ImageDigest([3; 32]),
                ..instance()
            },
            Instance {
                workload: "psk-client".parse().unwrap(),
                ..instance()
            },
        ];
        for other in other {
            assert_ne!(other.id(), instance().id(), "{other:?}");
        }
    }

    #[test]
    fn a_name_written_otherwise_is_refused() {
        let name = instance().id().to_string();
        assert_eq!(name.parse(), Ok(instance().id()));
        for text in ["", &name[1..], &name.to_uppercase(), &format!("{name}0")] {
            assert_eq!(text.parse::<InstanceId>(), Err(NotAName), "{text}");
        }
        assert!("abc1".parse::<Beginning>().is_ok());
        for text in ["", "abc", "ABCD", "abc-", "abc%", &format!("{name}0")] {
            assert_eq!(text.parse::<Beginning>(), Err(NotABeginning), "{text}");
        }
    }
}
