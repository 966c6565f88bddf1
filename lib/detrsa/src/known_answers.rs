//! The published keys, and those of another program.
//!
//! `detrsa.json` holds the published and recomputed keys, `derive.json` those of `derive.py`, which shares no code with
//! this crate.

use crate::search::{Candidates, two_primes};
use crate::{Algorithm, RsaKey, Seed, Size, generate};
use openssl::error::ErrorStack;
use serde_json::Value;
use sha2::{Digest, Sha512};

fn published() -> Value {
    serde_json::from_str(include_str!("../testdata/detrsa.json")).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let byte = |two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

fn seed(hex: &Value) -> Seed {
    Seed::copied_from(&bytes(hex.as_str().unwrap()).try_into().unwrap())
}

fn components(key: &RsaKey) -> openssl::rsa::Rsa<openssl::pkey::Private> {
    openssl::rsa::Rsa::private_key_from_der(key.pkcs1_der().expose_secret()).unwrap()
}

fn hex(number: Option<&openssl::bn::BigNumRef>) -> String {
    number.unwrap().to_hex_str().unwrap().to_lowercase()
}

#[test]
fn chacha20_v1_gives_the_keys_of_another_program() {
    let derived: Value = serde_json::from_str(include_str!("../testdata/derive.json")).unwrap();
    for expected in derived["chacha20_v1"].as_array().unwrap() {
        let size = expected["bits"].to_string().parse().unwrap();
        let key = generate(Algorithm::ChaCha20V1, size, &seed(&expected["seed_hex"])).unwrap();
        let numbers = components(&key);
        assert_eq!(hex(numbers.p()), expected["p_hex"]);
        assert_eq!(hex(numbers.q()), expected["q_hex"]);
        assert_eq!(
            key.spki_sha256().to_string(),
            expected["spki_sha256_base64url"]
        );
        numbers.check_key().unwrap();
    }
}

#[test]
fn hash_drbg_sha256_gives_the_published_key() {
    let published = published();
    let expected = &published["hash_drbg_sha256"];
    let seed = seed(&published["combined_sha256_hex"]);
    let key = generate(Algorithm::HashDrbgSha256, Size::Bits2048, &seed).unwrap();
    let numbers = components(&key);
    assert_eq!(hex(Some(numbers.n())), expected["n_hex"]);
    assert_eq!(hex(numbers.p()), expected["p_hex"]);
    assert_eq!(hex(numbers.q()), expected["q_hex"]);
    assert_eq!(
        numbers.e().to_dec_str().unwrap().to_string(),
        expected["e"].to_string()
    );
    assert_eq!(
        key.spki_sha256().to_string(),
        expected["spki_sha256_base64url"]
    );
}

#[test]
fn provable_fips186_gives_the_key_of_certtool() {
    let published = published();
    let seed = seed(&published["combined_sha256_hex"]);
    let key = generate(Algorithm::ProvableFips186, Size::Bits2048, &seed).unwrap();
    assert_eq!(
        hex(Some(components(&key).n())),
        published["certtool_provable"]["n_hex"]
    );
}

/// The older published sample: an own generator, and the same search. Nobody should make such a key; that the search
/// finds it says something of the search.
struct Sha512Reader(Vec<u8>);

impl Candidates for Sha512Reader {
    fn next(&mut self, bytes: &mut [u8]) -> Result<(), ErrorStack> {
        for block in bytes.chunks_mut(32) {
            let digest = Sha512::digest(&self.0);
            self.0 = digest[..32].to_vec();
            block.copy_from_slice(&digest[32..]);
        }
        Ok(())
    }
}

#[test]
fn the_search_finds_the_older_published_key() {
    let published = published();
    let seed = seed(&published["combined_sha256_hex"]);
    // Its seed is the text.
    let text = published["combined_base64url"].as_str().unwrap();
    let mut reader = Sha512Reader(text.as_bytes().to_vec());
    let (p, q) = two_primes(&mut reader, 128, &seed).unwrap();
    let key = RsaKey::of_primes(&p, &q).unwrap();
    let expected = &published["sha512_reader_legacy"];
    assert_eq!(hex(Some(components(&key).n())), expected["n_hex"]);
    assert_eq!(
        key.spki_sha256().to_string(),
        expected["spki_sha256_base64url"]
    );
}
