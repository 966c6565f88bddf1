//! A ChaCha20 stream ([RFC 8439 §2.4](https://www.rfc-editor.org/rfc/rfc8439#section-2.4)) from block 0.

use crate::Seed;
use crate::search::Candidates;
use openssl::error::ErrorStack;
use openssl::symm::{Cipher, Crypter, Mode};

/// OpenSSL wipes the key when the stream is dropped.
pub struct Stream {
    crypter: Crypter,
    zeros: [u8; 64],
}

impl Stream {
    /// The prime candidates of `chacha20-v1`: a zero nonce.
    pub fn candidates(seed: &Seed) -> Result<Stream, ErrorStack> {
        Stream::new(seed, [0; 12])
    }

    /// The bases of Miller-Rabin tests: a stream of their own, so that how many are drawn never shifts a candidate. The
    /// nonce is 1, as generators with a 64-bit nonce count: the eight last bytes, the lowest first.
    pub fn bases(seed: &Seed) -> Result<Stream, ErrorStack> {
        Stream::new(seed, [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    }

    fn new(seed: &Seed, nonce: [u8; 12]) -> Result<Stream, ErrorStack> {
        // What OpenSSL takes is the block number, four bytes, and the nonce.
        let mut iv = [0; 16];
        iv[4..].copy_from_slice(&nonce);
        // To make the key.
        let key = seed.expose_secret();
        Ok(Stream {
            crypter: Crypter::new(Cipher::chacha20(), Mode::Encrypt, key, Some(&iv))?,
            zeros: [0; 64],
        })
    }

    /// The next bytes of the stream.
    pub fn fill(&mut self, bytes: &mut [u8]) -> Result<(), ErrorStack> {
        for chunk in bytes.chunks_mut(self.zeros.len()) {
            self.crypter.update(&self.zeros[..chunk.len()], chunk)?;
        }
        Ok(())
    }
}

impl Candidates for Stream {
    fn next(&mut self, bytes: &mut [u8]) -> Result<(), ErrorStack> {
        self.fill(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// [RFC 8439 §A.1](https://www.rfc-editor.org/rfc/rfc8439#appendix-A.1), test vectors 1 and 2: a zero key and nonce.
    #[test]
    fn the_first_blocks_are_those_of_the_standard() {
        let mut stream = Stream::candidates(&Seed::copied_from(&[0; 32])).unwrap();
        let mut blocks = [0; 128];
        // In pieces that fit no block: a stream has no seams.
        let (head, rest) = blocks.split_at_mut(5);
        stream.fill(head).unwrap();
        stream.fill(rest).unwrap();
        assert_eq!(
            hex(&blocks[..64]),
            "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7\
             da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
        );
        assert_eq!(
            hex(&blocks[64..]),
            "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed\
             29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"
        );
    }

    /// One that shares no code with OpenSSL's.
    #[test]
    fn both_streams_are_those_of_another_implementation() {
        let seed: [u8; 32] = std::array::from_fn(|i| i as u8);
        let ours = |stream: Result<Stream, ErrorStack>| {
            let mut bytes = [0; 1000];
            stream.unwrap().fill(&mut bytes).unwrap();
            bytes
        };
        let mut other = ChaCha20Rng::from_seed(seed);
        let mut theirs = |nonce| {
            let mut bytes = [0; 1000];
            other.set_stream(nonce);
            other.set_word_pos(0);
            other.fill_bytes(&mut bytes);
            bytes
        };
        let seed = Seed::copied_from(&seed);
        assert_eq!(ours(Stream::candidates(&seed)), theirs(0));
        assert_eq!(ours(Stream::bases(&seed)), theirs(1));
    }
}
