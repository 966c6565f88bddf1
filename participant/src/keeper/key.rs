//! The keeper's TLS key: its file, its pin, and the certificate that carries it.

pub use crate::key_file::NoKey;

use crate::key_file::{self, Kind};
use mcbn_manifest::Pin;
use rcgen::{CertificateParams, KeyPair, PublicKeyData};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use std::fmt::{self, Debug};
use std::path::Path;

/// A P-256 key. Its pin stands in the manifest.
pub struct Key(KeyPair);

impl Key {
    /// Draws a key and writes it to a new file that only its owner reads, as PKCS #8 in PEM.
    ///
    /// # Errors
    ///
    /// The file is there already, or cannot be written; it may be left empty then.
    pub fn create(path: &Path) -> Result<Key, NoKey> {
        key_file::create(path, Kind::Tls).map(Key)
    }

    /// # Errors
    ///
    /// Others can open the file, or it holds no P-256 key.
    pub fn read(path: &Path) -> Result<Key, NoKey> {
        key_file::read(path, Kind::Tls).map(Key)
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
        let long = " ".repeat(key_file::LONGEST + 1);
        let p256 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let public = p256.public_key_pem();
        for (n, text) in ["", "a text", &pem, &long, &public].into_iter().enumerate() {
            let path = folder.path().join(n.to_string());
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
            assert!(
                matches!(Key::read(&path), Err(NoKey::NotAKey(Kind::Tls))),
                "{n}"
            );
        }
        let path = folder.path().join("der");
        fs::write(&path, der).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        assert!(matches!(Key::read(&path), Err(NoKey::NotAKey(Kind::Tls))));
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
