//! Each entry's hash covers its bytes, its place and the hash before it: the last one stands for all.

use sha2::{Digest, Sha256};
use std::fmt::{self, Debug, Display};
use std::str::FromStr;

/// The last entry's place and hash; before the first entry, both are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub seq: u64,
    pub hash: Hash,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

impl Head {
    pub const START: Head = Head {
        seq: 0,
        hash: Hash([0; 32]),
    };

    /// The head after one more entry. The number and the length are in the hash, so no two chains share their bytes.
    pub fn then(self, body: &[u8]) -> Head {
        let seq = self.seq + 1;
        let length = u32::try_from(body.len()).expect("an entry is far below 4 GiB");
        let hash = Sha256::new()
            .chain_update(b"mcbn/v1/ledger\0")
            .chain_update(self.hash.0)
            .chain_update(seq.to_be_bytes())
            .chain_update(length.to_be_bytes())
            .chain_update(body)
            .finalize();
        Head {
            seq,
            hash: Hash(hash.into()),
        }
    }
}

/// 64 lower-case hex digits.
impl Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.0))
    }
}

impl Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Hash, NotAHash> {
        let mut bytes = [0; 32];
        match base16ct::lower::decode(text, &mut bytes) {
            Ok(all) if all.len() == 32 => Ok(Hash(bytes)),
            _ => Err(NotAHash),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAHash;

impl Display for NotAHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not 64 lower-case hex digits")
    }
}

impl std::error::Error for NotAHash {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by another implementation of SHA-256.
    #[test]
    fn the_chain_has_a_known_answer() {
        let first = Head::START.then(b"{}");
        assert_eq!(first.seq, 1);
        assert_eq!(
            first.hash.to_string(),
            "d16d5d19afd44cc99814a7ab40199fa23bf4624672f0b5e7c7b8ec8e4fc0949b"
        );
        assert_eq!(
            first.then(b"").hash.to_string(),
            "19e9e33211f99a769bda075eff3b818ef54e9bc2a754fafa096525ca71389b9f"
        );
    }

    #[test]
    fn every_part_is_in_the_hash() {
        let first = Head::START.then(b"a");
        assert_ne!(first.hash, Head::START.then(b"b").hash);
        let elsewhere = Head {
            seq: 1,
            ..Head::START
        };
        assert_ne!(first.hash, elsewhere.then(b"a").hash);
        let after = Head {
            hash: Hash([1; 32]),
            ..Head::START
        };
        assert_ne!(first.hash, after.then(b"a").hash);
    }
}
