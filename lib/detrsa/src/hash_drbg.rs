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

    /// The second call's output is what the vectors hold.
    fn check(entropy: &str, nonce: &str, personalization: &str, returned: &str) {
        let [entropy, nonce, personalization] = [entropy, nonce, personalization].map(bytes);
        let mut drbg = HashDrbg::instantiate(&entropy, &nonce, &personalization);
        let mut output = [0; 128];
        drbg.generate(&mut output);
        drbg.generate(&mut output);
        assert_eq!(output[..], bytes(returned));
    }

    // NIST CAVP DRBG test vectors (CAVS 14.3, drbgtestvectors.zip), drbgvectors_no_reseed/Hash_DRBG.rsp, [SHA-256],
    // EntropyInputLen 256, NonceLen 128, AdditionalInputLen 0, ReturnedBitsLen 1024.

    #[test]
    fn nist_without_personalization() {
        check(
            "a65ad0f345db4e0effe875c3a2e71f42c7129d620ff5c119a9ef55f05185e0fb",
            "8581f9317517276e06e9607ddbcbcc2e",
            "",
            "d3e160c35b99f340b2628264d1751060e0045da383ff57a57d73a673d2b8d80d\
             aaf6a6c35a91bb4579d73fd0c8fed111b0391306828adfed528f018121b3febd\
             c343e797b87dbb63db1333ded9d1ece177cfa6b71fe8ab1da46624ed6415e51c\
             cde2c7ca86e283990eeaeb91120415528b2295910281b02dd431f4c9f70427df",
        );
    }

    #[test]
    fn nist_with_personalization() {
        check(
            "dfeabab904bfe93a37bb5b1ea4a696f881ab5ab4be87ffbf2d4e8cdfaabb37fd",
            "a2d458b475053a0346b57fc518849ba1",
            "d15d5d9a4a3a41877b4ea98dbda5079ee393f6ab24105dbd70f5bf145772b15c",
            "86d8c63ed4a8a19f3429b4dd57ede5ca573e861712e631400645ceee763c37cf\
             950bdcc4d9c886ead3f0f1bf46a63bf22bd2eb39b2dac61d2e8c8f29e26045b3\
             db56b2265adc8152d4f736c09ee90364a1e265eb5e77b0c5988c8fa52717fd33\
             b6da760e78f2a7c27065227c47ac2134b95b7dadbf96e4ea2dad78ef200e174b",
        );
    }
}
