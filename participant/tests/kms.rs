//! `mcbn kms import-wrap`: the file that it makes, and what it refuses.

use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder with a private key and the public one of an import job.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let job = PKey::from_rsa(Rsa::generate(3072).unwrap()).unwrap();
    let private = folder.path().join("key.pem");
    fs::write(&private, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    fs::set_permissions(&private, Permissions::from_mode(0o600)).unwrap();
    let public = job.public_key_to_pem().unwrap();
    fs::write(folder.path().join("job.pem"), public).unwrap();
    folder
}

fn run(folder: &TempDir, out: &str) -> Output {
    // Bazel gives a path from the folder in which the test starts.
    let program = fs::canonicalize(env!("CARGO_BIN_EXE_mcbn")).unwrap();
    let mut command = Command::new(program);
    command.current_dir(folder.path()).env_clear().args([
        "kms",
        "import-wrap",
        "--key=key.pem",
        "--job-key=job.pem",
    ]);
    command.arg(format!("--out={out}")).output().unwrap()
}

#[track_caller]
fn assert_refused(output: &Output, code: i32, stderr: &str) {
    assert_eq!(str::from_utf8(&output.stderr).unwrap(), stderr);
    assert_eq!(output.stdout, b"");
    assert_eq!(output.status.code(), Some(code));
}

#[test]
fn a_wrapped_key_is_written_and_nothing_is_said() {
    let folder = folder();
    let output = run(&folder, "wrapped");
    assert!(output.status.success(), "{output:?}");
    assert_eq!((&*output.stdout, &*output.stderr), (&b""[..], &b""[..]));
    let wrapped = fs::read(folder.path().join("wrapped")).unwrap();
    // Under 3072 bits of RSA, then the key in blocks of 8 bytes.
    assert!(
        wrapped.len() > 384 && wrapped.len().is_multiple_of(8),
        "{}",
        wrapped.len()
    );
}

#[test]
fn a_file_that_is_there_is_not_written_over() {
    let folder = folder();
    fs::write(folder.path().join("there"), "mine").unwrap();
    let output = run(&folder, "there");
    assert!(!output.status.success());
    assert_eq!(fs::read(folder.path().join("there")).unwrap(), b"mine");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let folder = folder();
    let key = folder.path().join("key.pem");
    fs::set_permissions(key, Permissions::from_mode(0o640)).unwrap();
    assert_refused(
        &run(&folder, "wrapped"),
        77,
        "mcbn: error: others can open key.pem\nmcbn: hint: run chmod 600 key.pem\n",
    );
    assert!(!folder.path().join("wrapped").exists());
}

#[test]
fn what_is_no_key_is_refused_without_showing_it() {
    let folder = folder();
    fs::write(folder.path().join("key.pem"), "private-bits").unwrap();
    assert_refused(
        &run(&folder, "wrapped"),
        77,
        "mcbn: error: key.pem: not a private key in PKCS #8, PEM or DER, without a passphrase\n",
    );
}

#[test]
fn what_is_no_import_job_s_key_is_refused() {
    let folder = folder();
    fs::copy(folder.path().join("key.pem"), folder.path().join("job.pem")).unwrap();
    assert_refused(
        &run(&folder, "wrapped"),
        77,
        "mcbn: error: job.pem: not the public key of an import job: RSA of 3072 or 4096 bits, in PEM\n\
         mcbn: hint: gcloud kms import-jobs describe JOB --format='value(publicKey.pem)' gives the job's key\n",
    );
}
