//! A share encrypted to its owner alone: HPKE ([RFC 9180]) in base mode, with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256
//! and ChaCha20-Poly1305.
//!
//! ```text
//! info = "mcbn/v1/threshold-share" ‖ 0x00 ‖ field(request id) ‖ field(digest of the commitments)
//! aad  = "mcbn/v1/threshold-share-owner" ‖ 0x00 ‖ field(index: 1 byte)
//! sealed share = enc (32 bytes) ‖ ciphertext and tag (48 bytes)
//! ```
//!
//! with fields as in [`approval`](crate::approval). The owner makes an [`OpeningKey`] for one generation and puts its
//! public half into what it signs, so it is known whose it is; it is wiped with the participant's part of the ceremony.
//!
//! Base mode says nothing of who sealed: that is the token over the answer that the sealed share comes in, and the
//! commitments, which the opened share is checked against.
//!
//! Threat: a share given to another participant, or kept from one generation for the next. Neither opens.
//!
//! The crate hpke (no paid audit; Cloudflare reviewed version 0.8) brings nine small crates with these features, and no
//! post-quantum KEM and no SHA-3; hpke-rs with RustCrypto's primitives brings three more curves and a SHA-3 whatever is
//! asked of it. ChaCha20-Poly1305 needs no instruction of the processor to take the same time for every key, and fewer
//! crates than AES-GCM.
//!
//! [RFC 9180]: https://www.rfc-editor.org/rfc/rfc9180

use std::error::Error;
use std::fmt;

use curve25519_dalek::montgomery::MontgomeryPoint;
use hpke::aead::{AeadTag, ChaCha20Poly1305};
use hpke::inout::InOutBuf;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use mcbn_secret::{OpeningKey, SigningShare};
use mcbn_threshold::Index;
use zeroize::Zeroizing;

use crate::approval::RequestId;
use crate::framing::Framed;

mod given;

type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
type EncappedKey = <X25519HkdfSha256 as Kem>::EncappedKey;
type Tag = AeadTag<ChaCha20Poly1305>;

const SHARE_LABEL: &str = "mcbn/v1/threshold-share";
const OWNER_LABEL: &str = "mcbn/v1/threshold-share-owner";

/// The public half of an [`OpeningKey`]: the one encoding of an X25519 public key, and not one of small order, with
/// which everybody would have the same shared secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EncryptionKey([u8; Self::LENGTH]);

impl EncryptionKey {
    /// In bytes.
    pub const LENGTH: usize = 32;

    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, NotAnEncryptionKey> {
        // Every private key is a multiple of the cofactor, so this one stands for all.
        let small_order = MontgomeryPoint(*bytes).mul_clamped([0; 32]).0 == [0; 32];
        match is_reduced(bytes) && !small_order {
            true => Ok(Self(*bytes)),
            false => Err(NotAnEncryptionKey),
        }
    }

    pub fn to_bytes(self) -> [u8; Self::LENGTH] {
        self.0
    }

    /// That of an opening key.
    pub fn of(key: &OpeningKey) -> Self {
        // To compute its public half.
        let private = PrivateKey::from_bytes(key.expose_secret()).expect("32 bytes");
        Self(X25519HkdfSha256::sk_to_pk(&private).to_bytes().into())
    }
}

/// Below 2^255 - 19, little-endian.
fn is_reduced(bytes: &[u8; 32]) -> bool {
    let mut prime = [0xff; 32];
    (prime[0], prime[31]) = (0xed, 0x7f);
    bytes.iter().rev().lt(prime.iter().rev())
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = self.0.map(|byte| format!("{byte:02x}")).concat();
        write!(f, "EncryptionKey({hex})")
    }
}

/// Makes a key to open one share with. `random` fills a slice with fresh random bytes.
pub fn opening_key<E>(random: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<OpeningKey, E> {
    OpeningKey::fill(|bytes| random(bytes))
}

/// What a share is sealed for, and can be opened for.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    pub request: RequestId,
    /// Digest of the commitments of the group.
    pub commitments: [u8; 32],
    pub owner: Index,
}

