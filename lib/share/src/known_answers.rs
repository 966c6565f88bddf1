//! The published and recomputed answers, and those of the standards for the primitives underneath.
//!
//! `combine.json` holds the published ones; `derive.json` and `bls_prf.json` those of the programs of these names, which
//! share no code with this crate.

use crate::combine::{
    Combined, ManifestDigest, hkdf_v1, hmac_chain_hex, sha256_concat_hex, shamir_v1, xor_sha256,
};
use crate::contribution::Contribution;
use crate::contributions::Contributions;
use crate::holders::Holders;
use crate::participant::Participant;
use crate::plan::Rule;
use crate::shamir::{recover, split};
use crate::signers::Signers;
use crate::text;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use mcbn_secret::{ConsentSignature, Psk, RsaSeed, Share, SharedSecret};
use mcbn_threshold::{Group, Threshold};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

fn published() -> Value {
    serde_json::from_str(include_str!("../testdata/combine.json")).unwrap()
}

fn derived() -> Value {
    serde_json::from_str(include_str!("../testdata/derive.json")).unwrap()
}

fn str(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    let hex: String = hex.split_whitespace().collect();
    base16ct::mixed::decode(&hex, &mut vec![0; hex.len() / 2])
        .unwrap()
        .to_vec()
}

fn psk(hex: &Value) -> Psk {
    Psk::copied_from(&bytes(str(hex)).try_into().unwrap())
}

fn name(text: &str) -> Participant {
    text.parse().unwrap()
}

fn shares(hex: &Value) -> BTreeMap<&str, Share> {
    let shares = hex.as_object().unwrap().iter();
    shares
        .map(|(name, hex)| (name.as_str(), text::share(str(hex).as_bytes()).unwrap()))
        .collect()
}

fn digest(manifest: &Value) -> Option<ManifestDigest> {
    manifest
        .as_str()
        .map(|text| ManifestDigest(Sha256::digest(text).into()))
}

fn tls_psk(combined: &Combined) -> Psk {
    combined.tls_psk(b"Client1").unwrap()
}

// The derivations.

/// The published sample's seed of an RSA key; its key stands in `lib/detrsa/testdata/detrsa.json`.
#[test]
fn sha256_concat_hex_gives_the_published_seed() {
    let alice = "b06394e28c33be5a8699759023972e9294d51b5007b3b0a51a41e9f58d406f8d";
    let bob = "2d362ce19a804d12b85644abf3a0e9bbfbb0e0ba3c5dd7cc4b8e335bc5154496";
    let [alice, bob] = [alice, bob].map(|hex| text::share(hex.as_bytes()).unwrap());
    let expected = bytes("cb488e9105faa7e26cf30dcc6042fea07fd71c38953973c356d8ecf80421880e");
    let seed = sha256_concat_hex(&[&alice, &bob]).detrsa_seed(2048);
    assert!(seed == RsaSeed::copied_from(&expected.try_into().unwrap()));
}

#[test]
fn sha256_concat_hex_gives_the_published_key() {
    let vectors = published();
    let shares = shares(&vectors["shares_hex"]);
    let combined = sha256_concat_hex(&[&shares["alice"], &shares["bob"], &shares["carol"]]);
    assert!(tls_psk(&combined) == psk(&vectors["sha256_concat_ascii_hex"]["psk_hex"]));
    // The published rule knows no purpose and no identity.
    assert!(combined.dtls_psk(b"").unwrap() == tls_psk(&combined));

    let reordered = sha256_concat_hex(&[&shares["bob"], &shares["alice"], &shares["carol"]]);
    assert!(tls_psk(&reordered) != tls_psk(&combined));
}

#[test]
fn hashing_the_decoded_bytes_is_another_key() {
    let vectors = published();
    let shares = shares(&vectors["shares_hex"]);
    let mut hash = Sha256::new();
    for name in ["alice", "bob", "carol"] {
        hash.update(shares[name].expose_secret());
    }
    let wrong = &vectors["negative"]["sha256_of_decoded_bytes_hex"];
    assert_eq!(hash.finalize()[..], bytes(str(wrong)));
    let combined = sha256_concat_hex(&[&shares["alice"], &shares["bob"], &shares["carol"]]);
    assert!(tls_psk(&combined) != psk(wrong));
}

