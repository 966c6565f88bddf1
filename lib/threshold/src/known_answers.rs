//! Answers of others: Ethereum's for the ciphersuite, and those of `derive.py` for what is made of shares. It shares no
//! code with this crate.

use crate::deal::deal;
use crate::error::NotAPoint;
use crate::group::Group;
use crate::index::Index;
use crate::key::PublicKey;
use crate::scalar::Scalar;
use crate::share::KeyShare;
use crate::signature::{PartialSignature, Signature};
use mcbn_secret::SigningShare;
use serde_json::Value;
use std::convert::Infallible;

fn ethereum() -> Value {
    serde_json::from_str(include_str!("../testdata/ethereum_bls.json")).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    base16ct::lower::decode_vec(hex.as_str().unwrap()).unwrap()
}

/// None where there are too few or too many.
fn sized<const N: usize>(hex: &Value) -> Option<[u8; N]> {
    bytes(hex).try_into().ok()
}

#[test]
fn signatures_are_ethereums() {
    let mut signed = 0;
    for case in list(&ethereum()["sign"]) {
        let (name, input) = (case["name"].as_str(), &case["input"]);
        let key = Scalar::from_bytes(&sized(&input["privkey"]).unwrap());
        let signature = key.map(|key| Signature::by(&key, &bytes(&input["message"])).to_bytes());
        // That of the key zero has no output.
        let expected = case["output"].is_string().then(|| bytes(&case["output"]));
        assert_eq!(signature.map(Vec::from), expected, "{name:?}");
        signed += usize::from(signature.is_some());
    }
    assert_eq!(signed, 9);
}

#[test]
fn what_verifies_is_what_verifies_for_ethereum() {
    let ethereum = ethereum();
    let cases = list(&ethereum["verify"]);
    assert_eq!(cases.len(), 29);
    for case in cases {
        let input = &case["input"];
        let key = sized(&input["pubkey"]).and_then(|bytes| PublicKey::from_bytes(&bytes).ok());
        let signature =
            sized(&input["signature"]).and_then(|bytes| Signature::from_bytes(&bytes).ok());
        let message = bytes(&input["message"]);
        let verifies = key
            .zip(signature)
            .is_some_and(|(key, signature)| key.verify(&message, &signature).is_ok());
        assert_eq!(verifies, case["output"].as_bool().unwrap(), "{case}");
    }
}

/// Ethereum reads infinity and refuses it later.
fn is_read_there(read: Option<Result<(), NotAPoint>>) -> bool {
    matches!(read, Some(Ok(()) | Err(NotAPoint::Infinity)))
}

#[test]
fn points_that_are_none_for_ethereum_are_refused() {
    let ethereum = ethereum();
    for case in list(&ethereum["deserialization_G1"]) {
        let read = sized(&case["input"]["pubkey"]).map(|bytes| {
            PublicKey::from_bytes(&bytes).map(|key| assert_eq!(key.to_bytes(), bytes))
        });
        assert_eq!(
            is_read_there(read),
            case["output"].as_bool().unwrap(),
            "{case}"
        );
    }
    for case in list(&ethereum["deserialization_G2"]) {
        let read = sized(&case["input"]["signature"]).map(|bytes| {
            Signature::from_bytes(&bytes).map(|signature| assert_eq!(signature.to_bytes(), bytes))
        });
        assert_eq!(
            is_read_there(read),
            case["output"].as_bool().unwrap(),
            "{case}"
        );
    }
}

/// What is wrong with the point in this case of Ethereum's.
fn fault_in_g1(name: &str) -> NotAPoint {
    let ethereum = ethereum();
    let mut cases = list(&ethereum["deserialization_G1"]).iter();
    let case = cases.find(|case| case["name"] == name).unwrap();
    PublicKey::from_bytes(&sized(&case["input"]["pubkey"]).unwrap()).unwrap_err()
}

#[test]
fn each_fault_of_a_point_has_its_name() {
    for (name, fault) in [
        ("deserialization_fails_not_in_curve", NotAPoint::OffCurve),
        ("deserialization_fails_not_in_G1", NotAPoint::OutsideGroup),
        (
            "deserialization_succeeds_infinity_with_true_b_flag",
            NotAPoint::Infinity,
        ),
        (
            "deserialization_fails_x_equal_to_modulus",
            NotAPoint::Encoding,
        ),
        (
            "deserialization_fails_with_b_flag_and_a_flag_true",
            NotAPoint::Encoding,
        ),
    ] {
        assert_eq!(fault_in_g1(name), fault, "{name}");
    }
}

#[test]
fn shares_and_what_is_made_of_them_are_those_of_others() {
    let sets: Value = serde_json::from_str(include_str!("../testdata/threshold.json")).unwrap();
    let sets = list(&sets["sets"]);
    assert_eq!(sets.len(), 2);
    for set in sets {
        let coefficients: Vec<_> = list(&set["coefficients"])
            .iter()
            .map(|hex| Scalar::from_bytes(&sized(hex).unwrap()).unwrap())
            .collect();
        let count = u8::try_from(set["count"].as_u64().unwrap()).unwrap();
        let dealt = deal(&coefficients, count).unwrap();
        let commitments: Vec<_> = list(&set["commitments"])
            .iter()
            .map(|hex| hex.as_str().unwrap().parse().unwrap())
            .collect();
        let group = Group::new(commitments, count).unwrap();
        assert_eq!(group, dealt.group);
        assert_eq!(group.threshold().get() as u64, set["threshold"]);

        let shares: Vec<_> = list(&set["shares"])
            .iter()
            .zip(Index::all(count))
            .map(|(hex, index)| {
                let secret = SigningShare::copied_from(&sized(hex).unwrap());
                KeyShare::new(index, &secret).unwrap()
            })
            .collect();
        assert_eq!(shares.len(), usize::from(count));
        for ((share, made), key) in shares
            .iter()
            .zip(&dealt.shares)
            .zip(list(&set["share_public_keys"]))
        {
            assert_eq!(share.secret(), made.secret());
            assert_eq!(share.public_key().to_bytes(), sized(key).unwrap());
            assert_eq!(group.check(share), Ok(()));
        }

        for case in list(&set["messages"]) {
            let message = bytes(&case["message"]);
            let partials: Vec<PartialSignature> =
                shares.iter().map(|share| share.sign(&message)).collect();
            for (partial, expected) in partials.iter().zip(list(&case["partial_signatures"])) {
                assert_eq!(partial.signature.to_bytes(), sized(expected).unwrap());
            }
            let used = &partials[1..];
            let combined = group.combine(&message, used, |weights| {
                weights.fill(3);
                Ok::<_, Infallible>(())
            });
            let signature = combined.unwrap().signature.to_bytes();
            assert_eq!(signature, sized(&case["signature"]).unwrap());
        }
    }
}
