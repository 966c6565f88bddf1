//! Shares to key material, and key material to keys: each formula once.
//!
//! The labels and layouts are the project's own (the page on the wire and the key schedule, §1); the primitives are
//! SHA-256 ([FIPS 180-4](https://doi.org/10.6028/NIST.FIPS.180-4)),
//! HMAC ([RFC 2104](https://www.rfc-editor.org/rfc/rfc2104)) and
//! HKDF ([RFC 5869](https://www.rfc-editor.org/rfc/rfc5869)).

use crate::participant::Participant;
use hkdf::{Hkdf, HkdfExtract};
use hmac::digest::FixedOutput;
use hmac::{Hmac, KeyInit, Mac};
use mcbn_secret::{ConsentSignature, HmacKey, Psk, RsaSeed, Share, SharedSecret};
use sha2::{Digest, Sha256};
use std::fmt::{self, Debug, Display};
use std::str::FromStr;
use zeroize::{Zeroize, Zeroizing};

/// SHA-256 of the consent manifest's exact bytes; written as 64 lower-case hex digits. Not a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManifestDigest(pub [u8; 32]);

impl FromStr for ManifestDigest {
    type Err = NotAManifestDigest;

    fn from_str(text: &str) -> Result<ManifestDigest, NotAManifestDigest> {
        let mut bytes = [0; 32];
        match base16ct::lower::decode(text, &mut bytes) {
            Ok(all) if all.len() == 32 => Ok(ManifestDigest(bytes)),
            _ => Err(NotAManifestDigest),
        }
    }
}

impl Display for ManifestDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 64];
        let text = base16ct::lower::encode_str(&self.0, &mut text);
        f.write_str(text.expect("32 bytes are 64 digits"))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAManifestDigest;

impl Display for NotAManifestDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not 64 lower-case hex digits")
    }
}

impl std::error::Error for NotAManifestDigest {}

/// The salt of a network without a manifest.
const NO_MANIFEST: ManifestDigest = ManifestDigest([0; 32]);

/// What the shares became: keys are made from it, each for one purpose.
pub struct Combined(Material);

enum Material {
    /// The pseudorandom key of HKDF: every purpose and context has its own key.
    Prk(Zeroizing<[u8; 32]>),
    /// The published derivations know no purpose: this is the key.
    Key(Zeroizing<[u8; 32]>),
}

impl Debug for Combined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Combined(..)")
    }
}

impl Combined {
    /// The key of a TLS connection.
    pub fn tls_psk(&self, identity: &[u8]) -> Result<Psk, ContextTooLong> {
        Psk::fill(|key| self.key("tls-psk", identity, key))
    }

    /// The key of a DTLS association.
    pub fn dtls_psk(&self, identity: &[u8]) -> Result<Psk, ContextTooLong> {
        Psk::fill(|key| self.key("dtls-psk", identity, key))
    }

    /// The permanent key of tpm-psk, under which the key of each session is made. Its purpose is its own, so that no key of
    /// a connection is also one that makes keys; the published derivations know no purpose, and there it is the same.
    pub fn tpm_psk_key(&self, identity: &[u8]) -> Result<HmacKey, ContextTooLong> {
        HmacKey::fill(|key| self.key("tpm-psk", identity, key))
    }

    /// The seed of an RSA key of this many bits.
    pub fn detrsa_seed(&self, bits: u32) -> RsaSeed {
        let context = bits.to_string();
        let seed = RsaSeed::fill(|key| self.key("detrsa-seed", context.as_bytes(), key));
        seed.expect("ten digits are short enough")
    }

    fn key(&self, purpose: &str, context: &[u8], key: &mut [u8; 32]) -> Result<(), ContextTooLong> {
        let length = u16::try_from(context.len()).map_err(|_| ContextTooLong)?;
        match &self.0 {
            Material::Prk(prk) => {
                let length = length.to_be_bytes();
                let info = [b"mcbn/v1/", purpose.as_bytes(), &[0], &length, context];
                let hkdf = Hkdf::<Sha256>::from_prk(&**prk).expect("as long as a SHA-256 digest");
                hkdf.expand_multi_info(&info, key)
                    .expect("one block is within HKDF's limit");
            }
            Material::Key(published) => key.copy_from_slice(&**published),
        }
        Ok(())
    }
}

/// A context is at most 65535 bytes, as its length is two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContextTooLong;

impl Display for ContextTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an identity longer than 65535 bytes")
    }
}

impl std::error::Error for ContextTooLong {}