impl Context {
    fn info(&self) -> Vec<u8> {
        Framed::labelled(SHARE_LABEL)
            .field(&self.request.0)
            .field(&self.commitments)
            .into_bytes()
    }

    fn aad(&self) -> Vec<u8> {
        Framed::labelled(OWNER_LABEL)
            .field(&[self.owner.get()])
            .into_bytes()
    }
}

/// A share that its owner can open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SealedShare(pub [u8; Self::LENGTH]);

const ENC: usize = 32;
const TAG: usize = 16;

impl SealedShare {
    /// In bytes.
    pub const LENGTH: usize = ENC + SigningShare::LENGTH + TAG;

    /// `random` fills a slice with fresh random bytes.
    pub fn seal<E>(
        context: &Context,
        to: &EncryptionKey,
        share: &SigningShare,
        random: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut ephemeral = Zeroizing::new([0; 32]);
        random(&mut *ephemeral)?;
        let to = PublicKey::from_bytes(&to.0).expect("32 bytes");
        let mut sealed = [0; Self::LENGTH];
        let (enc, ciphertext, tag) = parts_mut(&mut sealed);
        // To encrypt it.
        let buffer = InOutBuf::new(share.expose_secret(), ciphertext).expect("as long");
        let (key, authentic) = seal_to(&to, &context.info(), &context.aad(), buffer, &ephemeral);
        key.write_exact(enc);
        authentic.write_exact(tag);
        Ok(Self(sealed))
    }

    pub fn open(&self, context: &Context, key: &OpeningKey) -> Result<SigningShare, NotOpened> {
        // To decrypt with it.
        let private = PrivateKey::from_bytes(key.expose_secret()).expect("32 bytes");
        let (enc, rest) = self.0.split_at(ENC);
        let (ciphertext, tag) = rest.split_at(SigningShare::LENGTH);
        SigningShare::fill(|share| {
            let buffer = InOutBuf::new(ciphertext, share).expect("as long");
            open_with(&private, &context.info(), &context.aad(), enc, buffer, tag)
        })
    }
}

impl fmt::Debug for SealedShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedShare(..)")
    }
}

fn parts_mut(sealed: &mut [u8; SealedShare::LENGTH]) -> (&mut [u8], &mut [u8], &mut [u8]) {
    let (enc, rest) = sealed.split_at_mut(ENC);
    let (ciphertext, tag) = rest.split_at_mut(SigningShare::LENGTH);
    (enc, ciphertext, tag)
}

/// `SealBase`, with the ephemeral key that DeriveKeyPair gives for these bytes.
fn seal_to(
    to: &PublicKey,
    info: &[u8],
    aad: &[u8],
    buffer: InOutBuf<'_, '_, u8>,
    ephemeral: &[u8; 32],
) -> (EncappedKey, Tag) {
    let mut given = given::Given::once(ephemeral);
    hpke::single_shot_seal_inout_detached_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        to,
        info,
        buffer,
        aad,
        &mut given,
    )
    .expect("the key is of no small order, and this is the first message under it")
}

/// `OpenBase`.
fn open_with(
    private: &PrivateKey,
    info: &[u8],
    aad: &[u8],
    enc: &[u8],
    buffer: InOutBuf<'_, '_, u8>,
    tag: &[u8],
) -> Result<(), NotOpened> {
    let enc = EncappedKey::from_bytes(enc).map_err(|_| NotOpened)?;
    let tag = Tag::from_bytes(tag).map_err(|_| NotOpened)?;
    hpke::single_shot_open_inout_detached::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        private,
        &enc,
        info,
        buffer,
        aad,
        &tag,
    )
    .map_err(|_| NotOpened)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAnEncryptionKey;

impl fmt::Display for NotAnEncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an X25519 public key that is worth encrypting to, in its one encoding")
    }
}

impl Error for NotAnEncryptionKey {}

/// It was sealed to another key, for something else, or changed on the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotOpened;

impl fmt::Display for NotOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sealed share does not open")
    }
}

impl Error for NotOpened {}

#[cfg(test)]
mod tests;