#[test]
fn hmac_chain_hex_gives_the_published_key() {
    let vectors = published();
    let shares = shares(&vectors["shares_hex"]);
    let combined = hmac_chain_hex(&shares["alice"], &[&shares["bob"], &shares["carol"]]);
    assert!(tls_psk(&combined) == psk(&vectors["hmac_chain_ascii_hex"]["psk_hex"]));

    let reordered = hmac_chain_hex(&shares["alice"], &[&shares["carol"], &shares["bob"]]);
    assert!(tls_psk(&reordered) != tls_psk(&combined));
}

#[test]
fn xor_sha256_gives_the_derived_key_in_any_order() {
    let vectors = published();
    let shares = shares(&vectors["shares_hex"]);
    for order in [["alice", "bob", "carol"], ["carol", "alice", "bob"]] {
        let combined = xor_sha256(&order.map(|name| &shares[name]));
        assert!(tls_psk(&combined) == psk(&derived()["xor_sha256_hex"]));
    }
}

#[test]
fn hkdf_v1_gives_the_derived_keys() {
    let vectors = published();
    let shares = shares(&vectors["shares_hex"]);
    let derived = derived();
    for case in list(&derived["hkdf_v1"]) {
        let names: Vec<_> = list(&case["participants"])
            .iter()
            .map(|n| name(str(n)))
            .collect();
        let named: Vec<_> = names.iter().map(|n| (n, &shares[n.as_str()])).collect();
        let combined = hkdf_v1(&named, digest(&case["manifest"]).as_ref());
        let context = str(&case["context"]);
        let key = match str(&case["purpose"]) {
            "tls-psk" => combined.tls_psk(context.as_bytes()).unwrap(),
            "dtls-psk" => combined.dtls_psk(context.as_bytes()).unwrap(),
            "detrsa-seed" => {
                let seed = combined.detrsa_seed(context.parse().unwrap());
                Psk::copied_from(seed.expose_secret())
            }
            "tpm-psk" => {
                let key = combined.tpm_psk_key(context.as_bytes()).unwrap();
                Psk::copied_from(key.expose_secret())
            }
            other => panic!("{other}"),
        };
        assert!(key == psk(&case["key_hex"]), "{case}");
    }
}

#[test]
fn hkdf_v1_orders_the_participants_by_the_bytes_of_their_names() {
    let derived = derived();
    let order = &derived["hkdf_v1_order"];
    let shares = shares(&order["shares_hex"]);
    let names: Vec<_> = shares.keys().map(|n| name(n)).collect();
    let mut named: Vec<_> = names.iter().map(|n| (n, &shares[n.as_str()])).collect();
    for _ in 0..named.len() {
        named.rotate_left(1);
        assert!(tls_psk(&hkdf_v1(&named, None)) == psk(&order["tls_psk_client1_hex"]));
    }
}

#[test]
fn shamir_v1_gives_the_derived_shares_secret_and_key() {
    let derived = derived();
    let manifest = digest(&derived["manifest"]).unwrap();
    for case in list(&derived["shamir_v1"]) {
        let threshold = case["threshold"].to_string().parse::<Threshold>().unwrap();
        let secret = bytes(str(&case["secret_hex"])).try_into().unwrap();
        let secret = SharedSecret::copied_from(&secret);
        let expected = list(&case["shares_hex"]);

        let mut coefficients = list(&case["coefficients_hex"]).iter();
        let shares = split(&secret, threshold, expected.len() as u8, |buffer| {
            buffer.copy_from_slice(&bytes(str(coefficients.next().unwrap())));
            Ok::<_, Infallible>(())
        });
        let shares = shares.unwrap();
        for (share, hex) in shares.iter().zip(expected) {
            assert!(text::shamir_share(str(hex).as_bytes()).as_ref() == Ok(share));
        }

        let last: Vec<_> = shares.iter().rev().take(threshold.get()).collect();
        assert!(recover(&last, threshold).unwrap() == secret);
        let key = tls_psk(&shamir_v1(&secret, Some(&manifest)));
        assert!(key == psk(&case["tls_psk_client1_hex"]));
    }
}

#[test]
fn a_context_of_more_than_two_length_bytes_is_refused() {
    let combined = xor_sha256(&[]);
    assert!(combined.tls_psk(&[b'x'; 65_535]).is_ok());
    let named = hkdf_v1(&[], None);
    assert!(named.tls_psk(&[b'x'; 65_535]).is_ok());
    assert!(named.tls_psk(&[b'x'; 65_536]).is_err());
    assert!(named.tpm_psk_key(&[b'x'; 65_536]).is_err());
}

