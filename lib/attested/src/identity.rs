//! The key that an end shows, and the certificate that carries it.

use mcbn_manifest::Pin;
use mcbn_tls13::Shows;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData};
use rustls_pki_types::PrivatePkcs8KeyDer;
use std::error::Error;
use std::fmt::{self, Debug, Display};

/// A P-256 or Ed25519 key.
pub struct Identity(KeyPair);

impl Identity {
    /// Draws a P-256 key. It is in memory only: a server has another one after each start.
    ///
    /// # Errors
    ///
    /// There are no random numbers.
    pub fn ephemeral() -> Result<Identity, NoIdentity> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256);
        key.map(Identity).map_err(|_| NoIdentity::Random)
    }

    /// A participant's own key, in PKCS #8. Wiping the original is left to the caller.
    ///
    /// # Errors
    ///
    /// Not a key of these two kinds.
    pub fn from_pkcs8(der: &PrivatePkcs8KeyDer<'_>) -> Result<Identity, NoIdentity> {
        let key = KeyPair::try_from(der).map_err(|_| NoIdentity::NotAKey)?;
        let kinds = [&PKCS_ECDSA_P256_SHA256, &PKCS_ED25519];
        match kinds.iter().any(|kind| key.is_compatible(kind)) {
            true => Ok(Identity(key)),
            false => Err(NoIdentity::NotAKey),
        }
    }

    /// What the other end knows it by.
    pub fn pin(&self) -> Pin {
        Pin::of_key(&self.0.subject_public_key_info())
    }

    /// For the TLS stack, which holds the key from then on. The certificate vouches for nothing: it is self-signed, and
    /// the other end looks at its key alone.
    pub(crate) fn into_parts(self) -> Result<Shows, NoIdentity> {
        let parameters = CertificateParams::new(["attested.invalid".into()]);
        let signed = parameters.and_then(|parameters| parameters.self_signed(&self.0));
        let certificate = signed.map_err(|_| NoIdentity::Random)?;
        let private = PrivatePkcs8KeyDer::from(self.0.serialize_der());
        Ok((vec![certificate.into()], private.into()))
    }
}

impl Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.pin())
    }
}

/// There is no key to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoIdentity {
    NotAKey,
    Random,
}

impl Display for NoIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoIdentity::NotAKey => "not a P-256 or Ed25519 key in PKCS #8",
            NoIdentity::Random => "the system's random numbers cannot be had",
        })
    }
}

impl Error for NoIdentity {}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::PKCS_ECDSA_P384_SHA384;
    use rustls::server::ParsedCertificate;
    use sha2::{Digest, Sha256};

    fn of(key: &KeyPair) -> Result<Identity, NoIdentity> {
        Identity::from_pkcs8(&PrivatePkcs8KeyDer::from(key.serialize_der()))
    }

    #[test]
    fn the_certificate_carries_the_key_with_the_pin() {
        for kind in [&PKCS_ECDSA_P256_SHA256, &PKCS_ED25519] {
            let key = KeyPair::generate_for(kind).unwrap();
            let identity = of(&key).unwrap();
            let pin = identity.pin();
            assert_eq!(pin.0, *Sha256::digest(key.subject_public_key_info()));
            let (certificates, _) = identity.into_parts().unwrap();
            let parsed = ParsedCertificate::try_from(&certificates[0]).unwrap();
            assert_eq!(pin.0, *Sha256::digest(parsed.subject_public_key_info()));
            assert_eq!(certificates.len(), 1);
        }
    }

    #[test]
    fn each_start_has_another_key() {
        let (a, b) = (Identity::ephemeral(), Identity::ephemeral());
        assert_ne!(a.unwrap().pin(), b.unwrap().pin());
    }

    #[test]
    fn another_kind_of_key_is_refused() {
        let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        assert_eq!(of(&p384).unwrap_err(), NoIdentity::NotAKey);
        let garbage = PrivatePkcs8KeyDer::from(vec![0x30, 0]);
        let refused = Identity::from_pkcs8(&garbage).unwrap_err();
        assert_eq!(refused, NoIdentity::NotAKey);
    }

    #[test]
    fn it_is_shown_by_its_pin() {
        let identity = Identity::ephemeral().unwrap();
        let shown = format!("{identity:?}");
        assert_eq!(shown, format!("Identity({})", identity.pin()));
    }
}
