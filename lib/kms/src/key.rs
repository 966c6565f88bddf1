//! The key: what is known of it here, and who signs with it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use mcbn_gcp::name::KeyVersionName;
use mcbn_gcp::{Algorithm, Digest, Failure, Hash, Kms, Protection};
use mcbn_tls13::provider;
use ring::digest;
use rustls::{SignatureAlgorithm, SignatureScheme};
use rustls_pki_types::{SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer};
use webpki::RawPublicKeyEntity;

use crate::credentials::Version;
use crate::error::Setup;

/// Signs digests with a key that is elsewhere, by the key's one algorithm.
pub trait Signs: Send + Sync + 'static {
    /// Ends when whoever signs lets it end: the caller sets the deadline.
    fn sign(&self, digest: Digest) -> impl Future<Output = Result<Vec<u8>, Failure>> + Send;
}

/// A key version in Cloud KMS.
#[derive(Clone, Debug)]
pub struct KmsKey {
    pub kms: Kms,
    pub name: KeyVersionName,
    /// How it must be kept, in each answer.
    pub protection: Protection,
}

impl KmsKey {
    /// Asks what the key is.
    pub async fn key(&self) -> Result<Key, Setup> {
        let public = self.kms.public_key(&self.name).await.map_err(Setup::Kms)?;
        if public.protection != self.protection {
            return Err(Setup::Protection {
                is: public.protection,
                must_be: self.protection,
            });
        }
        let algorithm = public.algorithm.map_err(Setup::Algorithm)?;
        Key::new(public.spki, algorithm)
    }
}

impl Signs for KmsKey {
    async fn sign(&self, digest: Digest) -> Result<Vec<u8>, Failure> {
        self.kms.sign(&self.name, &digest, self.protection).await
    }
}

/// The public half, and how the other one signs.
#[derive(Clone)]
pub struct Key(Arc<Known>);

struct Known {
    spki: Vec<u8>,
    algorithm: Algorithm,
    hash: Hash,
    scheme: SignatureScheme,
}

impl Key {
    /// `spki` is DER.
    pub fn new(spki: Vec<u8>, algorithm: Algorithm) -> Result<Key, Setup> {
        let hash = algorithm.signs().ok_or(Setup::NotASigner(algorithm))?;
        let scheme = scheme(algorithm).ok_or(Setup::NotASigner(algorithm))?;
        Ok(Key(Arc::new(Known {
            spki,
            algorithm,
            hash,
            scheme,
        })))
    }

    /// DER SubjectPublicKeyInfo.
    pub fn spki(&self) -> &[u8] {
        &self.0.spki
    }

    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    /// PKCS #1 has no place in CertificateVerify of TLS 1.3 ([RFC 8446 §4.2.3]).
    ///
    /// [RFC 8446 §4.2.3]: https://www.rfc-editor.org/rfc/rfc8446#section-4.2.3
    pub(crate) fn is_for(&self, version: Version) -> bool {
        let is_pkcs1 = matches!(self.0.algorithm, Algorithm::RsaPkcs1 { .. });
        !(is_pkcs1 && version == Version::Tls13)
    }

    /// The only one there is.
    pub(crate) fn scheme(&self) -> SignatureScheme {
        self.0.scheme
    }

    /// What TLS 1.2 chooses cipher suites by.
    pub(crate) fn kind(&self) -> SignatureAlgorithm {
        match self.0.algorithm {
            Algorithm::EcP256Sha256 | Algorithm::EcP384Sha384 => SignatureAlgorithm::ECDSA,
            _ => SignatureAlgorithm::RSA,
        }
    }

    pub(crate) fn digest(&self, message: &[u8]) -> Digest {
        fn of<const N: usize>(algorithm: &'static digest::Algorithm, message: &[u8]) -> [u8; N] {
            let digest = digest::digest(algorithm, message);
            digest
                .as_ref()
                .try_into()
                .expect("the hash is N bytes long")
        }
        match self.0.hash {
            Hash::Sha256 => Digest::Sha256(of(&digest::SHA256, message)),
            Hash::Sha384 => Digest::Sha384(of(&digest::SHA384, message)),
            Hash::Sha512 => Digest::Sha512(of(&digest::SHA512, message)),
        }
    }

    /// Whether the other half has signed this.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let spki = SubjectPublicKeyInfoDer::from(self.spki());
        let Ok(public) = RawPublicKeyEntity::try_from(&spki) else {
            return false;
        };
        let mut algorithms = algorithms(self.0.scheme).iter();
        algorithms.any(|with| public.verify_signature(*with, message, signature).is_ok())
    }
}

/// The signature scheme that is exactly this algorithm ([RFC 8446 §4.2.3]).
///
/// [RFC 8446 §4.2.3]: https://www.rfc-editor.org/rfc/rfc8446#section-4.2.3
fn scheme(algorithm: Algorithm) -> Option<SignatureScheme> {
    Some(match algorithm {
        Algorithm::EcP256Sha256 => SignatureScheme::ECDSA_NISTP256_SHA256,
        Algorithm::EcP384Sha384 => SignatureScheme::ECDSA_NISTP384_SHA384,
        Algorithm::RsaPss { hash, .. } => match hash {
            Hash::Sha256 => SignatureScheme::RSA_PSS_SHA256,
            Hash::Sha384 => SignatureScheme::RSA_PSS_SHA384,
            Hash::Sha512 => SignatureScheme::RSA_PSS_SHA512,
        },
        Algorithm::RsaPkcs1 { hash, .. } => match hash {
            Hash::Sha256 => SignatureScheme::RSA_PKCS1_SHA256,
            Hash::Sha384 => SignatureScheme::RSA_PKCS1_SHA384,
            Hash::Sha512 => SignatureScheme::RSA_PKCS1_SHA512,
        },
        Algorithm::RsaOaep { .. } => return None,
    })
}

fn algorithms(scheme: SignatureScheme) -> &'static [&'static dyn SignatureVerificationAlgorithm] {
    let known = provider().signature_verification_algorithms.mapping;
    let found = known.iter().find(|(known, _)| *known == scheme);
    found.map_or(&[], |(_, algorithms)| *algorithms)
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("algorithm", &self.0.algorithm)
            .finish_non_exhaustive()
    }
}
