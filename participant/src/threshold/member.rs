//! Who takes part, by the manifest that all have agreed on.

use crate::key_file;
use crate::manifest::{self, NotRead};
use mcbn_ceremony::NotAgreed;
use mcbn_ceremony::approval::SigningKey;
use mcbn_manifest::Manifest;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_share::Participant;
use mcbn_threshold::Index;
use std::error::Error;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

pub const MANIFEST: Setting = Setting::value(
    "manifest",
    "FILE",
    "the consent manifest: who takes part and with which keys, and the image that may do this",
)
.required();

pub const PARTICIPANT: Setting = Setting::value(
    "participant",
    "NAME",
    "who takes part, by the manifest's name",
)
.required();

pub struct MemberConfig {
    manifest: PathBuf,
    participant: Participant,
}

/// A participant among the others of the manifest.
pub struct Member {
    pub manifest: Manifest,
    pub name: Participant,
    pub index: Index,
}

impl MemberConfig {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let manifest = given.one(&MANIFEST);
        let participant = given.one(&PARTICIPANT);
        Ok(Self {
            manifest: manifest?,
            participant: participant?,
        })
    }

    /// `agree` takes from the manifest what all have agreed on beside that.
    pub fn agreed<T>(
        self,
        agree: impl FnOnce(&Manifest) -> Result<T, NotAgreed>,
    ) -> Result<(Member, T), NotAgreedOn> {
        let manifest = manifest::read(&self.manifest).map_err(NotAgreedOn::Manifest)?;
        let agreed = agree(&manifest).map_err(NotAgreedOn::Terms)?;
        let count = u8::try_from(manifest.participants().len()).expect("255 at most");
        let mut numbered = manifest.participants().iter().zip(Index::all(count));
        let own = numbered.find(|(member, _)| member.name == self.participant);
        let Some((_, index)) = own else {
            return Err(NotAgreedOn::NotAMember(self.participant));
        };
        let member = Member {
            manifest,
            name: self.participant,
            index,
        };
        Ok((member, agreed))
    }
}

impl Member {
    /// Of the participant with this number.
    pub fn name_of(&self, index: Index) -> Option<&str> {
        let members = self.manifest.participants();
        let member = members.get(usize::from(index.get()) - 1);
        member.map(|member| member.name.as_str())
    }

    pub fn names(&self, indices: impl IntoIterator<Item = Index>) -> Vec<&str> {
        let names = indices.into_iter().map(|index| self.name_of(index));
        names.flatten().collect()
    }

    /// The private key in this file, which must be that of the manifest.
    pub fn key(&self, path: &Path) -> Result<OwnKey, NotOwnKey> {
        let pair = key_file::read(path, key_file::Kind::Signing).map_err(NotOwnKey::File)?;
        let der = pair.serialize_der();
        let key = SigningKey::from_pkcs8(&der).map_err(|_| NotOwnKey::Other)?;
        let own = &self.manifest.participants()[usize::from(self.index.get()) - 1];
        let public = mcbn_manifest::SigningKey(key.public().to_bytes());
        match own.signing_key == Some(public) {
            true => Ok(OwnKey { key, pair }),
            false => Err(NotOwnKey::Other),
        }
    }
}

pub struct OwnKey {
    pub key: SigningKey,
    pub pair: rcgen::KeyPair,
}

/// The manifest does not say what is needed, or was not read.
#[derive(Debug)]
pub enum NotAgreedOn {
    Manifest(NotRead),
    Terms(NotAgreed),
    NotAMember(Participant),
}

impl Display for NotAgreedOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest(error) => error.fmt(f),
            Self::Terms(_) => f.write_str("the manifest does not say all that this needs"),
            Self::NotAMember(name) => write!(f, "the manifest has no participant {name}"),
        }
    }
}

impl Error for NotAgreedOn {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Manifest(error) => error.source(),
            Self::Terms(error) => Some(error),
            Self::NotAMember(_) => None,
        }
    }
}

impl Failure for NotAgreedOn {
    fn exit(&self) -> Exit {
        match self {
            Self::Manifest(error) => error.exit(),
            Self::Terms(_) | Self::NotAMember(_) => Exit::Usage,
        }
    }
}

/// There is no key to approve with.
#[derive(Debug)]
pub enum NotOwnKey {
    File(key_file::NoKey),
    /// Not the one that the manifest names.
    Other,
}

impl Display for NotOwnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Other => {
                f.write_str("the manifest names another signing key for this participant")
            }
        }
    }
}

impl Error for NotOwnKey {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File(error) => error.source(),
            Self::Other => None,
        }
    }
}

impl Failure for NotOwnKey {
    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::Other => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint().map(str::to_owned),
            Self::Other => None,
        }
    }
}
