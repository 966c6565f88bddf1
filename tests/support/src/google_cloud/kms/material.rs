//! The keys themselves, and what is done with them.

use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rand::rand_bytes;
use openssl::rsa::{Padding, Rsa};
use openssl::sign::RsaPssSaltlen;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};

use super::algorithm::{Algorithm, Entry, Family};
use super::import::BadBlob;
use super::oaep;

/// The private key of a version.
pub(super) struct Material(PKey<Private>);

impl Material {
    pub(super) fn generate(algorithm: Algorithm) -> Self {
        let key = match algorithm.entry().family {
            Family::Ec(curve) => EcGroup::from_curve_name(curve)
                .and_then(|group| EcKey::generate(&group))
                .and_then(PKey::from_ec_key),
            Family::Pss(bits) | Family::Pkcs1(bits) | Family::Oaep(bits) => {
                Rsa::generate(bits).and_then(PKey::from_rsa)
            }
        };
        Self(key.expect("OpenSSL makes keys"))
    }

    /// The key must be what the algorithm asks for.
    pub(super) fn import(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, BadBlob> {
        let key = PKey::private_key_from_pkcs8(pkcs8).map_err(|_| BadBlob::Key)?;
        let is_right = match algorithm.entry().family {
            Family::Ec(curve) => curve_of(&key) == Some(curve),
            Family::Pss(bits) | Family::Pkcs1(bits) | Family::Oaep(bits) => {
                key.rsa().is_ok() && key.bits() == bits
            }
        };
        is_right.then_some(Self(key)).ok_or(BadBlob::Algorithm)
    }

    pub(super) fn public_pem(&self) -> String {
        let pem = self.0.public_key_to_pem().expect("it has a public half");
        String::from_utf8(pem).expect("PEM is ASCII")
    }

    pub(super) fn public_der(&self) -> Vec<u8> {
        self.0.public_key_to_der().expect("it has a public half")
    }

    /// Signs a digest of the algorithm's hash. ECDSA's signatures are in DER, with a random number of their own.
    pub(super) fn sign(&self, entry: Entry, digest: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        if matches!(entry.family, Family::Ec(_)) {
            let key = self.0.ec_key()?;
            return EcdsaSig::sign(digest, &key)?.to_der();
        }
        let mut context = PkeyCtx::new(&self.0)?;
        context.sign_init()?;
        if matches!(entry.family, Family::Pss(_)) {
            context.set_rsa_padding(Padding::PKCS1_PSS)?;
            context.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
        } else {
            context.set_rsa_padding(Padding::PKCS1)?;
        }
        let hash = openssl::md::Md::from_nid(entry.hash.digest().type_());
        context.set_signature_md(hash.expect("OpenSSL has it under both names"))?;
        let mut signature = Vec::new();
        context.sign_to_vec(digest, &mut signature)?;
        Ok(signature)
    }

    /// What only [`Self::decrypt`] undoes.
    pub(super) fn encrypt(&self, entry: Entry, plaintext: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        oaep::encrypt(&self.0, entry.hash.digest(), plaintext)
    }

    pub(super) fn decrypt(&self, entry: Entry, ciphertext: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        oaep::decrypt(&self.0, entry.hash.digest(), ciphertext)
    }
}

fn curve_of(key: &PKey<Private>) -> Option<Nid> {
    key.ec_key().ok()?.group().curve_name()
}

/// A symmetric key of AES-256-GCM. Its ciphertexts are: nonce, tag, the rest.
#[derive(Clone)]
pub(super) struct SymmetricKey([u8; 32]);

const NONCE: usize = 12;
const TAG: usize = 16;

impl SymmetricKey {
    pub(super) fn generate() -> Self {
        let mut key = [0; 32];
        rand_bytes(&mut key).expect("OpenSSL has randomness");
        Self(key)
    }

    pub(super) fn encrypt(&self, plaintext: &[u8], additional_data: &[u8]) -> Vec<u8> {
        let mut sealed = vec![0; NONCE + TAG];
        let (nonce, tag) = sealed.split_at_mut(NONCE);
        rand_bytes(nonce).expect("OpenSSL has randomness");
        let ciphertext = encrypt_aead(
            Cipher::aes_256_gcm(),
            &self.0,
            Some(nonce),
            additional_data,
            plaintext,
            tag,
        );
        sealed.extend(ciphertext.expect("AES-GCM takes what the interface takes"));
        sealed
    }

    /// None: it is not of this key, or for other additional data.
    pub(super) fn decrypt(&self, sealed: &[u8], additional_data: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_at_checked(NONCE)?;
        let (tag, ciphertext) = rest.split_at_checked(TAG)?;
        decrypt_aead(
            Cipher::aes_256_gcm(),
            &self.0,
            Some(nonce),
            additional_data,
            ciphertext,
            tag,
        )
        .ok()
    }
}

#[cfg(test)]
mod tests {
    use openssl::hash::{MessageDigest, hash};
    use openssl::sign::Verifier;

    use super::*;

    #[test]
    fn signatures_are_those_of_the_algorithm() {
        for algorithm in [
            Algorithm::EcP256Sha256,
            Algorithm::EcP384Sha384,
            Algorithm::RsaPss2048Sha256,
            Algorithm::RsaPkcs1_2048Sha256,
            Algorithm::RsaPss4096Sha512,
        ] {
            let entry = algorithm.entry();
            let key = Material::generate(algorithm);
            let message = b"a message";
            let digest = hash(entry.hash.digest(), message).unwrap();
            let signature = key.sign(entry, &digest).unwrap();
            let mut verifier = Verifier::new(entry.hash.digest(), &key.0).unwrap();
            if let Family::Pss(_) = entry.family {
                verifier.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
                let length = RsaPssSaltlen::DIGEST_LENGTH;
                verifier.set_rsa_pss_saltlen(length).unwrap();
            }
            assert!(verifier.verify_oneshot(&signature, message).unwrap());
        }
    }

    #[test]
    fn a_ciphertext_of_another_key_or_for_other_data_is_refused() {
        let key = SymmetricKey::generate();
        let sealed = key.encrypt(b"share", b"of bob");
        assert_eq!(key.decrypt(&sealed, b"of bob").unwrap(), b"share");
        assert!(key.decrypt(&sealed, b"of eve").is_none());
        assert!(
            SymmetricKey::generate()
                .decrypt(&sealed, b"of bob")
                .is_none()
        );
        assert!(key.decrypt(&sealed[..NONCE], b"of bob").is_none());
    }

    #[test]
    fn a_key_of_another_algorithm_is_refused() {
        let p256 = Material::generate(Algorithm::EcP256Sha256);
        let pkcs8 = p256.0.private_key_to_pkcs8().unwrap();
        assert!(Material::import(Algorithm::EcP256Sha256, &pkcs8).is_ok());
        for other in [Algorithm::EcP384Sha384, Algorithm::RsaPss2048Sha256] {
            let refused = Material::import(other, &pkcs8).err();
            assert_eq!(refused, Some(BadBlob::Algorithm));
        }
        let digest = hash(MessageDigest::sha256(), b"no key").unwrap();
        let refused = Material::import(Algorithm::EcP256Sha256, &digest).err();
        assert_eq!(refused, Some(BadBlob::Key));
    }
}
