//! The keeper's TLS key: its file, its pin, and the certificate that carries it.

use mcbn_manifest::Pin;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// A P-256 key. Its pin stands in the manifest.
pub struct Key(KeyPair);

/// Characters of the largest file that is read as a key.
const LONGEST: u64 = 4096;

impl Key {
    /// Draws a key and writes it to a new file that only its owner reads, as PKCS #8 in PEM.
    ///
    /// # Errors
    ///
    /// The file is there already, or cannot be written; it may be left empty then.
    pub fn create(path: &Path) -> Result<Key, NoKey> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|_| NoKey::Random)?;
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
        Ok(Key(key))
    }

    /// # Errors
    ///
    /// Others can open the file, or it holds no P-256 key.
    pub fn read(path: &Path) -> Result<Key, NoKey> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_file() && metadata.mode() & 0o077 != 0 {
            return Err(NoKey::OpenToOthers);
        }
        // Room for all of it: a buffer that grows leaves copies behind.
        let mut pem = Zeroizing::new(String::with_capacity(LONGEST as usize + 1));
        let read = file.take(LONGEST + 1).read_to_string(&mut pem);
        match read {
            Ok(length) if length as u64 <= LONGEST => {}
            Ok(_) => return Err(NoKey::NotAKey),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(NoKey::NotAKey),
            Err(error) => return Err(error.into()),
        }
        let key = KeyPair::from_pem(&pem).map_err(|_| NoKey::NotAKey)?;
        match key.is_compatible(&PKCS_ECDSA_P256_SHA256) {
            true => Ok(Key(key)),
            false => Err(NoKey::NotAKey),
        }
    }

    /// What the participants write in the manifest.
    pub fn pin(&self) -> Pin {
        Pin(Sha256::digest(self.0.subject_public_key_info()).into())
    }

    /// A certificate for a TLS stack to carry the key in. It vouches for nothing: clients look at the pin alone.
    pub fn certificate(&self) -> Result<CertificateDer<'static>, NoKey> {
        let parameters = CertificateParams::new(["keeper.invalid".into()]);
        let signed = parameters.and_then(|parameters| parameters.self_signed(&self.0));
        signed.map(Into::into).map_err(|_| NoKey::Random)
    }

    /// For the TLS stack, which holds it from then on.
    pub fn into_private(self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.0.serialize_der()))
    }
}

impl Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.pin())
    }
}

/// There is no key.
#[derive(Debug)]
pub enum NoKey {
    NotAKey,
    OpenToOthers,
    Random,
    Io(io::Error),
}

impl NoKey {
    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            NoKey::NotAKey => Some("mcbn keeper key makes one"),
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
            NoKey::NotAKey => "the file holds no P-256 key as PKCS #8 in PEM",
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use tempfile::TempDir;

    #[test]
    fn a_key_that_was_made_is_read_again() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("key");
        let made = Key::create(&path).unwrap();
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o400);
        assert_eq!(Key::read(&path).unwrap().pin(), made.pin());
        assert!(!format!("{made:?}").contains("PRIVATE"));
    }

    #[test]
    fn a_key_is_not_replaced() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("key");
        let pin = Key::create(&path).unwrap().pin();
        assert!(matches!(Key::create(&path), Err(NoKey::Io(_))));
        assert_eq!(Key::read(&path).unwrap().pin(), pin);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("key");
        Key::create(&path).unwrap();
        for mode in [0o404, 0o440, 0o602] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert!(matches!(Key::read(&path), Err(NoKey::OpenToOthers)));
        }
    }

    #[test]
    fn a_file_without_such_a_key_is_refused() {
        let folder = TempDir::new().unwrap();
        let other = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let (pem, der) = (other.serialize_pem(), other.serialize_der());
        let long = " ".repeat(LONGEST as usize + 1);
        let p256 = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let public = p256.public_key_pem();
        for (n, text) in ["", "a text", &pem, &long, &public].into_iter().enumerate() {
            let path = folder.path().join(n.to_string());
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
            assert!(matches!(Key::read(&path), Err(NoKey::NotAKey)), "{n}");
        }
        let path = folder.path().join("der");
        fs::write(&path, der).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        assert!(matches!(Key::read(&path), Err(NoKey::NotAKey)));
    }

    #[test]
    fn the_pin_is_that_of_the_certificates_key() {
        let folder = TempDir::new().unwrap();
        let key = Key::create(&folder.path().join("key")).unwrap();
        let certificate = key.certificate().unwrap();
        let spki = key.0.subject_public_key_info();
        let found = certificate.windows(spki.len()).any(|part| part == spki);
        assert!(found, "the certificate carries another key");
        assert_eq!(key.pin().0, *Sha256::digest(spki));
    }
}
