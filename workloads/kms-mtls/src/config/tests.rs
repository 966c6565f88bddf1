//! What the settings allow together, and what they refuse.

use super::*;

fn parsed(arguments: &[&str]) -> Result<Config, String> {
    let config = PROGRAM.own_config(arguments, Config::read);
    config.map_err(|faults| format!("{faults:?}"))
}

const KEY: &str = "--key=projects/example-project/locations/europe-west3/keyRings/mcbn/cryptoKeys/own/cryptoKeyVersions/1";
const CERTIFICATE: &str = "--certificate=file:own.pem";
const PEER_CA: &str = "--peer-ca=gcp-secret:projects/example-project/secrets/peers/versions/1";
const SERVER: &[&str] = &["--role=server", KEY, CERTIFICATE, PEER_CA];
const CLIENT: &[&str] = &[
    "--role=client",
    KEY,
    CERTIFICATE,
    PEER_CA,
    "--peer-name=server.example",
    "--server=192.0.2.1:1",
    "--get=/",
];

/// The configuration is refused, and what is said of it.
#[track_caller]
fn refused(arguments: &[&str], more: &[&str], saying: &str) {
    let faults = parsed(&[arguments, more].concat()).unwrap_err();
    assert!(faults.contains(saying), "{more:?}: {faults}");
}

/// These arguments but one.
fn without<'a>(arguments: &[&'a str], start: &str) -> Vec<&'a str> {
    let others = arguments.iter().filter(|text| !text.starts_with(start));
    others.copied().collect()
}

#[test]
fn each_role_is_read() {
    let server = parsed(SERVER).unwrap().work;
    assert!(matches!(server, Work::Server(server) if server.listen == role::DEFAULT_LISTEN));
    let client = parsed(CLIENT).unwrap().work;
    assert!(matches!(client, Work::Client(_, Mode::Get(_))));
}

#[test]
fn an_end_without_its_role_is_refused() {
    refused(&without(SERVER, "--role"), &[], "role");
    refused(
        &without(SERVER, "--role"),
        &["--role=both"],
        "not server or client",
    );
}

#[test]
fn an_end_without_a_key_a_certificate_or_a_peer_ca_is_refused() {
    for needed in ["--key", "--certificate", "--peer-ca"] {
        refused(&without(SERVER, needed), &[], &needed[2..]);
        refused(&without(CLIENT, needed), &[], &needed[2..]);
    }
}

#[test]
fn a_client_without_a_server_or_a_name_of_it_is_refused() {
    refused(&without(CLIENT, "--server"), &[], "a client needs it");
    refused(&without(CLIENT, "--peer-name"), &[], "a client needs it");
}

#[test]
fn settings_of_the_other_role_are_refused() {
    for setting in [
        "--server=192.0.2.1:1",
        "--get=/",
        "--stdio",
        "--insecure-plaintext-listen",
    ] {
        refused(SERVER, &[setting], "for --role client only");
    }
    for setting in [
        "--forward=127.0.0.1:1",
        "--insecure-plaintext-forward",
        "--max-handshakes=1",
        "--max-connections-per-peer=1",
    ] {
        refused(CLIENT, &[setting], "for --role server only");
    }
}

#[test]
fn an_endpoint_in_clear_elsewhere_is_refused() {
    for row in ["--kms-endpoint", "--secret-manager-endpoint"] {
        for origin in ["https://cloud.example", "http://127.0.0.1:1"] {
            parsed(&[SERVER, &[&format!("{row}={origin}")]].concat()).unwrap();
        }
        refused(SERVER, &[&format!("{row}=http://cloud.example")], &row[2..]);
    }
}
