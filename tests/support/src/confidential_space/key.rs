//! RSA keys that sign tokens.

use base64ct::{Base64UrlUnpadded, Encoding};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sha::sha256;
use openssl::sign::{Signer, Verifier};
use serde_json::{Value, json};

/// A key of RS256, and what the world knows of it.
pub(crate) struct SigningKey {
    private: PKey<Private>,
    kid: String,
}

impl SigningKey {
    pub(crate) fn generate() -> Self {
        Self::of_bits(2048)
    }

    pub(crate) fn of_bits(bits: u32) -> Self {
        let rsa = Rsa::generate(bits).expect("OpenSSL makes RSA keys");
        let private = PKey::from_rsa(rsa).expect("an RSA key is a key");
        let spki = private.public_key_to_der().expect("it has a public half");
        // As long as those of the real issuer: 40 digits.
        let kid = hex(&sha256(&spki)[..20]);
        Self { private, kid }
    }

    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) fn private(&self) -> &PKey<Private> {
        &self.private
    }

    /// The public half as PEM: what a careless verifier may take for a secret.
    pub(crate) fn public_pem(&self) -> Vec<u8> {
        self.private
            .public_key_to_pem()
            .expect("it has a public half")
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 ([RFC 7518 §3.3]).
    ///
    /// [RFC 7518 §3.3]: https://www.rfc-editor.org/rfc/rfc7518#section-3.3
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        Signer::new(MessageDigest::sha256(), &self.private)
            .and_then(|mut signer| signer.sign_oneshot_to_vec(message))
            .expect("an RSA key signs anything")
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Verifier::new(MessageDigest::sha256(), &self.private)
            .and_then(|mut verifier| verifier.verify_oneshot(signature, message))
            // A signature of another length is an error to OpenSSL.
            .unwrap_or(false)
    }

    /// The key's entry in a JWK set ([RFC 7517 §4]).
    ///
    /// [RFC 7517 §4]: https://www.rfc-editor.org/rfc/rfc7517#section-4
    pub(crate) fn jwk(&self) -> Value {
        let rsa = self.private.rsa().expect("it was made as one");
        json!({
            "alg": "RS256",
            "e": Base64UrlUnpadded::encode_string(&rsa.e().to_vec()),
            "kid": self.kid,
            "kty": "RSA",
            "n": Base64UrlUnpadded::encode_string(&rsa.n().to_vec()),
            "use": "sig",
        })
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
