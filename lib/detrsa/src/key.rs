//! A key and its encodings.

use crate::number::{context, predecessor, secret, secret_copy};
use base64ct::{Base64UrlUnpadded, Encoding};
use openssl::bn::{BigNum, BigNumRef};
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// Of every key here.
pub const PUBLIC_EXPONENT: u32 = 65537;

/// An RSA private key with two primes.
pub struct RsaKey {
    spki: Vec<u8>,
    pkcs1: PrivateDer,
    pkcs8: PrivateDer,
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaKey(..)")
    }
}

/// DER of a private key; wiped after use.
pub struct PrivateDer(Zeroizing<Vec<u8>>);

impl PrivateDer {
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PrivateDer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateDer(..)")
    }
}

/// SHA-256 of a SubjectPublicKeyInfo; shown as 43 characters of base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpkiSha256(pub [u8; 32]);

impl fmt::Display for SpkiSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 43];
        let text = Base64UrlUnpadded::encode(&self.0, &mut text);
        f.write_str(text.expect("32 bytes are 43 characters"))
    }
}

impl RsaKey {
    /// DER SubjectPublicKeyInfo ([RFC 5280 §4.1](https://www.rfc-editor.org/rfc/rfc5280#section-4.1)). Not a secret.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// What a person compares.
    pub fn spki_sha256(&self) -> SpkiSha256 {
        SpkiSha256(Sha256::digest(&self.spki).into())
    }

    /// RSAPrivateKey ([RFC 8017 §A.1.2](https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1.2)).
    pub fn pkcs1_der(&self) -> &PrivateDer {
        &self.pkcs1
    }

    /// PrivateKeyInfo ([RFC 5208 §5](https://www.rfc-editor.org/rfc/rfc5208#section-5)).
    pub fn pkcs8_der(&self) -> &PrivateDer {
        &self.pkcs8
    }

    /// Of these primes; the larger becomes p.
    pub(crate) fn of_primes(p: &BigNumRef, q: &BigNumRef) -> Result<RsaKey, ErrorStack> {
        if p > q {
            RsaKey::of_ordered_primes(p, q)
        } else {
            RsaKey::of_ordered_primes(q, p)
        }
    }

    pub(crate) fn of_ordered_primes(p: &BigNumRef, q: &BigNumRef) -> Result<RsaKey, ErrorStack> {
        let mut context = context()?;
        let e = BigNum::from_u32(PUBLIC_EXPONENT)?;
        let (p_less_1, q_less_1) = (predecessor(p)?, predecessor(q)?);

        let mut n = BigNum::new()?;
        n.checked_mul(p, q, &mut context)?;
        let (mut product, mut gcd, mut lambda) = (secret()?, secret()?, secret()?);
        product.checked_mul(&p_less_1, &q_less_1, &mut context)?;
        gcd.gcd(&p_less_1, &q_less_1, &mut context)?;
        lambda.checked_div(&product, &gcd, &mut context)?;
        lambda.set_const_time();
        let mut d = secret()?;
        d.mod_inverse(&e, &lambda, &mut context)?;
        d.set_const_time();
        let (mut d_p, mut d_q, mut q_inverse) = (secret()?, secret()?, secret()?);
        d_p.nnmod(&d, &p_less_1, &mut context)?;
        d_q.nnmod(&d, &q_less_1, &mut context)?;
        q_inverse.mod_inverse(q, p, &mut context)?;

        // OpenSSL wipes what an RSA key of its holds.
        let (p, q) = (secret_copy(p)?, secret_copy(q)?);
        let rsa = Rsa::from_private_components(n, e, d, p, q, d_p, d_q, q_inverse)?;
        let pkcs1 = PrivateDer(Zeroizing::new(rsa.private_key_to_der()?));
        let spki = rsa.public_key_to_der()?;
        let rsa = PKey::from_rsa(rsa)?;
        let pkcs8 = PrivateDer(Zeroizing::new(rsa.private_key_to_pkcs8()?));
        Ok(RsaKey { spki, pkcs1, pkcs8 })
    }
}
