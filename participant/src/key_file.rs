//! A participant's private keys in their files: PKCS #8 in PEM, which only their owner reads.

use crate::secret_file::{self, Unreadable};
use mcbn_runtime::exit::Exit;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SignatureAlgorithm};
use std::error::Error;
use std::fmt::{self, Display};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A keeper answers with it: P-256.
    Tls,
    /// A participant approves with it: Ed25519.
    Signing,
}

impl Kind {
    fn algorithm(self) -> &'static SignatureAlgorithm {
        match self {
            Kind::Tls => &PKCS_ECDSA_P256_SHA256,
            Kind::Signing => &PKCS_ED25519,
        }
    }
}

/// Characters of the largest file that is read as a key.
pub const LONGEST: usize = 4096;

/// Draws a key and writes it to a new file.
///
/// # Errors
///
/// The file is there already, or cannot be written; it may be left empty then.
pub fn create(path: &Path, kind: Kind) -> Result<KeyPair, NoKey> {
    let key = KeyPair::generate_for(kind.algorithm()).map_err(|_| NoKey::Random)?;
    // It is the file that was asked for.
    let pem = Zeroizing::new(key.serialize_pem());
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o400)
        .open(path)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()?;
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(key)
}

/// # Errors
///
/// Others can open the file, or it holds no key of this kind.
pub fn read(path: &Path, kind: Kind) -> Result<KeyPair, NoKey> {
    let not_a_key = || NoKey::NotAKey(kind);
    let pem = secret_file::read(path, LONGEST).map_err(|error| match error {
        Unreadable::OpenToOthers => NoKey::OpenToOthers,
        Unreadable::TooLong => not_a_key(),
        Unreadable::Io(error) => NoKey::Io(error),
    })?;
    let pem = str::from_utf8(&pem).map_err(|_| not_a_key())?;
    let key = KeyPair::from_pem(pem).map_err(|_| not_a_key())?;
    match key.is_compatible(kind.algorithm()) {
        true => Ok(key),
        false => Err(not_a_key()),
    }
}

/// There is no key.
#[derive(Debug)]
pub enum NoKey {
    NotAKey(Kind),
    OpenToOthers,
    Random,
    Io(io::Error),
}

impl NoKey {
    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            NoKey::NotAKey(Kind::Tls) => Some("mcbn keeper key makes one"),
            NoKey::NotAKey(Kind::Signing) => Some("mcbn threshold key makes one"),
            NoKey::OpenToOthers => {
                Some("chmod 0400, and make another key if others may have read it")
            }
            NoKey::Io(error) if error.kind() == io::ErrorKind::AlreadyExists => Some(
                "a key that a manifest names is not replaced; move it away first if it must be",
            ),
            NoKey::Random | NoKey::Io(_) => None,
        }
    }
}

impl From<io::Error> for NoKey {
    fn from(error: io::Error) -> NoKey {
        NoKey::Io(error)
    }
}

impl Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoKey::NotAKey(Kind::Tls) => "the file holds no P-256 key as PKCS #8 in PEM",
            NoKey::NotAKey(Kind::Signing) => "the file holds no Ed25519 key as PKCS #8 in PEM",
            NoKey::OpenToOthers => "other users of this machine can open the file of the key",
            NoKey::Random => "the system's random numbers cannot be had",
            NoKey::Io(_) => "cannot open the file of the key",
        })
    }
}

impl Error for NoKey {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NoKey::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl NoKey {
    pub fn exit(&self) -> Exit {
        match self {
            NoKey::NotAKey(_) => Exit::Usage,
            NoKey::OpenToOthers => Exit::Refused,
            NoKey::Random => Exit::Platform,
            NoKey::Io(_) => Exit::Io,
        }
    }
}
