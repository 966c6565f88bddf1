//! Every kind of key, at each end.

use mcbn_tests_kms::{REFUSED, Scene};
use mcbn_tests_support::google_cloud::{Algorithm, Protection, Role, State};

/// One after the other; each end signs once at its start, and once for its peer.
#[track_caller]
fn meet(algorithms: &[Algorithm], version: &str) {
    let scene = Scene::new();
    let other = scene.p256("other");
    let version = format!("--tls-version={version}");
    for algorithm in algorithms {
        let own = scene.own(&algorithm.name().to_lowercase(), *algorithm);
        for [at_server, at_client] in [[&own, &other], [&other, &own]] {
            let before = scene.signatures();
            let server = scene.serve(at_server, &[&version]);
            let ended = scene.get(at_client, &server, &[&version]);
            assert_eq!(ended.expect_code(0).stdout(), "ok\n", "{algorithm:?}");
            assert_eq!(scene.signatures() - before, 4, "{algorithm:?}");
        }
    }
}

#[test]
fn every_modern_key_serves_and_connects_in_tls_1_3() {
    meet(
        &[
            Algorithm::EcP256Sha256,
            Algorithm::EcP384Sha384,
            Algorithm::RsaPss2048Sha256,
            Algorithm::RsaPss3072Sha256,
            Algorithm::RsaPss4096Sha256,
            Algorithm::RsaPss4096Sha512,
        ],
        "1.3",
    );
}

#[test]
fn every_key_serves_and_connects_in_tls_1_2() {
    meet(
        &[
            Algorithm::EcP256Sha256,
            Algorithm::EcP384Sha384,
            Algorithm::RsaPss2048Sha256,
            Algorithm::RsaPss4096Sha512,
            Algorithm::RsaPkcs1_2048Sha256,
            Algorithm::RsaPkcs1_3072Sha256,
            Algorithm::RsaPkcs1_4096Sha256,
            Algorithm::RsaPkcs1_4096Sha512,
        ],
        "1.2",
    );
}

#[test]
fn pkcs1_in_tls_1_3_is_refused() {
    let scene = Scene::new();
    let own = scene.own("old", Algorithm::RsaPkcs1_2048Sha256);
    let ended = scene.server(&own, &[]).end();
    let said = ended.expect_code(REFUSED).stderr();
    assert!(said.contains("RSA_SIGN_PKCS1_2048_SHA256"), "{said}");
    assert!(said.contains("TLS 1.3 forbids"), "{said}");
    assert!(said.contains("hint: give --tls-version 1.2"), "{said}");
    assert_eq!(scene.signatures(), 0);
}

#[test]
fn a_key_for_decryption_is_refused() {
    let scene = Scene::new();
    let mut own = scene.p256("own");
    own.version = scene.version("oaep", Algorithm::RsaOaep2048Sha256, Protection::Hsm);
    scene.bind(&own.version, Role::PublicKeyViewer);
    let said = scene.server(&own, &[]).end();
    let said = said.expect_code(REFUSED).stderr();
    assert!(said.contains("RSA_DECRYPT_OAEP_2048_SHA256"), "{said}");
}

#[test]
fn a_key_that_is_kept_otherwise_is_refused() {
    let scene = Scene::new();
    let mut own = scene.p256("own");
    own.version = scene.version("soft", Algorithm::EcP256Sha256, Protection::Software);
    scene.bind(&own.version, Role::SignerVerifier);
    let public = scene.cloud.kms().public_key_pem(&own.version);
    own.certificate = scene.folder.file("soft.pem", scene.ca.issue(&public));
    let said = scene.server(&own, &[]).end();
    let said = said.expect_code(REFUSED).stderr();
    assert!(
        said.contains("level is software, and it must be hsm"),
        "{said}"
    );
    assert_eq!(scene.signatures(), 0);
    scene.serve(&own, &["--protection-level=software"]);
}

#[test]
fn a_certificate_of_another_version_is_refused() {
    let scene = Scene::new();
    let mut own = scene.p256("own");
    own.version = scene.p256("other").version;
    let said = scene.server(&own, &[]).end();
    let said = said.expect_code(REFUSED).stderr();
    assert!(said.contains("it is not of the key in Cloud KMS"), "{said}");
}

#[test]
fn a_version_that_is_switched_off_is_refused() {
    let scene = Scene::new();
    let own = scene.p256("own");
    scene.cloud.kms().set_state(&own.version, State::Disabled);
    let said = scene.server(&own, &[]).end();
    let said = said.expect_code(REFUSED).stderr();
    assert!(said.contains("cannot use the key in Cloud KMS"), "{said}");
}

#[test]
fn a_version_that_is_not_there_is_refused() {
    let scene = Scene::new();
    let mut own = scene.p256("own");
    own.version = own
        .version
        .replace("/cryptoKeyVersions/1", "/cryptoKeyVersions/2");
    scene.server(&own, &[]).end().expect_code(REFUSED);
}
