//! With blsful, another implementation of the same: what one signs, the other verifies, share by share.

use blsful::inner_types::G2Projective;
use blsful::vsss_rs::Share;
use blsful::{Bls12381G2Impl, SignatureSchemes};
use mcbn_secret::SigningShare;
use mcbn_threshold::{Index, KeyShare, PartialSignature, Threshold, generate};

const MESSAGE: &[u8] = b"what is agreed to";

fn random(bytes: &mut [u8]) -> Result<(), ring::error::Unspecified> {
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), bytes)
}

#[test]
fn what_is_combined_here_verifies_there() {
    let dealt = generate(Threshold::new(2).unwrap(), 3, random).unwrap();
    let partials: Vec<PartialSignature> = dealt.shares[1..]
        .iter()
        .map(|share| share.sign(MESSAGE))
        .collect();
    let combined = dealt.group.combine(MESSAGE, &partials, random).unwrap();
    let signature = G2Projective::from_compressed(&combined.signature.to_bytes()).unwrap();
    let key = dealt.group.key().to_bytes();
    let key = blsful::PublicKey::<Bls12381G2Impl>::try_from(&key[..]).unwrap();
    let signature = blsful::Signature::ProofOfPossession(signature);
    signature.verify(&key, MESSAGE).unwrap();
    assert!(signature.verify(&key, b"something else").is_err());
}

#[test]
fn a_share_that_was_dealt_there_signs_the_same_here() {
    let key = blsful::SecretKey::<Bls12381G2Impl>::from_hash(b"a key of this test alone");
    for theirs in key.split(3, 5).unwrap() {
        let (number, value) = (
            theirs.0.identifier().to_be_bytes(),
            theirs.0.value().to_be_bytes(),
        );
        let index = Index::new(number[31]).unwrap();
        let ours = KeyShare::new(index, &SigningShare::copied_from(&value)).unwrap();
        let signed = theirs
            .sign(SignatureSchemes::ProofOfPossession, MESSAGE)
            .unwrap();
        let signed = signed.as_raw_value().value().to_compressed();
        assert_eq!(ours.sign(MESSAGE).signature.to_bytes(), signed);
    }
}
