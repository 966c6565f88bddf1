//! The key that both ends hold, and whether it is gone.

use std::fmt;
use std::sync::{Arc, Weak};

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Signer};
use rustls::sign::SigningKey;
use rustls::{SignatureAlgorithm, SignatureScheme};

use crate::error::Setup;

/// An RSA private key. Clones are the same one.
///
/// OpenSSL holds it, blinds its use, and wipes it when it is dropped: ring, which checks the peers' signatures, would
/// leave its numbers in freed memory.
#[derive(Clone)]
pub struct Key(Arc<Held>);

struct Held {
    private: PKey<Private>,
    spki: Vec<u8>,
    /// RSAPublicKey, which is what the bit string in `spki` holds.
    public: Vec<u8>,
}

impl Key {
    /// Of PrivateKeyInfo ([RFC 5208 §5]); wiping the original is left to the caller.
    ///
    /// [RFC 5208 §5]: https://www.rfc-editor.org/rfc/rfc5208#section-5
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, Setup> {
        let failed = Setup::step("read the key");
        let held = || -> Result<Held, ErrorStack> {
            let private = PKey::private_key_from_pkcs8(der)?;
            let spki = private.public_key_to_der()?;
            let public = private.rsa()?.public_key_to_der_pkcs1()?;
            Ok(Held {
                private,
                spki,
                public,
            })
        };
        Ok(Self(Arc::new(held().map_err(failed)?)))
    }

    /// DER SubjectPublicKeyInfo ([RFC 5280 §4.1]). Not a secret.
    ///
    /// [RFC 5280 §4.1]: https://www.rfc-editor.org/rfc/rfc5280#section-4.1
    pub fn spki(&self) -> &[u8] {
        &self.0.spki
    }

    /// Sees the key's end.
    pub fn witness(&self) -> Witness {
        Witness(Arc::downgrade(&self.0))
    }

    fn sign(&self, digest: MessageDigest, padding: Padding, text: &[u8]) -> Option<Vec<u8>> {
        let signature = || -> Result<Vec<u8>, ErrorStack> {
            let mut signer = Signer::new(digest, &self.0.private)?;
            signer.set_rsa_padding(padding)?;
            if padding == Padding::PKCS1_PSS {
                signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
                signer.set_rsa_mgf1_md(digest)?;
            }
            signer.sign_oneshot_to_vec(text)
        };
        signature().ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Knows whether a key is still in memory. Keeps it there no longer.
#[derive(Clone)]
pub struct Witness(Weak<Held>);

impl Witness {
    /// Whether the key was wiped. It is when every acceptor, connector, certificate maker and connection that has it is
    /// dropped.
    pub fn key_is_wiped(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Witness(..)")
    }
}

/// What TLS 1.3 has for an RSA key ([RFC 8446 §4.2.3]), the cheapest hash first: the key is the limit, not the hash.
///
/// [RFC 8446 §4.2.3]: https://www.rfc-editor.org/rfc/rfc8446#section-4.2.3
const SCHEMES: [SignatureScheme; 3] = [
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
];

impl SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn rustls::sign::Signer>> {
        let scheme = SCHEMES.into_iter().find(|own| offered.contains(own))?;
        Some(Box::new(OfHandshake {
            key: self.clone(),
            scheme,
        }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

/// Signs a handshake.
#[derive(Debug)]
struct OfHandshake {
    key: Key,
    scheme: SignatureScheme,
}

impl rustls::sign::Signer for OfHandshake {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let digest = match self.scheme {
            SignatureScheme::RSA_PSS_SHA384 => MessageDigest::sha384(),
            SignatureScheme::RSA_PSS_SHA512 => MessageDigest::sha512(),
            _ => MessageDigest::sha256(),
        };
        let signature = self.key.sign(digest, Padding::PKCS1_PSS, message);
        signature.ok_or_else(|| rustls::Error::General("OpenSSL cannot sign".into()))
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

impl rcgen::PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.0.public
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

/// Signs what it issues to itself, and requests for others to issue.
impl rcgen::SigningKey for Key {
    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature = self.sign(MessageDigest::sha256(), Padding::PKCS1, text);
        signature.ok_or(rcgen::Error::RemoteKeyError)
    }
}
