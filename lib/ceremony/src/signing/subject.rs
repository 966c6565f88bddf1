//! What is signed, and what for.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use sha2::{Digest, Sha256};

use crate::framing::Framed;
use crate::terms::Purpose;

/// What the project's own uses of a group's key begin with: a signature under one of them must be had for that use
/// alone.
const RESERVED: &[u8] = b"mcbn/";

const SHA256_LABEL: &str = "mcbn/v1/threshold-sign-sha256";

/// What participants are asked to sign.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Message {
    /// The group's key signs these bytes as they are, so that whoever verifies them need not know of this project. They
    /// do not begin with `mcbn/`, which is kept for what the project itself signs: a hash, as below, or a consent whose
    /// signature is a key.
    Bytes(Bytes),
    /// The key signs `"mcbn/v1/threshold-sign-sha256" ‖ 0x00 ‖ field(hash: 32 bytes)`: a hash is no message of 32
    /// bytes.
    Sha256([u8; 32]),
}

/// A message that may be signed as it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Bytes(Box<[u8]>);

impl Message {
    /// In bytes. What is longer is signed by its hash.
    pub const LONGEST: usize = 4096;

    pub fn bytes(bytes: &[u8]) -> Result<Self, NotSignable> {
        if bytes.len() > Self::LONGEST {
            return Err(NotSignable::TooLong);
        }
        match bytes.starts_with(RESERVED) {
            true => Err(NotSignable::Reserved),
            false => Ok(Self::Bytes(Bytes(bytes.into()))),
        }
    }

    /// What the group's signature verifies with.
    pub fn signed(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Bytes(bytes) => Cow::Borrowed(&bytes.0),
            Self::Sha256(hash) => {
                Cow::Owned(Framed::labelled(SHA256_LABEL).field(hash).into_bytes())
            }
        }
    }
}

impl Bytes {
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

/// A message, and why it should be signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    message: Message,
    purpose: Purpose,
}

impl Subject {
    pub fn new(message: Message, purpose: Purpose) -> Self {
        Self { message, purpose }
    }

    pub fn message(&self) -> &Message {
        &self.message
    }

    pub fn purpose(&self) -> &Purpose {
        &self.purpose
    }

    /// To find it again: no two have the same.
    pub(super) fn digest(&self) -> [u8; 32] {
        let framed = Framed::labelled("subject")
            .field(self.purpose.as_str().as_bytes())
            .field(&self.message.signed());
        Sha256::digest(framed.into_bytes()).into()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotSignable {
    TooLong,
    /// It begins with what is kept for the project's own uses of a key.
    Reserved,
}

impl fmt::Display for NotSignable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "a message of more than 4096 bytes is signed by its hash",
            Self::Reserved => "a message that begins with 'mcbn/' is not signed as it is",
        })
    }
}

impl Error for NotSignable {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{derived, purpose, unhex};

    #[test]
    fn a_message_is_signed_as_it_is() {
        for bytes in [b"".as_slice(), b"mcbn", b"a message", &[0xff; 4096]] {
            assert_eq!(&*Message::bytes(bytes).unwrap().signed(), bytes);
        }
    }

    #[test]
    fn a_message_that_could_be_a_hash_or_a_consent_is_refused() {
        let hash = Message::Sha256([7; 32]).signed().into_owned();
        let consent = [b"mcbn/v1/consent\0".as_slice(), &[7; 32]].concat();
        for bytes in [hash, consent, b"mcbn/".to_vec()] {
            assert_eq!(Message::bytes(&bytes), Err(NotSignable::Reserved));
        }
    }

    #[test]
    fn a_message_that_is_too_long_is_refused() {
        assert_eq!(Message::bytes(&[0; 4097]), Err(NotSignable::TooLong));
    }

    #[test]
    fn a_hash_is_not_the_message_of_its_bytes() {
        let purpose = purpose();
        let hash = Subject::new(Message::Sha256([7; 32]), purpose.clone());
        let bytes = Subject::new(Message::bytes(&[7; 32]).unwrap(), purpose);
        assert_ne!(hash.message().signed(), bytes.message().signed());
        assert_ne!(hash.digest(), bytes.digest());
    }

    /// Computed by testdata/derive.py.
    #[test]
    fn what_is_signed_for_a_hash_has_a_known_answer() {
        let answer = derived("signing");
        let text = |name: &str| unhex(answer[name].as_str().unwrap());
        let hash = Message::Sha256(text("hash").try_into().unwrap());
        assert_eq!(&*hash.signed(), text("signed"));
    }
}
