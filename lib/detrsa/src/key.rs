//! A key and its encodings.

use base64ct::{Base64UrlUnpadded, Encoding};
use openssl::bn::{BigNum, BigNumContext, BigNumRef};
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

    /// Of these primes.
    pub(crate) fn of_primes(p: &BigNumRef, q: &BigNumRef) -> Result<RsaKey, ErrorStack> {
        let (p, q) = if p > q { (p, q) } else { (q, p) };
        let mut ctx = BigNumContext::new_secure()?;
        let secret = BigNum::new_secure;
        let e = BigNum::from_u32(PUBLIC_EXPONENT)?;
        let (mut p1, mut q1) = (p.to_owned()?, q.to_owned()?);
        p1.sub_word(1)?;
        q1.sub_word(1)?;
        let mut n = BigNum::new()?;
        n.checked_mul(p, q, &mut ctx)?;
        let (mut phi, mut gcd, mut lambda, mut d) = (secret()?, secret()?, secret()?, secret()?);
        phi.checked_mul(&p1, &q1, &mut ctx)?;
        gcd.gcd(&p1, &q1, &mut ctx)?;
        lambda.checked_div(&phi, &gcd, &mut ctx)?;
        d.mod_inverse(&e, &lambda, &mut ctx)?;
        let (mut dp, mut dq, mut qinv) = (secret()?, secret()?, secret()?);
        dp.nnmod(&d, &p1, &mut ctx)?;
        dq.nnmod(&d, &q1, &mut ctx)?;
        qinv.mod_inverse(q, p, &mut ctx)?;
        let rsa =
            Rsa::from_private_components(n, e, d, p.to_owned()?, q.to_owned()?, dp, dq, qinv)?;
        let pkcs1 = PrivateDer(Zeroizing::new(rsa.private_key_to_der()?));
        let spki = rsa.public_key_to_der()?;
        let pkcs8 = PrivateDer(Zeroizing::new(PKey::from_rsa(rsa)?.private_key_to_pkcs8()?));
        Ok(RsaKey { spki, pkcs1, pkcs8 })
    }
}
