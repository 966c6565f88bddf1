//! A key that was made elsewhere, wrapped with `mcbn kms import-wrap`, imported, and used.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use mcbn_tests_kms::{Own, Scene};
use mcbn_tests_support::google_cloud::{Algorithm, ImportJob, Protection, Role};
use mcbn_tests_support::process::Process;
use mcbn_tests_support::workload::mcbn;
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;

const KEY: &str = "projects/example-project/locations/europe-west3/keyRings/mcbn/cryptoKeys/own";

/// The key in Cloud KMS, once its owner has followed Google's steps.
fn imported(scene: &Scene, key: &PKey<Private>, algorithm: Algorithm, job: &ImportJob) -> Own {
    let folder = &scene.folder;
    let private = folder.file("key.pem", key.private_key_to_pem_pkcs8().unwrap());
    fs::set_permissions(&private, Permissions::from_mode(0o600)).unwrap();
    folder.file("job.pem", job.public_key_pem());
    let mut wrap = mcbn();
    wrap.current_dir(folder.path()).args([
        "kms",
        "import-wrap",
        "--key=key.pem",
        "--job-key=job.pem",
        "--out=wrapped",
    ]);
    Process::start(wrap).end().expect_code(0);
    let wrapped = fs::read(folder.path().join("wrapped")).unwrap();
    let kms = scene.cloud.kms();
    let version = kms.import_key(KEY, algorithm, Protection::Hsm, job, &wrapped);
    let version = version.expect("the job opens it");
    scene.bind(&version, Role::SignerVerifier);
    let public = kms.public_key_pem(&version);
    assert_eq!(public.as_bytes(), key.public_key_to_pem().unwrap());
    Own {
        version,
        certificate: folder.file("own.pem", scene.ca.issue(&public)),
    }
}

fn serves(key: &PKey<Private>, algorithm: Algorithm, job_bits: u32) {
    let scene = Scene::new();
    let own = imported(&scene, key, algorithm, &ImportJob::start(job_bits));
    let server = scene.serve(&own, &[]);
    let answered = scene.get(&scene.p256("client"), &server, &[]);
    assert_eq!(answered.expect_code(0).stdout(), "ok\n");
}

#[test]
fn an_ec_key_is_imported_and_serves() {
    let group = EcGroup::from_curve_name(Nid::SECP384R1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    serves(&key, Algorithm::EcP384Sha384, 3072);
}

#[test]
fn an_rsa_key_is_imported_and_serves() {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    serves(&key, Algorithm::RsaPss2048Sha256, 4096);
}
