//! What only kms-mtls has on its command line.

use mcbn_tests_cli::Transcript;

const OK: i32 = 0;
const USAGE: i32 = 64;

const KEY: &str = "--key=projects/example-project/locations/europe-west3/keyRings/mcbn/cryptoKeys/own/cryptoKeyVersions/1";

#[test]
fn decrypt_help() {
    let mut transcript = Transcript::new("kms-mtls", "decrypt_help");
    transcript.run(&[], &["decrypt", "--help"]).expect_code(OK);
    transcript.check();
}

/// One environment can do for both: variables of the ends mean nothing to the command.
#[test]
fn a_decryption_without_a_key_is_refused() {
    let mut transcript = Transcript::new("kms-mtls", "decrypt_refused");
    transcript
        .run(&[("MCBN_ROLE", "server")], &["decrypt"])
        .expect_code(USAGE);
    transcript
        .run(&[], &["decrypt", KEY, "--certificate=file:own.pem"])
        .expect_code(USAGE);
    transcript.check();
}

#[test]
fn keys_and_certificates_of_another_form_are_refused() {
    let mut transcript = Transcript::new("kms-mtls", "forms_refused");
    for arguments in [
        // The newest version is another one tomorrow.
        &[
            "--role=server",
            KEY,
            "--certificate=own.pem",
            "--peer-ca=gcp-secret:projects/example-project/secrets/peers/versions/latest",
        ][..],
        &[
            "--role=server",
            "--key=projects/example-project/locations/europe-west3/keyRings/mcbn/cryptoKeys/own",
            "--certificate=file:own.pem",
            "--peer-ca=file:ca.pem",
            "--kms-endpoint=http://kms.example",
            "--google-credentials=key.json",
            "--protection-level=HSM",
            "--tls-version=1.1",
            "--resumption-lifetime=25h",
            "--kms-concurrency=257",
        ],
        &[
            "--role=client",
            KEY,
            "--certificate=file:own.pem",
            "--peer-ca=file:ca.pem",
            "--server=192.0.2.1:1",
            "--get=/",
        ],
    ] {
        transcript.run(&[], arguments).expect_code(USAGE);
    }
    transcript.check();
}
