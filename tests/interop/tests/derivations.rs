//! The keys that psk-server makes of the published shares are those that others compute: `openssl s_client` gets in with
//! the known answers of `lib/share/testdata`.

use mcbn_tests_interop::openssl::OpenSsl;
use mcbn_tests_interop::ours::Server;
use mcbn_tests_interop::{Credentials, Peer, Version};

#[track_caller]
fn lets_in(settings: &[&str], credentials: Credentials) {
    let server = Server::start(Version::Tls13, settings);
    let mut client = OpenSsl::connect(server.address(), Version::Tls13, credentials);
    client.write(b"GET / HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n");
    assert!(client.read_to_end().ends_with(b"\r\n\r\nok\n"));
}

fn client1(key: &'static str) -> Credentials {
    Credentials {
        identity: "Client1",
        key,
    }
}

#[test]
fn the_published_key() {
    lets_in(
        &["--derivation=sha256-concat-hex"],
        client1("6d1bbd1e6235c9d9ec8cdbdf9b32d4d08304a7f305f7c6c67775130d914f4dc4"),
    );
}

#[test]
fn the_published_alternative_key() {
    lets_in(
        &["--derivation=hmac-chain-hex"],
        client1("2b6c5604e7b5a3a9832ec2590fd058d610807cee2f3e87bb08dafbb57475d976"),
    );
}

#[test]
fn the_key_that_does_not_depend_on_the_order() {
    lets_in(
        &["--derivation=xor-sha256"],
        client1("5f09de74d5d18872ccbe7761d0451c439c569de2b1dd0cb1941dfd8995629b0c"),
    );
}

#[test]
fn the_key_of_a_manifest_and_an_identity() {
    lets_in(
        &[
            // SHA-256 of `network = "example"` and the end of the line
            "--manifest-digest=8d2d1464bfa9ae32a32354caaf9cb62d9f7635c125699332d4cd60d4d245eeed",
            "--identity=Client2",
        ],
        Credentials {
            identity: "Client2",
            key: "952ba919c56316149bd424f7c12a2d187db48a3a0d6f64e44745dc4428612fcd",
        },
    );
}
