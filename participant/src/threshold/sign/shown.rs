//! A request that is open, for people and for programs.

use super::id::Id;
use crate::threshold::member::Member;
use mcbn_ceremony::message::OpenRequest;
use mcbn_ceremony::signing::{Message, Signers};
use mcbn_threshold::Signature;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::{self, Display};

/// Whatever others chose stands in it as printable ASCII.
#[derive(Serialize)]
pub struct Shown<'a> {
    request: String,
    announced_by: &'a str,
    purpose: &'a str,
    message: ShownMessage,
    seconds: u64,
    threshold: usize,
    approved_by: Vec<&'a str>,
    signature: Option<String>,
}

/// For programs all of it in hex, for people its beginning as text.
#[derive(Serialize)]
struct ShownMessage {
    /// None, where a hash alone is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
    sha256: String,
    #[serde(skip)]
    text: String,
}

/// Bytes of a message that people are shown.
const SHOWN: usize = 256;

impl<'a> Shown<'a> {
    /// `open` has been held against the participants.
    pub fn new(open: &'a OpenRequest, member: &'a Member, signers: &Signers) -> Self {
        Self {
            request: Id(open.request).to_string(),
            announced_by: member.name_of(open.by).expect("it was looked up"),
            purpose: open.subject.purpose().as_str(),
            message: ShownMessage::new(open.subject.message()),
            seconds: open.seconds,
            threshold: signers.group().threshold().get(),
            approved_by: member.names(open.approved_by.iter().copied()),
            signature: open.signature.as_ref().map(hex_of),
        }
    }

    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers") + "\n"
    }
}

impl ShownMessage {
    fn new(message: &Message) -> Self {
        let bytes = match message {
            Message::Sha256(hash) => {
                return Self {
                    bytes: None,
                    sha256: base16ct::lower::encode_string(hash),
                    text: "a hash alone".into(),
                };
            }
            Message::Bytes(bytes) => bytes.as_slice(),
        };
        let begin = &bytes[..bytes.len().min(SHOWN)];
        let dots = if begin.len() < bytes.len() { "..." } else { "" };
        Self {
            bytes: Some(base16ct::lower::encode_string(bytes)),
            sha256: base16ct::lower::encode_string(&Sha256::digest(bytes)),
            text: format!("\"{}\"{dots} ({} bytes)", begin.escape_ascii(), bytes.len()),
        }
    }
}

/// 192 lower-case digits.
pub fn hex_of(signature: &Signature) -> String {
    base16ct::lower::encode_string(&signature.to_bytes())
}

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, value: &dyn Display| writeln!(f, "{name:<14}{value}");
        line("request", &self.request)?;
        line("announced by", &self.announced_by)?;
        line("purpose", &self.purpose)?;
        line("message", &self.message.text)?;
        line("sha256", &self.message.sha256)?;
        let names = match &self.approved_by[..] {
            [] => "nobody".into(),
            names => names.join(", "),
        };
        let threshold = self.threshold;
        line(
            "approved by",
            &format_args!("{names}; it takes {threshold}"),
        )?;
        line("open for", &format_args!("{} seconds", self.seconds))?;
        match &self.signature {
            Some(signature) => line("signature", signature),
            None => line("signature", &"none yet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> ShownMessage {
        ShownMessage::new(&Message::bytes(bytes).unwrap())
    }

    #[test]
    fn a_message_is_shown_with_nothing_that_a_terminal_would_act_on() {
        let odd = "\u{1b}[2J\r\n\"\\\u{202e}ä\0".as_bytes();
        let shown = shown(odd);
        assert_eq!(
            shown.text,
            r#""\x1b[2J\r\n\"\\\xe2\x80\xae\xc3\xa4\x00" (14 bytes)"#
        );
        assert_eq!(shown.bytes.unwrap(), "1b5b324a0d0a225ce280aec3a400");
    }

    #[test]
    fn a_long_message_is_cut_for_people_alone() {
        let shown = shown(&[b'a'; 257]);
        assert_eq!(
            shown.text,
            format!("\"{}\"... (257 bytes)", "a".repeat(256))
        );
        assert_eq!(shown.bytes.unwrap().len(), 2 * 257);
    }

    #[test]
    fn a_message_has_its_sha256_and_a_hash_is_one() {
        // FIPS 180-4's example of one block.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(shown(b"abc").sha256, abc);
        let hash = ShownMessage::new(&Message::Sha256(Sha256::digest(b"abc").into()));
        assert_eq!((hash.bytes, hash.sha256.as_str()), (None, abc));
        assert_eq!(hash.text, "a hash alone");
    }
}
