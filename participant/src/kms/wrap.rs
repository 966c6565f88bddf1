//! RSA-OAEP-AES-256, by OpenSSL.

use openssl::cipher::{Cipher, CipherRef};
use openssl::cipher_ctx::{CipherCtx, CipherCtxFlags};
use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private, Public};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rand::rand_priv_bytes;
use openssl::rsa::Padding;
use std::fmt::{self, Display};
use zeroize::Zeroizing;

/// The public key of an import job.
pub struct Job(PKey<Public>);

impl Job {
    /// # Errors
    ///
    /// Not PEM of an RSA public key of 3072 or 4096 bits.
    pub fn parse(pem: &[u8]) -> Result<Job, NotAJob> {
        let key = PKey::public_key_from_pem(pem).map_err(|_| NotAJob)?;
        match (key.id(), key.bits()) {
            (Id::RSA, 3072 | 4096) => Ok(Job(key)),
            _ => Err(NotAJob),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAJob;

impl Display for NotAJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the public key of an import job: RSA of 3072 or 4096 bits, in PEM")
    }
}

/// A key of a kind that Cloud KMS keeps.
pub struct PrivateKey(PKey<Private>);

impl PrivateKey {
    /// # Errors
    ///
    /// [`NotAKey`]
    pub fn parse(bytes: &[u8]) -> Result<PrivateKey, NotAKey> {
        // Without a passphrase: OpenSSL's own way would ask the terminal for one.
        let key = match bytes.starts_with(b"-----BEGIN ") {
            true => PKey::private_key_from_pem_callback(bytes, |_| Ok(0)),
            false => PKey::private_key_from_der(bytes),
        };
        let key = key.map_err(|_| NotAKey::Form)?;
        let is_kept = match key.id() {
            Id::RSA => matches!(key.bits(), 2048 | 3072 | 4096),
            Id::EC => {
                let curve = key.ec_key().ok().and_then(|key| key.group().curve_name());
                matches!(curve, Some(Nid::X9_62_PRIME256V1 | Nid::SECP384R1))
            }
            _ => false,
        };
        match is_kept {
            true => Ok(PrivateKey(key)),
            false => Err(NotAKey::Kind),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAKey {
    Form,
    Kind,
}

impl Display for NotAKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotAKey::Form => "not a private key in PKCS #8, PEM or DER, without a passphrase",
            NotAKey::Kind => "neither RSA of 2048, 3072 or 4096 bits, nor P-256 or P-384",
        })
    }
}

/// The AES key under OAEP with SHA-256, then the private key as PKCS #8 DER under AES key wrap with padding
/// ([RFC 5649](https://www.rfc-editor.org/rfc/rfc5649)).
pub fn wrap(key: &PrivateKey, job: &Job) -> Result<Vec<u8>, ErrorStack> {
    let mut aes = Zeroizing::new([0; 32]);
    rand_priv_bytes(&mut aes[..])?;
    let mut wrapped = oaep(&job.0, &aes)?;
    let pkcs8 = Zeroizing::new(key.0.private_key_to_pkcs8()?);
    wrapped.extend(key_wrap(Cipher::aes_256_wrap_pad(), &aes[..], &pkcs8)?);
    Ok(wrapped)
}

fn oaep(job: &PKey<Public>, aes: &[u8; 32]) -> Result<Vec<u8>, ErrorStack> {
    let mut context = PkeyCtx::new(job)?;
    context.encrypt_init()?;
    context.set_rsa_padding(Padding::PKCS1_OAEP)?;
    context.set_rsa_oaep_md(Md::sha256())?;
    context.set_rsa_mgf1_md(Md::sha256())?;
    let mut wrapped = Vec::new();
    context.encrypt_to_vec(aes, &mut wrapped)?;
    Ok(wrapped)
}

