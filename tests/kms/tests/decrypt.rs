//! kms-mtls decrypt.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use mcbn_tests_kms::{REFUSED, Scene, USAGE};
use mcbn_tests_support::google_cloud::{Algorithm, Call, Fault, Protection, Role};
use mcbn_tests_support::process::Process;

const SECRET: &[u8] = b"a secret\n\xff";

struct Sealed {
    scene: Scene,
    version: String,
    ciphertext: Vec<u8>,
}

impl Sealed {
    fn new(algorithm: Algorithm) -> Self {
        let scene = Scene::new();
        let version = scene.version("oaep", algorithm, Protection::Hsm);
        scene.bind(&version, Role::Decrypter);
        let ciphertext = scene.cloud.kms().encrypt_to(&version, SECRET);
        Self {
            scene,
            version,
            ciphertext,
        }
    }

    fn command(&self) -> Command {
        let scene = &self.scene;
        let mut command = scene.command();
        command
            .arg("decrypt")
            .arg(format!("--key={}", self.version))
            .arg(format!("--kms-endpoint={}", scene.cloud.kms().endpoint()))
            .arg(format!("--google-credentials={}", scene.credentials));
        command
    }
}

fn small() -> Sealed {
    Sealed::new(Algorithm::RsaOaep2048Sha256)
}

#[test]
fn standard_input_is_decrypted_to_standard_output() {
    let largest = Sealed::new(Algorithm::RsaOaep4096Sha512);
    for sealed in [small(), largest] {
        let mut process = Process::start(sealed.command());
        process.write(&sealed.ciphertext);
        let ended = process.end();
        assert_eq!(ended.expect_code(0).stdout, SECRET);
        assert_eq!(ended.stderr(), "");
        let requests = sealed.scene.cloud.kms().requests();
        assert_eq!(requests.of(Call::AsymmetricDecrypt), 1);
    }
}

#[test]
fn a_file_is_decrypted_to_a_new_file_of_its_owner() {
    let sealed = small();
    let ciphertext = sealed.scene.folder.file("sealed", &sealed.ciphertext);
    let out = sealed.scene.folder.path().join("plaintext");
    let run = || {
        let mut command = sealed.command();
        command.arg("--out").arg(&out).arg(&ciphertext);
        Process::start(command).end()
    };
    let ended = run();
    assert_eq!(ended.expect_code(0).all(), "");
    assert_eq!(fs::read(&out).unwrap(), SECRET);
    assert_eq!(fs::metadata(&out).unwrap().mode() & 0o777, 0o600);

    fs::write(&out, "kept").unwrap();
    let again = run();
    assert!(
        again.stderr().contains("nothing is written over"),
        "{again}"
    );
    assert_eq!(fs::read_to_string(&out).unwrap(), "kept");
}

/// What it says is not what was encrypted.
#[track_caller]
fn refused(sealed: &Sealed, code: i32, saying: &str) {
    let mut process = Process::start(sealed.command());
    process.write(&sealed.ciphertext);
    let ended = process.end();
    assert_eq!(ended.expect_code(code).stdout(), "");
    assert!(ended.stderr().contains(saying), "{ended}");
}

#[test]
fn a_ciphertext_that_was_changed_is_refused() {
    let mut sealed = small();
    sealed.ciphertext[7] ^= 1;
    refused(&sealed, REFUSED, "the request is refused");
}

#[test]
fn a_plaintext_that_was_changed_is_refused() {
    let sealed = small();
    sealed.scene.cloud.kms().set_fault(Fault::WrongChecksum);
    refused(&sealed, REFUSED, "checksum");
    sealed.scene.cloud.kms().set_fault(Fault::OtherProtection);
    refused(&sealed, REFUSED, "protection level");
    sealed.scene.cloud.kms().set_fault(Fault::Unverified);
    refused(&sealed, REFUSED, "something else than what was sent");
}

#[test]
fn somebody_without_the_role_is_refused() {
    let sealed = small();
    let member = sealed.scene.account.member();
    let iam = sealed.scene.cloud.iam();
    iam.unbind(&member, &sealed.version, Role::Decrypter);
    refused(&sealed, REFUSED, "permission denied");
}

#[test]
fn no_key_is_refused() {
    let mut command = small().scene.command();
    command.arg("decrypt");
    Process::start(command).end().expect_code(USAGE);
}
