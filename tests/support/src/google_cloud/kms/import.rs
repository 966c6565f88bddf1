//! Import jobs: where a key that was made elsewhere is unwrapped.
//!
//! The methods `RSA_OAEP_3072_SHA256_AES_256` and `RSA_OAEP_4096_SHA256_AES_256`: an AES-256 key, wrapped for the job with
//! RSAES-OAEP of SHA-256, and after it the key in PKCS#8, wrapped with that by AES-KWP ([RFC 5649]).
//!
//! [RFC 5649]: https://www.rfc-editor.org/rfc/rfc5649

use openssl::cipher::Cipher;
use openssl::cipher_ctx::{CipherCtx, CipherCtxFlags};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;

use super::oaep;

/// A job, with a key of its own.
pub struct ImportJob {
    key: PKey<Private>,
    bits: u32,
}

/// What is wrong with a wrapped key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadBlob {
    /// It is shorter than what wraps it.
    Length,
    /// The AES key is not wrapped for this job.
    Oaep,
    /// The rest is not wrapped with that AES key.
    Kwp,
    /// What was wrapped is no private key in PKCS#8.
    Key,
    /// It is no key of the version's algorithm.
    Algorithm,
}

impl ImportJob {
    /// One of 3072 or 4096 bits.
    pub fn start(bits: u32) -> Self {
        assert!(
            [3072, 4096].contains(&bits),
            "no import method has {bits} bits"
        );
        let key = Rsa::generate(bits).and_then(PKey::from_rsa);
        Self {
            key: key.expect("OpenSSL makes RSA keys"),
            bits,
        }
    }

    /// The job's import method.
    pub fn method(&self) -> String {
        format!("RSA_OAEP_{}_SHA256_AES_256", self.bits)
    }

    /// What keys are wrapped for: the job's `publicKey.pem`.
    pub fn public_key_pem(&self) -> String {
        let pem = self.key.public_key_to_pem().expect("it has a public half");
        String::from_utf8(pem).expect("PEM is ASCII")
    }

    /// What was wrapped.
    pub fn unwrap(&self, wrapped: &[u8]) -> Result<Vec<u8>, BadBlob> {
        let (aes, key) = wrapped
            .split_at_checked(self.key.size())
            .ok_or(BadBlob::Length)?;
        let aes = oaep::decrypt(&self.key, MessageDigest::sha256(), aes);
        let aes = aes.map_err(|_| BadBlob::Oaep)?;
        let aes: [u8; 32] = aes.try_into().map_err(|_| BadBlob::Oaep)?;
        kwp(&aes, key).map_err(|_| BadBlob::Kwp)
    }
}

fn kwp(key: &[u8; 32], wrapped: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let mut context = CipherCtx::new()?;
    context.set_flags(CipherCtxFlags::FLAG_WRAP_ALLOW);
    context.decrypt_init(Some(Cipher::aes_256_wrap_pad()), Some(key), None)?;
    let mut unwrapped = vec![0; wrapped.len() + 16];
    let length = context.cipher_update(wrapped, Some(&mut unwrapped))?;
    unwrapped.truncate(length);
    Ok(unwrapped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrap(job: &ImportJob, secret: &[u8]) -> Vec<u8> {
        let public = PKey::public_key_from_pem(job.public_key_pem().as_bytes()).unwrap();
        let aes = [7; 32];
        let mut wrapped = oaep::encrypt(&public, MessageDigest::sha256(), &aes).unwrap();
        let mut context = CipherCtx::new().unwrap();
        context.set_flags(CipherCtxFlags::FLAG_WRAP_ALLOW);
        let cipher = Cipher::aes_256_wrap_pad();
        context
            .encrypt_init(Some(cipher), Some(&aes), None)
            .unwrap();
        // The crate's own vectors are too short for what padding adds: OpenSSL would write behind their ends.
        let mut sealed = vec![0; secret.len() + 16];
        let length = context.cipher_update(secret, Some(&mut sealed)).unwrap();
        wrapped.extend(&sealed[..length]);
        wrapped
    }

    #[test]
    fn what_was_wrapped_for_the_job_is_unwrapped() {
        let job = ImportJob::start(3072);
        assert_eq!(job.method(), "RSA_OAEP_3072_SHA256_AES_256");
        // Of a length that is padded.
        let secret = [1; 45];
        assert_eq!(job.unwrap(&wrap(&job, &secret)).unwrap(), secret);
    }

    #[test]
    fn a_blob_that_was_changed_is_refused() {
        let job = ImportJob::start(3072);
        let mut wrapped = wrap(&job, &[1; 48]);
        assert_eq!(job.unwrap(&wrapped[..383]), Err(BadBlob::Length));
        assert_eq!(job.unwrap(&wrapped[..wrapped.len() - 8]), Err(BadBlob::Kwp));
        *wrapped.last_mut().unwrap() ^= 1;
        assert_eq!(job.unwrap(&wrapped), Err(BadBlob::Kwp));
        wrapped[9] ^= 1;
        assert_eq!(job.unwrap(&wrapped), Err(BadBlob::Oaep));
    }
}