fn key_wrap(cipher: &CipherRef, key: &[u8], plain: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let mut context = CipherCtx::new()?;
    context.set_flags(CipherCtxFlags::FLAG_WRAP_ALLOW);
    context.encrypt_init(Some(cipher), Some(key), None)?;
    // The vector's own way reserves too little for this mode, and OpenSSL writes past it: up to 7 bytes of padding and a
    // block of 8 bytes before all.
    let mut wrapped = vec![0; plain.len() + 7 + 8];
    let written = context.cipher_update(plain, Some(&mut wrapped))?;
    wrapped.truncate(written);
    Ok(wrapped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::ec::{EcGroup, EcKey};
    use openssl::rsa::Rsa;
    use openssl::symm;

    fn rsa(bits: u32) -> PKey<Private> {
        PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap()
    }

    fn ec(curve: Nid) -> PKey<Private> {
        let group = EcGroup::from_curve_name(curve).unwrap();
        PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
    }

    fn job() -> (PKey<Private>, Job) {
        let private = rsa(3072);
        let pem = private.public_key_to_pem().unwrap();
        (private, Job::parse(&pem).unwrap())
    }

    fn open(job: &PKey<Private>, wrapped: &[u8]) -> Vec<u8> {
        let (under_rsa, under_aes) = wrapped.split_at(job.size());
        let mut context = PkeyCtx::new(job).unwrap();
        context.decrypt_init().unwrap();
        context.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
        context.set_rsa_oaep_md(Md::sha256()).unwrap();
        context.set_rsa_mgf1_md(Md::sha256()).unwrap();
        let mut aes = Vec::new();
        context.decrypt_to_vec(under_rsa, &mut aes).unwrap();
        let mut context = CipherCtx::new().unwrap();
        context.set_flags(CipherCtxFlags::FLAG_WRAP_ALLOW);
        let cipher = Cipher::aes_256_wrap_pad();
        context
            .decrypt_init(Some(cipher), Some(&aes), None)
            .unwrap();
        let mut plain = vec![0; under_aes.len() + 8];
        let written = context.cipher_update(under_aes, Some(&mut plain)).unwrap();
        plain.truncate(written);
        plain
    }

    #[test]
    fn whoever_has_the_job_s_private_key_opens_it() {
        let (private, job) = job();
        for key in [rsa(2048), ec(Nid::X9_62_PRIME256V1), ec(Nid::SECP384R1)] {
            let pkcs8 = key.private_key_to_pkcs8().unwrap();
            for form in [pkcs8.clone(), key.private_key_to_pem_pkcs8().unwrap()] {
                let parsed = PrivateKey::parse(&form).unwrap();
                let wrapped = wrap(&parsed, &job).unwrap();
                assert_eq!(open(&private, &wrapped), pkcs8);
                assert_ne!(wrapped, wrap(&parsed, &job).unwrap(), "one AES key each");
            }
        }
    }

    /// [RFC 5649 §6](https://www.rfc-editor.org/rfc/rfc5649#section-6), with its key of 192 bits: the padding is the same.
    #[test]
    fn the_padding_is_that_of_rfc_5649() {
        let key = hex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8");
        let plain = hex("c37b7e6492584340bed12207808941155068f738");
        let wrapped = key_wrap(Cipher::aes_192_wrap_pad(), &key, &plain).unwrap();
        let expected = hex("138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a");
        assert_eq!(wrapped, expected);
    }

    fn hex(text: &str) -> Vec<u8> {
        base16ct::lower::decode_vec(text).unwrap()
    }

    #[test]
    fn other_keys_are_refused() {
        let kind = |key: &PKey<Private>| {
            let pkcs8 = key.private_key_to_pkcs8().unwrap();
            PrivateKey::parse(&pkcs8).err()
        };
        assert_eq!(kind(&rsa(1024)), Some(NotAKey::Kind));
        assert_eq!(kind(&ec(Nid::SECP521R1)), Some(NotAKey::Kind));
        let ed25519 = PKey::generate_ed25519().unwrap();
        assert_eq!(kind(&ed25519), Some(NotAKey::Kind));
        let key = ec(Nid::X9_62_PRIME256V1);
        let cipher = symm::Cipher::aes_256_cbc();
        for form in [
            b"".to_vec(),
            b"-----BEGIN PRIVATE KEY-----\n".to_vec(),
            key.public_key_to_pem().unwrap(),
            key.private_key_to_pem_pkcs8_passphrase(cipher, b"secret")
                .unwrap(),
        ] {
            assert_eq!(PrivateKey::parse(&form).err(), Some(NotAKey::Form));
        }
    }

    #[test]
    fn another_job_s_key_is_refused() {
        for key in [rsa(2048), ec(Nid::X9_62_PRIME256V1)] {
            let pem = key.public_key_to_pem().unwrap();
            assert_eq!(Job::parse(&pem).err(), Some(NotAJob));
        }
        assert_eq!(Job::parse(b"").err(), Some(NotAJob));
        let private = rsa(3072).private_key_to_pem_pkcs8().unwrap();
        assert_eq!(Job::parse(&private).err(), Some(NotAJob));
    }
}
