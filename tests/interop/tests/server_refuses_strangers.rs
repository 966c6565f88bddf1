//! Whom psk-server refuses. After each refusal it still serves whoever has the key, and the service behind it has seen
//! nobody else.

use std::io::Read;

use mcbn_tests_interop::certificate::Certificate;
use mcbn_tests_interop::gnutls::GnuTls;
use mcbn_tests_interop::guarded::{Guarded, with_key};
use mcbn_tests_interop::hello::{self, Hello};
use mcbn_tests_interop::openssl::s_client;
use mcbn_tests_interop::{Credentials, Peer, Version};
use mcbn_tests_support::process::contains;
use mcbn_tests_support::record::alert::{BAD_RECORD_MAC, DECRYPT_ERROR, HANDSHAKE_FAILURE};
use mcbn_tests_support::record::{self, alerts, fatal, records};
use mcbn_tests_support::relay::Wire;

// The key.

#[test]
fn a_wrong_key_over_tls13() {
    let guarded = Guarded::start(Version::Tls13);
    let wire = guarded.wire(with_key(Version::Tls13, Credentials::WRONG_KEY));
    assert_eq!(wire.from_server, fatal(DECRYPT_ERROR));
    guarded.has_refused("wrong_key");
}

#[test]
fn a_wrong_key_over_tls12() {
    let guarded = Guarded::start(Version::Tls12);
    let wire = guarded.wire(with_key(Version::Tls12, Credentials::WRONG_KEY));
    assert_eq!(alerts(&wire.from_server), [(2, BAD_RECORD_MAC)]);
    guarded.has_refused("wrong_key");
}

#[test]
fn an_unknown_identity_over_tls13_looks_like_a_wrong_key() {
    let guarded = Guarded::start(Version::Tls13);
    let unknown = guarded.wire(with_key(Version::Tls13, Credentials::WRONG_IDENTITY));
    let wrong = guarded.wire(with_key(Version::Tls13, Credentials::WRONG_KEY));
    assert_eq!(unknown.from_server, wrong.from_server);
    guarded.has_refused("wrong_key");
}

#[test]
fn an_unknown_identity_over_tls12_looks_like_a_wrong_key() {
    let guarded = Guarded::start(Version::Tls12);
    let unknown = guarded.wire(with_key(Version::Tls12, Credentials::WRONG_IDENTITY));
    let wrong = guarded.wire(with_key(Version::Tls12, Credentials::WRONG_KEY));
    // Two handshakes differ in their randoms and ephemeral keys, and in nothing that can be seen.
    let shape = |wire: &Wire| -> Vec<(u8, usize)> {
        records(&wire.from_server)
            .iter()
            .map(|record| (record.kind, record.body.len()))
            .collect()
    };
    assert_eq!(shape(&unknown), shape(&wrong));
    assert_eq!(alerts(&unknown.from_server), alerts(&wrong.from_server));
    guarded.has_refused("wrong_key");
}

/// OpenSSL hands an identity on up to its first zero byte.
#[test]
fn an_identity_that_only_begins_with_the_right_one_is_refused() {
    let guarded = Guarded::start(Version::Tls13);
    let right = Credentials::RIGHT.identity.as_bytes();
    for identities in [
        vec![[right, b"\0"].concat()],
        vec![[right, b"\0evil"].concat()],
        // The second one is right, but a server that takes the first for it would use that one's binder.
        vec![[right, b"\0evil"].concat(), right.to_vec()],
    ] {
        let hello = Hello {
            identities,
            ..Hello::of(Credentials::RIGHT)
        };
        let answer = hello::exchange(guarded.server.address(), &hello.records());
        assert_eq!(answer, fatal(DECRYPT_ERROR), "{hello:?}");
    }
    guarded.has_refused("wrong_key");
}

#[test]
fn a_client_of_gnutls_with_a_wrong_key() {
    for version in [Version::Tls13, Version::Tls12] {
        let guarded = Guarded::start(version);
        let client = GnuTls::connect(guarded.server.address(), version, Credentials::WRONG_KEY);
        assert_eq!(client.read_to_end(), b"");
        guarded.has_refused("wrong_key");
    }
}

#[test]
fn a_client_without_a_key() {
    for version in [Version::Tls13, Version::Tls12] {
        let guarded = Guarded::start(version);
        let wire = guarded.wire(|address| s_client(address, version));
        assert_eq!(wire.from_server, fatal(HANDSHAKE_FAILURE), "{version:?}");
        guarded.has_refused("nothing_shared");
    }
}

#[test]
fn a_client_with_a_certificate_only() {
    let certificate = Certificate::new();
    for version in [Version::Tls13, Version::Tls12] {
        let guarded = Guarded::start(version);
        let wire = guarded.wire(|address| {
            let mut command = s_client(address, version);
            command.args(certificate.flags());
            command
        });
        assert_eq!(wire.from_server, fatal(HANDSHAKE_FAILURE), "{version:?}");
        guarded.has_refused("nothing_shared");
    }
}

// What is not TLS.

#[test]
fn plain_http() {
    let guarded = Guarded::start(Version::Tls13);
    let answer = hello::exchange(
        guarded.server.address(),
        b"GET / HTTP/1.1\r\nHost: server\r\n\r\n",
    );
    assert!(!contains(&answer, b"HTTP"), "{answer:02x?}");
    guarded.has_refused("plain_http");
}

#[test]
fn garbage() {
    let patterns = [
        (&b"SSH-2.0-client\r\n"[..], "not_tls"),
        (&[0x00; 4096], "not_tls"),
        (&[0xff; 4096], "not_tls"),
        (b"\x16\x03\x01\xff\xffno record is so long", "protocol"),
    ];
    for (garbage, reason) in patterns {
        let guarded = Guarded::start(Version::Tls13);
        let answer = hello::exchange(guarded.server.address(), garbage);
        assert!(
            answer.is_empty() || records(&answer).len() == 1,
            "{answer:02x?}"
        );
        guarded.has_refused(reason);
    }
}

#[test]
fn a_handshake_that_makes_no_sense() {
    let guarded = Guarded::start(Version::Tls13);
    let answer = hello::exchange(
        guarded.server.address(),
        &hello::record(record::HANDSHAKE, &[1, 0, 0, 4, 0xde, 0xad, 0xbe, 0xef]),
    );
    assert_eq!(alerts(&answer).len(), 1);
    guarded.has_refused("protocol");
}

#[test]
fn a_connection_on_which_nothing_comes() {
    let guarded = Guarded::with(Version::Tls13, &["--handshake-timeout=100ms"]);
    let mut open = hello::send(guarded.server.address(), b"");
    let mut answer = Vec::new();
    let _ = open.read_to_end(&mut answer);
    assert_eq!(answer, b"");
    assert_eq!(guarded.server.refusal(), "deadline");
    assert_eq!(guarded.service.connections(), 0);
}

#[test]
fn half_a_hello() {
    let guarded = Guarded::with(Version::Tls13, &["--handshake-timeout=100ms"]);
    let whole = Hello::of(Credentials::RIGHT).records();
    let mut open = hello::send(guarded.server.address(), &whole[..whole.len() / 2]);
    let mut answer = Vec::new();
    let _ = open.read_to_end(&mut answer);
    assert_eq!(answer, b"");
    assert_eq!(guarded.server.refusal(), "deadline");
    assert_eq!(guarded.service.connections(), 0);
}
