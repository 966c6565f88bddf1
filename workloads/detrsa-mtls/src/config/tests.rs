use super::*;
use crate::testing::parsed;

/// The configuration is refused, and what is said of it.
#[track_caller]
fn refused(arguments: &[&str], saying: &str) {
    let faults = parsed(arguments).unwrap_err();
    assert!(faults.contains(saying), "{arguments:?}: {faults}");
}

#[test]
fn each_work_is_read() {
    let server = parsed(&["--role=server", "--self-signed"]).unwrap().work;
    assert!(matches!(server, Work::Server { server, .. } if server.listen == role::DEFAULT_LISTEN));
    let client = [
        "--role=client",
        "--server=192.0.2.1:1",
        "--listen=127.0.0.1:0",
    ];
    let client = parsed(&client).unwrap().work;
    assert!(matches!(
        client,
        Work::Client {
            mode: Mode::Listen(_),
            ..
        }
    ));
    let request = parsed(&["--csr=-", "--name=server.example"]).unwrap().work;
    assert!(matches!(request, Work::Request { .. }));
    for format in ["pem", "pkcs8"] {
        let format = format!("--export-format={format}");
        let export = ["--insecure-export-private-key=key", &format];
        let export = parsed(&export).unwrap().work;
        assert!(matches!(export, Work::Export { .. }));
    }
}

#[test]
fn one_thing_at_a_time() {
    refused(&[], "it is needed");
    let only_one = "only one of them can be given at a time";
    refused(&["--role=server", "--csr=-"], only_one);
    refused(&["--csr=-", "--insecure-export-private-key=key"], only_one);
    refused(
        &["--role=server", "--insecure-export-private-key=key"],
        only_one,
    );
    refused(&["--role=both"], "not server or client");
}

#[test]
fn settings_of_the_other_role_are_refused() {
    for setting in [
        "--server=192.0.2.1:1",
        "--get=/",
        "--stdio",
        "--insecure-plaintext-listen",
    ] {
        refused(&["--role=server", setting], "for --role client only");
    }
    for setting in [
        "--forward=127.0.0.1:1",
        "--insecure-plaintext-forward",
        "--max-handshakes=1",
        "--max-connections-per-peer=1",
    ] {
        let client = ["--role=client", "--server=192.0.2.1:1", "--get=/", setting];
        refused(&client, "for --role server only");
    }
    for work in ["--csr=-", "--insecure-export-private-key=key"] {
        for setting in [
            "--listen=127.0.0.1:0",
            "--get=/",
            "--forward=127.0.0.1:1",
            "--peer-name=a",
        ] {
            refused(&[work, setting], "for a --role only");
        }
    }
}

#[test]
fn a_client_without_a_server_is_refused() {
    refused(&["--role=client", "--get=/"], "a client needs it");
}

#[test]
fn an_export_needs_what_its_format_needs() {
    let export = "--insecure-export-private-key=key";
    refused(&[export, "--export-format=pkcs12"], "pkcs12 needs it");
    refused(&[export, "--export-format=jks"], "not pem, pkcs8 or pkcs12");
    refused(
        &[export, "--export-passphrase=p"],
        "for --export-format pkcs12 only",
    );
    refused(&[export, "--name=a"], "for --export-format pkcs12 only");
    refused(
        &["--role=server", "--export-format=pem"],
        "that it could apply to",
    );
}

#[test]
fn there_is_one_issuer() {
    let one = "there is one issuer at a time";
    refused(&["--role=server", "--self-signed", "--certificate=c"], one);
    refused(
        &["--role=server", "--ca-certificate=c"],
        "neither is of use without the other",
    );
    refused(
        &["--role=server", "--certificate=/nowhere"],
        "cannot read the file",
    );
}

/// An image could not be stopped from giving its key away, were it an operator's to ask for.
#[test]
fn no_operator_can_export_the_key() {
    for setting in [
        export::INSECURE_EXPORT_PRIVATE_KEY,
        export::FORMAT,
        export::PASSPHRASE,
    ] {
        assert!(!setting.is_operators(), "{}", setting.name());
    }
}