/// `hkdf-v1`: the order in which the shares are given does not matter, the names do.
pub(crate) fn hkdf_v1(
    shares: &[(&Participant, &Share)],
    manifest: Option<&ManifestDigest>,
) -> Combined {
    let mut by_name = shares.to_vec();
    by_name.sort_by_key(|(participant, _)| *participant);
    let entries = by_name.iter().map(|(participant, share)| {
        // To make the key.
        (participant.as_str(), share.expose_secret().as_slice())
    });
    extract(entries, manifest)
}

/// `shamir-v1`: the recovered secret is the one entry, and has no participant's name.
pub(crate) fn shamir_v1(secret: &SharedSecret, manifest: Option<&ManifestDigest>) -> Combined {
    // To make the key.
    extract(
        [("", secret.expose_secret().as_slice())].into_iter(),
        manifest,
    )
}

/// `bls-prf-v1`: the group's signature is all of the input.
pub(crate) fn bls_prf_v1(signature: &ConsentSignature, manifest: &ManifestDigest) -> Combined {
    let mut ikm = HkdfExtract::<Sha256>::new(Some(&manifest.0));
    // To make the key.
    ikm.input_ikm(signature.expose_secret());
    finish(ikm)
}

fn extract<'a>(
    entries: impl Iterator<Item = (&'a str, &'a [u8])>,
    manifest: Option<&ManifestDigest>,
) -> Combined {
    let salt = manifest.unwrap_or(&NO_MANIFEST);
    let mut ikm = HkdfExtract::<Sha256>::new(Some(&salt.0));
    for (name, secret) in entries {
        for field in [name.as_bytes(), secret] {
            let length = u16::try_from(field.len()).expect("names and shares are short");
            ikm.input_ikm(&length.to_be_bytes());
            ikm.input_ikm(field);
        }
    }
    finish(ikm)
}

fn finish(ikm: HkdfExtract<Sha256>) -> Combined {
    let (mut output, _) = ikm.finalize();
    let mut prk = Zeroizing::new([0; 32]);
    prk.copy_from_slice(&output);
    output.as_mut_slice().zeroize();
    Combined(Material::Prk(prk))
}

/// `sha256-concat-hex`: in the given order.
pub(crate) fn sha256_concat_hex(shares: &[&Share]) -> Combined {
    let mut hash = Sha256::new();
    for share in shares {
        hash.update(hex(share).as_slice());
    }
    published(|key| FixedOutput::finalize_into(hash, key.into()))
}

/// `hmac-chain-hex`: in the given order.
pub(crate) fn hmac_chain_hex(first: &Share, rest: &[&Share]) -> Combined {
    let mut data = hex(first);
    let mut key = Zeroizing::new([0; 32]);
    for share in rest {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*hex(share)).expect("HMAC takes any key");
        mac.update(&*data);
        mac.finalize_into((&mut *key).into());
        data = hex_of(&key);
    }
    Combined(Material::Key(key))
}

/// `xor-sha256`: in any order.
pub(crate) fn xor_sha256(shares: &[&Share]) -> Combined {
    let mut sum = Zeroizing::new([0; Share::LENGTH]);
    for share in shares {
        // To make the key.
        for (sum, byte) in sum.iter_mut().zip(share.expose_secret()) {
            *sum ^= byte;
        }
    }
    let hash = Sha256::new_with_prefix(sum.as_slice());
    published(|key| FixedOutput::finalize_into(hash, key.into()))
}

fn published(write: impl FnOnce(&mut [u8; 32])) -> Combined {
    let mut key = Zeroizing::new([0; 32]);
    write(&mut key);
    Combined(Material::Key(key))
}

fn hex(share: &Share) -> Zeroizing<[u8; 64]> {
    // To make the key: the published derivations work on the text.
    hex_of(share.expose_secret())
}

fn hex_of(bytes: &[u8; 32]) -> Zeroizing<[u8; 64]> {
    let mut text = Zeroizing::new([0; 64]);
    base16ct::lower::encode(bytes, &mut *text).expect("the buffer is twice as long");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_back() {
        let text = "0123456789abcdef".repeat(4);
        let digest: ManifestDigest = text.parse().unwrap();
        assert_eq!(digest.0[..3], [0x01, 0x23, 0x45]);
        assert_eq!(digest.to_string(), text);
    }

    #[test]
    fn a_digest_of_another_form_is_refused() {
        let good = "0123456789abcdef".repeat(4);
        for bad in [
            "",
            &good[1..],
            &good[2..],
            &format!("{good}00"),
            &good.to_uppercase(),
            &good.replace('f', "g"),
            &format!("{good}\n"),
        ] {
            assert_eq!(
                bad.parse::<ManifestDigest>(),
                Err(NotAManifestDigest),
                "{bad:?}"
            );
        }
    }
}
