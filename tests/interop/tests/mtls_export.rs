//! What detrsa-mtls writes for stacks that must hold the key themselves.

use mcbn_tests_interop::mtls::{Material, Ours};
use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::{Ended, Process};

const PASSPHRASE: &str = "a passphrase of a test";

fn openssl(material: &Material, arguments: &[&str]) -> Ended {
    let mut command = peer("openssl");
    command.current_dir(material.folder()).args(arguments);
    let ended = Process::start(command).end();
    ended.expect_code(0);
    ended
}

#[test]
fn each_form_holds_the_same_key() {
    let material = Material::new();
    material.file("passphrase", PASSPHRASE);
    for arguments in [
        &[
            "--insecure-export-private-key=key.der",
            "--export-format=pkcs8",
        ][..],
        &[
            "--insecure-export-private-key=key.p12",
            "--export-format=pkcs12",
            "--export-passphrase=passphrase",
            "--name=localhost",
        ],
    ] {
        let ended = material.export(arguments);
        ended.expect_code(0);
        assert_eq!(ended.stdout(), "");
        assert!(!ended.stderr().contains(PASSPHRASE), "{ended}");
    }
    let public = ["-pubout"];
    let of_pem = openssl(
        &material,
        &[&["pkey", "-in", "key.pem"][..], &public].concat(),
    );
    let of_der = ["pkey", "-in", "key.der", "-inform", "der"];
    assert_eq!(
        openssl(&material, &[&of_der[..], &public].concat()).stdout,
        of_pem.stdout
    );

    let p12 = [
        "pkcs12",
        "-in",
        "key.p12",
        "-passin",
        "file:passphrase",
        "-noenc",
    ];
    let opened = openssl(&material, &p12);
    material.file("opened.pem", &opened.stdout());
    let of_p12 = openssl(
        &material,
        &[&["pkey", "-in", "opened.pem"][..], &public].concat(),
    );
    assert_eq!(of_p12.stdout, of_pem.stdout);
    let of_certificate = ["x509", "-in", "opened.pem", "-noout", "-pubkey"];
    assert_eq!(openssl(&material, &of_certificate).stdout, of_pem.stdout);
}

#[test]
fn a_pkcs12_file_opens_our_server() {
    let material = Material::new();
    material.file("passphrase", PASSPHRASE);
    let export = [
        "--insecure-export-private-key=key.p12",
        "--export-format=pkcs12",
        "--export-passphrase=passphrase",
    ];
    material.export(&export).expect_code(0);
    let server = material.server(&["--name=127.0.0.1"]);
    let mut command = peer("curl");
    command
        .current_dir(material.folder())
        .args(["--silent", "--show-error", "--fail", "--insecure"])
        .args(["--cert-type", "P12", "--cert"])
        .arg(format!("key.p12:{PASSPHRASE}"))
        .arg(format!("https://{}/", server.address()));
    let ended = Process::start(command).end();
    ended.expect_code(0);
    assert_eq!(ended.stdout(), "ok\n");
}

#[test]
fn a_wrong_passphrase_is_refused_before_any_key_is_made() {
    let material = Material::new();
    material.file("passphrase", "short");
    let ended = material.export(&[
        "--insecure-export-private-key=key.p12",
        "--export-format=pkcs12",
        "--export-passphrase=passphrase",
    ]);
    ended.expect_code(64);
    assert!(!material.folder().join("key.p12").exists());
}
