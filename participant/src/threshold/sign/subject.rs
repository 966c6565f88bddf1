//! What is to be signed, as the participant itself has it.

use mcbn_ceremony::Purpose;
use mcbn_ceremony::signing::{Message, NotSignable, Subject};
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::settings::{Given, Reported, Setting};
use std::error::Error;
use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::str::FromStr;

pub const MESSAGE: Setting = Setting::value(
    "message",
    "FILE",
    "what is signed: the bytes of this file as they are, at most 4096",
);

pub const SHA256: Setting = Setting::value(
    "sha256",
    "HEX",
    "what is signed in place of something longer: its SHA-256, as sha256sum prints it",
);

pub const PURPOSE: Setting = Setting::value(
    "purpose",
    "TEXT",
    "why it is signed, for the others to read; all must give the same, to the letter",
)
.required();

pub enum MessageConfig {
    File(PathBuf),
    Sha256(Hash),
}

impl MessageConfig {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let (file, hash) = (given.optional(&MESSAGE), given.optional(&SHA256));
        match (file?, hash?) {
            (Some(file), None) => Ok(Self::File(file)),
            (None, Some(hash)) => Ok(Self::Sha256(hash)),
            (None, None) => Err(given.refuse(&[&MESSAGE, &SHA256], "one of them is needed")),
            (Some(_), Some(_)) => Err(given.refuse(&[&MESSAGE, &SHA256], "one of them is enough")),
        }
    }

    pub fn message(self) -> Result<Message, NotAMessage> {
        let path = match self {
            Self::Sha256(Hash(hash)) => return Ok(Message::Sha256(hash)),
            Self::File(path) => path,
        };
        let mut bytes = Vec::new();
        // One byte more shows that there is too much.
        let most = Message::LONGEST as u64 + 1;
        File::open(path)
            .and_then(|file| file.take(most).read_to_end(&mut bytes))
            .map_err(NotAMessage::Unreadable)?;
        Message::bytes(&bytes).map_err(NotAMessage::NotSignable)
    }
}

pub struct SubjectConfig {
    message: MessageConfig,
    purpose: Purpose,
}

impl SubjectConfig {
    pub fn read(given: &mut Given) -> Result<Self, Reported> {
        let message = MessageConfig::read(given);
        let purpose = given.one(&PURPOSE);
        Ok(Self {
            message: message?,
            purpose: purpose?,
        })
    }

    pub fn subject(self) -> Result<Subject, NotAMessage> {
        Ok(Subject::new(self.message.message()?, self.purpose))
    }
}

/// 64 hex digits of either case.
#[derive(Debug, PartialEq, Eq)]
pub struct Hash([u8; 32]);

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Hash, NotAHash> {
        let mut hash = [0; 32];
        match base16ct::mixed::decode(text, &mut hash) {
            Ok(all) if all.len() == 32 => Ok(Hash(hash)),
            _ => Err(NotAHash),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct NotAHash;

impl Display for NotAHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not 64 hex digits")
    }
}

/// Whoever named or wrote the file is at fault.
#[derive(Debug)]
pub enum NotAMessage {
    Unreadable(io::Error),
    NotSignable(NotSignable),
}

impl Display for NotAMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(_) => f.write_str("cannot read the message"),
            Self::NotSignable(error) => error.fmt(f),
        }
    }
}

impl Error for NotAMessage {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreadable(error) => Some(error),
            Self::NotSignable(_) => None,
        }
    }
}

impl Failure for NotAMessage {
    fn exit(&self) -> Exit {
        match self {
            Self::Unreadable(error) => error.exit(),
            Self::NotSignable(_) => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable(_) => None,
            Self::NotSignable(_) => {
                Some("sha256sum prints what --sha256 takes in place of --message".into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::tempdir;

    fn message(bytes: &[u8]) -> Result<Message, NotAMessage> {
        let folder = tempdir().unwrap();
        let path = folder.path().join("message");
        std::fs::write(&path, bytes).unwrap();
        MessageConfig::File(path).message()
    }

    #[test]
    fn a_file_is_signed_as_it_is() {
        for bytes in [b"".as_slice(), b"a release\n", &[0xff; 4096]] {
            let signed = message(bytes).unwrap();
            assert_eq!(&*signed.signed(), bytes);
        }
    }

    #[test]
    fn a_message_that_is_too_long_or_reserved_is_refused() {
        for (bytes, why) in [
            (vec![0; 4097], NotSignable::TooLong),
            (vec![0; 1 << 20], NotSignable::TooLong),
            (b"mcbn/v1/consent".to_vec(), NotSignable::Reserved),
        ] {
            let refused = message(&bytes);
            assert!(matches!(refused, Err(NotAMessage::NotSignable(error)) if error == why));
        }
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        let hash = "0aF1".repeat(16);
        assert_eq!(
            hash.parse(),
            Ok(Hash([0x0a, 0xf1].repeat(16).try_into().unwrap()))
        );
        for text in ["", &hash[2..], &format!("{hash}00"), &"g".repeat(64)] {
            assert_eq!(text.parse::<Hash>(), Err(NotAHash), "{text}");
        }
    }
}
