//! What is asked for is given, and what is not whole is refused.

use mcbn_gcp::{Algorithm, Corrupt, Failure, Protection};
use mcbn_tests_gcp::{DEADLINE, MESSAGE, PAYLOAD, Project, RING, sign};
use mcbn_tests_support::google_cloud::{
    Algorithm as TheirAlgorithm, Call, Fault, Protection as TheirProtection, Role, State,
};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Verifier;

const PLAINTEXT: &[u8] = b"what was encrypted";

#[tokio::test]
async fn a_public_key_and_a_signature_by_it() {
    let project = Project::new();
    let kms = project.kms();
    let key = kms.public_key(&project.signing).await.unwrap();
    assert_eq!(key.algorithm, Ok(Algorithm::EcP256Sha256));
    assert_eq!(key.protection, Protection::Hsm);
    let signature = sign(&kms, &project.signing);
    let signature = signature.await.unwrap();
    let key = PKey::public_key_from_der(&key.spki).unwrap();
    let mut verifier = Verifier::new(MessageDigest::sha256(), &key).unwrap();
    assert!(verifier.verify_oneshot(&signature, MESSAGE).unwrap());
}

#[tokio::test]
async fn a_secret_is_read() {
    let project = Project::new();
    let secrets = project.google(DEADLINE).secret_manager();
    let secret = secrets.access(&project.secret).await.unwrap();
    assert_eq!(secret.expose_secret(), PAYLOAD);
}

#[tokio::test]
async fn a_ciphertext_for_a_public_key_is_decrypted() {
    let project = Project::new();
    let kms = project.cloud.kms();
    let key = format!("{RING}/inbox");
    let version = kms.add_key(
        &key,
        TheirAlgorithm::RsaOaep2048Sha256,
        TheirProtection::Software,
    );
    let member = project.account.member();
    project.cloud.iam().bind(&member, &key, Role::Decrypter);
    let ciphertext = kms.encrypt_to(&version, PLAINTEXT);
    let version = version.parse().unwrap();
    let client = project.kms();
    let plaintext = client.asymmetric_decrypt(&version, &ciphertext, Protection::Software);
    assert_eq!(plaintext.await.unwrap().expose_secret(), PLAINTEXT);
    for (fault, corrupt) in [
        (Fault::WrongChecksum, Corrupt::Checksum),
        (Fault::Unverified, Corrupt::Request),
        (Fault::OtherProtection, Corrupt::Protection),
    ] {
        kms.set_fault_for(1, fault);
        let refused = client.asymmetric_decrypt(&version, &ciphertext, Protection::Software);
        assert_eq!(refused.await.unwrap_err(), Failure::Corrupt(corrupt));
    }
}

#[tokio::test]
async fn a_signature_that_is_not_whole_is_refused() {
    let project = Project::new();
    let kms = project.kms();
    for (fault, corrupt) in [
        (Fault::WrongChecksum, Corrupt::Checksum),
        (Fault::Unverified, Corrupt::Request),
        (Fault::OtherName, Corrupt::Name),
        (Fault::OtherProtection, Corrupt::Protection),
        (Fault::Truncated, Corrupt::Form),
    ] {
        project.cloud.kms().set_fault_for(1, fault);
        let refused = sign(&kms, &project.signing).await;
        assert_eq!(refused.unwrap_err(), Failure::Corrupt(corrupt), "{fault:?}");
    }
    let sign_calls = project.cloud.kms().requests().of(Call::Sign);
    assert_eq!(sign_calls, 5, "none of them is tried again");
}

#[tokio::test]
async fn a_public_key_that_is_not_whole_is_refused() {
    let project = Project::new();
    let kms = project.kms();
    for (fault, corrupt) in [
        (Fault::WrongChecksum, Corrupt::Checksum),
        (Fault::OtherName, Corrupt::Name),
    ] {
        project.cloud.kms().set_fault_for(1, fault);
        let refused = kms.public_key(&project.signing).await.unwrap_err();
        assert_eq!(refused, Failure::Corrupt(corrupt));
    }
}

#[tokio::test]
async fn a_secret_that_is_not_whole_is_refused() {
    let project = Project::new();
    let secrets = project.google(DEADLINE).secret_manager();
    for (fault, corrupt) in [
        (Fault::WrongChecksum, Corrupt::Checksum),
        (Fault::OtherName, Corrupt::Name),
    ] {
        project.cloud.secrets().set_fault_for(1, fault);
        let refused = secrets.access(&project.secret).await.unwrap_err();
        assert_eq!(refused, Failure::Corrupt(corrupt));
    }
}

#[tokio::test]
async fn a_digest_of_another_hash_is_refused() {
    let project = Project::new();
    let digest = mcbn_gcp::Digest::Sha384([7; 48]);
    let kms = project.kms();
    let refused = kms.sign(&project.signing, &digest, Protection::Hsm);
    assert_eq!(refused.await.unwrap_err().reason(), "rejected");
}

#[tokio::test]
async fn what_is_switched_off_gone_or_forbidden_is_told_apart() {
    let project = Project::new();
    let kms = project.kms();
    let refusal = async || {
        let signed = sign(&kms, &project.signing).await;
        let failure = signed.unwrap_err();
        assert!(failure.is_final());
        failure.reason()
    };
    let name = project.signing.as_str();
    project.cloud.kms().set_state(name, State::Disabled);
    assert_eq!(refusal().await, "disabled");
    project.cloud.kms().set_state(name, State::Destroyed);
    assert_eq!(refusal().await, "disabled");
    project.forbid(&project.account.member());
    assert_eq!(refusal().await, "permission_denied");
}
