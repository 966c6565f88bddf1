//! `mcbn threshold`: takes part in making a key that nobody has.

mod folder;
mod generate;
mod key;
mod session;
mod verify;

pub use generate::GENERATE;
pub use key::KEY;
pub use verify::{FINISH, VERIFY};

use crate::key_file;
use crate::manifest::{self, NotRead};
use mcbn_ceremony::approval::SigningKey;
use mcbn_ceremony::generation::Expected;
use mcbn_ceremony::{NotAgreed, Purpose, Terms};
use mcbn_manifest::Manifest;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::settings::{Given, Reported, Setting};
use mcbn_share::Participant;
use mcbn_threshold::Index;
use std::error::Error;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

/// The program that is joined, as the manifest names it.
const WORKLOAD: &str = "threshold-generate";

const MANIFEST: Setting = Setting::value(
    "manifest",
    "FILE",
    "the consent manifest: who takes part and with which keys, and the image that may make the key",
)
.required();

const PARTICIPANT: Setting = Setting::value(
    "participant",
    "NAME",
    "who takes part, by the manifest's name",
)
.required();

const PURPOSE: Setting = Setting::value(
    "purpose",
    "TEXT",
    "what the key will be for, as all have agreed; the server must say the same, to the letter",
)
.required();

/// What a participant agreed on with the others, and goes by.
struct Agreed {
    manifest: Manifest,
    participant: Participant,
    expected: Expected,
}

struct AgreedConfig {
    manifest: PathBuf,
    participant: Participant,
    purpose: Purpose,
}

impl AgreedConfig {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        let manifest = given.one(&MANIFEST);
        let participant = given.one(&PARTICIPANT);
        let purpose = given.one(&PURPOSE);
        Ok(Self {
            manifest: manifest?,
            participant: participant?,
            purpose: purpose?,
        })
    }

    fn agreed(self) -> Result<Agreed, NotAgreedOn> {
        let manifest = manifest::read(&self.manifest).map_err(NotAgreedOn::Manifest)?;
        let terms = Terms::agreed(&manifest, WORKLOAD).map_err(NotAgreedOn::Terms)?;
        let members = manifest.participants().iter();
        let mut numbered = members.zip(Index::all(terms.participants().count()));
        let own = numbered.find(|(member, _)| member.name == self.participant);
        let Some((_, index)) = own else {
            return Err(NotAgreedOn::NotAMember(self.participant));
        };
        Ok(Agreed {
            expected: Expected {
                terms,
                purpose: self.purpose,
                index,
            },
            manifest,
            participant: self.participant,
        })
    }
}

impl Agreed {
    fn names(&self, indices: &[Index]) -> String {
        let members = self.manifest.participants();
        let name = |index: &Index| members.get(usize::from(index.get()) - 1);
        let names = indices.iter().filter_map(name);
        let names: Vec<&str> = names.map(|member| member.name.as_str()).collect();
        names.join(", ")
    }

    /// The private key in this file, which must be that of the manifest.
    fn key(&self, path: &Path) -> Result<OwnKey, NotOwnKey> {
        let pair = key_file::read(path, key_file::Kind::Signing).map_err(NotOwnKey::File)?;
        let der = pair.serialize_der();
        let key = SigningKey::from_pkcs8(&der).map_err(|_| NotOwnKey::Other)?;
        let named = self.expected.terms.participants().key(self.expected.index);
        match named == Some(&key.public()) {
            true => Ok(OwnKey { key, pair }),
            false => Err(NotOwnKey::Other),
        }
    }
}

struct OwnKey {
    key: SigningKey,
    pair: rcgen::KeyPair,
}

/// The manifest does not say what is needed, or was not read.
#[derive(Debug)]
enum NotAgreedOn {
    Manifest(NotRead),
    Terms(NotAgreed),
    NotAMember(Participant),
}

impl Display for NotAgreedOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest(error) => error.fmt(f),
            Self::Terms(_) => f.write_str("the manifest does not say how a key is made"),
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
enum NotOwnKey {
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
