//! Of what the key of a session is made.

use std::fmt;
use std::str::FromStr;

use mcbn_psk::Randoms;

/// How both ends lay out the data whose HMAC is the key of the session: the project's page on the wire and the key
/// schedule, §4.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Layout {
    /// The label and both randoms, 81 bytes.
    #[default]
    Random32,
    /// The label and both randoms without the first 4 bytes of each, which once held the time: 73 bytes. What the
    /// published sample computes.
    Random28,
}

/// Without a terminator.
const LABEL: &[u8; 17] = b"pre master secret";

/// What goes into the HMAC: public.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message(Vec<u8>);

impl Layout {
    pub fn message(self, randoms: &Randoms) -> Message {
        let skipped = match self {
            Self::Random32 => 0,
            Self::Random28 => 4,
        };
        let [client, server] = [&randoms.client, &randoms.server].map(|random| &random[skipped..]);
        Message([LABEL, client, server].concat())
    }
}

impl Message {
    /// What a key is tried with before it serves: no session's data has this length.
    pub(crate) fn probe() -> Self {
        Self(b"mcbn/v1/tpm-probe".to_vec())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for Layout {
    type Err = NotALayout;

    fn from_str(text: &str) -> Result<Self, NotALayout> {
        match text {
            "random32" => Ok(Self::Random32),
            "random28" => Ok(Self::Random28),
            _ => Err(NotALayout),
        }
    }
}

/// The text is no layout's label.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotALayout;

impl fmt::Display for NotALayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("neither random32 nor random28")
    }
}

impl std::error::Error for NotALayout {}

#[cfg(test)]
mod tests {
    use super::*;

    fn randoms() -> Randoms {
        Randoms {
            client: std::array::from_fn(|i| i as u8),
            server: std::array::from_fn(|i| 0x20 + i as u8),
        }
    }

    #[test]
    fn each_layout_has_its_bytes() {
        let whole = Layout::Random32.message(&randoms());
        let (label, rest) = whole.as_bytes().split_at(17);
        assert_eq!(label, b"pre master secret");
        assert_eq!(rest, (0..0x40).collect::<Vec<u8>>());

        let cut = Layout::Random28.message(&randoms());
        let expected = [&b"pre master secret"[..], &rest[4..32], &rest[36..]].concat();
        assert_eq!(cut.as_bytes(), expected);
        assert_eq!((whole.as_bytes().len(), cut.as_bytes().len()), (81, 73));
    }

    #[test]
    fn labels_are_read_and_others_are_refused() {
        assert_eq!("random32".parse(), Ok(Layout::Random32));
        assert_eq!("random28".parse(), Ok(Layout::Random28));
        for text in ["", "random", "RANDOM32", "random32 "] {
            assert_eq!(text.parse::<Layout>(), Err(NotALayout), "{text}");
        }
    }
}
