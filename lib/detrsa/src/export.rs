//! A key for programs that must hold it themselves.
//!
//! What is written here is under nobody's consent any more: whoever reads the file is the network's member for as long as
//! the seed lives, whatever the participants withdraw. A program calls this only where its operator named the danger.
//!
//! No encoding holds the seed, which GnuTLS would write into a provable key: another key may be made from it.

mod passphrase;

pub use passphrase::{NotAPassphrase, Passphrase};

use crate::{Error, RsaKey};
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use std::fmt;
use zeroize::Zeroizing;

/// Of PBKDF2 and of the integrity key: what OWASP recommends for SHA-256, as a person chose the passphrase. OpenSSL and
/// keytool read it; their own files have 2048 and 10000.
const ITERATIONS: u32 = 600_000;

/// What a file is to hold; wiped after use.
pub struct Exported(Zeroizing<Vec<u8>>);

impl Exported {
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exported(..)")
    }
}

/// PKCS#8 in text ([RFC 7468 §10](https://www.rfc-editor.org/rfc/rfc7468#section-10)), not encrypted.
pub fn pem(key: &RsaKey) -> Result<Exported, Error> {
    let text = private_key(key)?.private_key_to_pem_pkcs8()?;
    Ok(Exported(Zeroizing::new(text)))
}

/// PKCS#8 in DER, not encrypted.
pub fn pkcs8(key: &RsaKey) -> Exported {
    // To write it out.
    let der = key.pkcs8_der().expose_secret();
    Exported(Zeroizing::new(der.to_vec()))
}

/// PKCS#12 ([RFC 7292](https://www.rfc-editor.org/rfc/rfc7292)) of the key and its certificate, under one name: AES-256 and
/// SHA-256, which `keytool` reads from Java 8u301 on.
///
/// # Errors
///
/// A certificate of another key, or what is none.
pub fn pkcs12(
    key: &RsaKey,
    certificate_der: &[u8],
    name: &str,
    passphrase: &Passphrase,
) -> Result<Exported, NotExported> {
    let certificate = X509::from_der(certificate_der).map_err(|_| NotExported::Certificate)?;
    let spki = certificate
        .public_key()
        .and_then(|key| key.public_key_to_der());
    if spki.ok().as_deref() != Some(key.spki_der()) {
        return Err(NotExported::OtherKey);
    }
    let key = private_key(key).map_err(|_| NotExported::Bug)?;
    // To encrypt with it.
    let passphrase = passphrase.expose_secret();
    let file = Pkcs12::builder()
        .name(name)
        .pkey(&key)
        .cert(&certificate)
        .key_iter(ITERATIONS)
        .mac_iter(ITERATIONS)
        .build2(passphrase)
        .and_then(|file| file.to_der());
    file.map(|der| Exported(Zeroizing::new(der)))
        .map_err(|_| NotExported::Bug)
}

/// Why there is no PKCS#12 file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotExported {
    Certificate,
    OtherKey,
    Bug,
}

impl fmt::Display for NotExported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotExported::Certificate => "not a certificate in DER",
            NotExported::OtherKey => "a certificate of another key",
            NotExported::Bug => "OpenSSL made no PKCS#12 file",
        })
    }
}

impl std::error::Error for NotExported {}

fn private_key(key: &RsaKey) -> Result<PKey<Private>, Error> {
    // To write it out; OpenSSL wipes its copy.
    Ok(PKey::private_key_from_pkcs8(
        key.pkcs8_der().expose_secret(),
    )?)
}

#[cfg(test)]
mod tests;