// The primitives.

/// [FIPS 180-4](https://doi.org/10.6028/NIST.FIPS.180-4), examples of one block, two blocks and a million bytes.
#[test]
fn sha256_of_the_standard() {
    for (message, digest) in [
        (
            b"abc".to_vec(),
            "ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 96177a9c b410ff61 f20015ad",
        ),
        (
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".to_vec(),
            "248d6a61 d20638b8 e5c02693 0c3e6039 a33ce459 64ff2167 f6ecedd4 19db06c1",
        ),
        (
            vec![b'a'; 1_000_000],
            "cdc76e5c 9914fb92 81a1c7e2 84d73e67 f1809a48 a497200e 046d39cc c7112cd0",
        ),
    ] {
        assert_eq!(Sha256::digest(message)[..], bytes(digest));
    }
}

/// [RFC 4231 §4.2 to §4.8](https://www.rfc-editor.org/rfc/rfc4231#section-4), without the truncated one.
#[test]
fn hmac_sha256_of_the_standard() {
    let long = "Test Using Larger Than Block-Size Key - Hash Key First";
    let longer = "This is a test using a larger than block-size key and a larger than block-size data. \
                  The key needs to be hashed before being used by the HMAC algorithm.";
    for (key, data, mac) in [
        (
            vec![0x0b; 20],
            b"Hi There".to_vec(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe".to_vec(),
            b"what do ya want for nothing?".to_vec(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            vec![0xaa; 20],
            vec![0xdd; 50],
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        ),
        (
            (1..=25).collect(),
            vec![0xcd; 50],
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        ),
        (
            vec![0xaa; 131],
            long.into(),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            vec![0xaa; 131],
            longer.into(),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ] {
        let hmac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let output = hmac.chain_update(data).finalize().into_bytes();
        assert_eq!(output[..], bytes(mac));
    }
}

/// [RFC 5869 appendix A.1 to A.3](https://www.rfc-editor.org/rfc/rfc5869#appendix-A).
#[test]
fn hkdf_sha256_of_the_standard() {
    for (ikm, salt, info, prk, okm) in [
        (
            vec![0x0b; 22],
            (0..=0x0c).collect::<Vec<u8>>(),
            (0xf0..=0xf9).collect::<Vec<u8>>(),
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf
             34007208d5b887185865",
        ),
        (
            (0..=0x4f).collect(),
            (0x60..=0xaf).collect(),
            (0xb0..=0xff).collect(),
            "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c
             59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71
             cc30c58179ec3e87c14c01d5c1f3434f1d87",
        ),
        (
            vec![0x0b; 22],
            vec![],
            vec![],
            "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d
             9d201395faa4b61a96c8",
        ),
    ] {
        let (extracted, hkdf) = Hkdf::<Sha256>::extract(Some(&salt), &ikm);
        assert_eq!(extracted[..], bytes(prk));
        let okm = bytes(okm);
        let mut expanded = vec![0; okm.len()];
        hkdf.expand(&info, &mut expanded).unwrap();
        assert_eq!(expanded, okm);
    }
}

#[test]
fn bls_prf_v1_gives_the_derived_consents_and_key() {
    let derived: Value = serde_json::from_str(include_str!("../testdata/bls_prf.json")).unwrap();
    let manifest = digest(&derived["manifest"]).unwrap();
    let commitments = list(&derived["commitments_hex"]).iter();
    let commitments = commitments.map(|hex| str(hex).parse().unwrap()).collect();
    let names = ["alice", "bob", "carol"].map(name);
    let group = Group::new(commitments, 3).unwrap();
    let holders = Holders::new(group, names.to_vec());
    let signers = Arc::new(Signers::new(holders, &manifest));
    let mut all = Contributions::new(Rule::Signed(Arc::clone(&signers)), 3);
    let shares = list(&derived["shares_hex"]).iter();
    for ((name, share), consent) in names.iter().zip(shares).zip(list(&derived["consents_hex"])) {
        let share = text::signing_share(str(share).as_bytes()).unwrap();
        let signed = signers.sign(name, &share).unwrap();
        let expected = bytes(str(consent)).try_into().unwrap();
        let expected = ConsentSignature::copied_from(&expected);
        assert_eq!(signed, Contribution::Consent(expected));
        all.add(name, signed).unwrap();
    }
    assert!(tls_psk(&all.combine(None).unwrap()) == psk(&derived["tls_psk_client1_hex"]));
}
