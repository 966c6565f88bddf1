//! Hash_DRBG with SHA-256
//! ([SP 800-90A Rev. 1 §10.1.1](https://doi.org/10.6028/NIST.SP.800-90Ar1)), without reseeding and additional input: a
//! search takes some thousand calls, and the limit is 2^48.

use crate::Seed;
use crate::search::Candidates;
use base64ct::{Base64UrlUnpadded, Encoding};
use openssl::error::ErrorStack;
use sha2::digest::FixedOutput;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// seedlen, in bytes.
const SEED_LENGTH: usize = 55;

type State = Zeroizing<[u8; SEED_LENGTH]>;

pub struct HashDrbg {
    v: State,
    c: State,
    reseed_counter: u64,
}

impl HashDrbg {
    /// As the published sample does it: the entropy is the text of the seed in base64url, 43 characters.
    pub fn of_seed(seed: &Seed) -> HashDrbg {
        let mut text = Zeroizing::new([0; 43]);
        // To make the key.
        let seed = seed.expose_secret();
        Base64UrlUnpadded::encode(seed, &mut *text).expect("32 bytes are 43 characters");
        HashDrbg::instantiate(&*text, &[], &[])
    }

    fn instantiate(entropy: &[u8], nonce: &[u8], personalization: &[u8]) -> HashDrbg {
        let v = hash_df(&[entropy, nonce, personalization]);
        let c = hash_df(&[&[0], &*v]);
        HashDrbg {
            v,
            c,
            reseed_counter: 1,
        }
    }

    /// One Generate call.
    fn generate(&mut self, bytes: &mut [u8]) {
        let mut data = self.v.clone();
        for block in bytes.chunks_mut(32) {
            block.copy_from_slice(&sha256(&[&*data])[..block.len()]);
            add(&mut data, &[1]);
        }
        let h = sha256(&[&[3], &*self.v]);
        add(&mut self.v, &*h);
        let c = self.c.clone();
        add(&mut self.v, &*c);
        add(&mut self.v, &self.reseed_counter.to_be_bytes());
        self.reseed_counter += 1;
    }
}

impl Candidates for HashDrbg {
    fn next(&mut self, bytes: &mut [u8]) -> Result<(), ErrorStack> {
        self.generate(bytes);
        Ok(())
    }
}

/// Hash_df to 440 bits (§10.3.1).
fn hash_df(input: &[&[u8]]) -> State {
    let bits = (8 * SEED_LENGTH as u32).to_be_bytes();
    let mut output = State::new([0; SEED_LENGTH]);
    for (counter, block) in (1u8..).zip(output.chunks_mut(32)) {
        let head = [&[counter][..], &bits].concat();
        let parts: Vec<&[u8]> = [&head[..]].iter().chain(input).copied().collect();
        block.copy_from_slice(&sha256(&parts)[..block.len()]);
    }
    output
}

fn sha256(parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let mut digest = Zeroizing::new([0; 32]);
    FixedOutput::finalize_into(hash, (&mut *digest).into());
    digest
}

/// Modulo 2^440, big-endian.
fn add(sum: &mut [u8; SEED_LENGTH], addend: &[u8]) {
    let addend = addend.iter().rev().chain(std::iter::repeat(&0));
    let mut carry = 0;
    for (byte, other) in sum.iter_mut().rev().zip(addend) {
        carry += u16::from(*byte) + u16::from(*other);
        *byte = carry as u8;
        carry >>= 8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2);
        let byte = |two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap();
        digits.map(byte).collect()
    }

    /// The second call's output is what they hold.
    #[test]
    fn all_vectors_of_nist_come_out() {
        let text = include_str!("../testdata/hash_drbg.json");
        let all: serde_json::Value = serde_json::from_str(text).unwrap();
        let vectors = all["vectors"].as_array().unwrap();
        assert_eq!(vectors.len(), 30);
        for vector in vectors {
            let field = |name: &str| bytes(vector[name].as_str().unwrap());
            let [entropy, nonce, personalization] =
                ["entropy", "nonce", "personalization"].map(field);
            let mut drbg = HashDrbg::instantiate(&entropy, &nonce, &personalization);
            let mut output = [0; 128];
            drbg.generate(&mut output);
            drbg.generate(&mut output);
            assert_eq!(output[..], field("returned"), "{vector}");
        }
    }
}
