//! Which versions, suites, exchanges, sizes and sessions psk-server refuses, even from those who have the key.

use mcbn_tests_interop::gnutls;
use mcbn_tests_interop::guarded::{Guarded, run, with_key};
use mcbn_tests_interop::hello::{self, Hello, PSK_DHE_KE, PSK_KE};
use mcbn_tests_interop::openssl::{self, psk, s_client};
use mcbn_tests_interop::{Credentials, Version};
use mcbn_tests_support::process::{Process, contains};
use mcbn_tests_support::record::alert::{
    DECRYPT_ERROR, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, PROTOCOL_VERSION,
};
use mcbn_tests_support::record::{self, alerts, fatal, records};

// Versions, suites and exchanges.

#[test]
fn tls12_unless_it_was_asked_for() {
    let guarded = Guarded::start(Version::Tls13);
    let wire = guarded.wire(with_key(Version::Tls12, Credentials::RIGHT));
    assert_eq!(wire.from_server, fatal(PROTOCOL_VERSION));
    guarded.has_refused("version");
}

#[test]
fn tls11_even_where_tls12_was_asked_for() {
    let guarded = Guarded::start(Version::Tls12);
    let wire = guarded.wire(|address| {
        let mut command = openssl::s_client_of_any_version(address);
        command
            .args(["-tls1_1", "-cipher", "ALL:PSK:@SECLEVEL=0"])
            .args(psk(Credentials::RIGHT));
        command
    });
    assert_eq!(alerts(&wire.from_server), [(2, PROTOCOL_VERSION)]);
    guarded.has_refused("version");
}

#[test]
fn tls12_suites_without_an_ephemeral_elliptic_curve_exchange() {
    for suites in ["PSK-AES128-GCM-SHA256", "DHE-PSK-AES128-GCM-SHA256"] {
        let guarded = Guarded::start(Version::Tls12);
        let wire = guarded.wire(|address| {
            let mut command = s_client(address, Version::Tls12);
            command
                .args(["-cipher", suites])
                .args(psk(Credentials::RIGHT));
            command
        });
        assert_eq!(wire.from_server, fatal(HANDSHAKE_FAILURE), "{suites}");
        guarded.has_refused("nothing_shared");
    }
}

#[test]
fn tls12_without_the_extended_master_secret() {
    let guarded = Guarded::start(Version::Tls12);
    guarded.wire(|address| {
        let mut command = s_client(address, Version::Tls12);
        command.arg("-no_ems").args(psk(Credentials::RIGHT));
        command
    });
    guarded.has_refused("no_extended_master_secret");
}

#[test]
fn suites_of_another_hash_than_the_keys() {
    let guarded = Guarded::start(Version::Tls13);
    let wire = guarded.wire(|address| {
        let mut command = s_client(address, Version::Tls13);
        command
            .args(["-ciphersuites", "TLS_AES_256_GCM_SHA384"])
            .args(psk(Credentials::RIGHT));
        command
    });
    assert_eq!(wire.from_server, fatal(HANDSHAKE_FAILURE));
    guarded.has_refused("nothing_shared");
}

/// The hellos by hand below differ from this one only in what they test.
#[test]
fn a_hello_by_hand_is_answered() {
    let guarded = Guarded::start(Version::Tls13);
    let hello = Hello::of(Credentials::RIGHT);
    let answer = hello::first_record(guarded.server.address(), &hello.records());
    assert!(records(&answer)[0].is_server_hello(), "{answer:02x?}");
}

#[test]
fn a_hello_by_hand_with_a_wrong_key() {
    let guarded = Guarded::start(Version::Tls13);
    let hello = Hello::of(Credentials::WRONG_KEY);
    let answer = hello::exchange(guarded.server.address(), &hello.records());
    assert_eq!(answer, fatal(DECRYPT_ERROR));
    guarded.has_refused("wrong_key");
}

#[test]
fn a_key_without_an_ephemeral_exchange() {
    let guarded = Guarded::start(Version::Tls13);
    let hello = Hello {
        modes: vec![PSK_KE],
        ..Hello::of(Credentials::RIGHT)
    };
    let answer = hello::exchange(guarded.server.address(), &hello.records());
    assert_eq!(answer, fatal(HANDSHAKE_FAILURE));
    guarded.has_refused("nothing_shared");
}

#[test]
fn a_client_that_prefers_no_ephemeral_exchange_gets_one() {
    let guarded = Guarded::start(Version::Tls13);
    let hello = Hello {
        modes: vec![PSK_KE, PSK_DHE_KE],
        ..Hello::of(Credentials::RIGHT)
    };
    let answer = hello::first_record(guarded.server.address(), &hello.records());
    let answer = &records(&answer)[0];
    assert!(answer.is_server_hello(), "{answer:02x?}");
    // key_share, with a point of x25519
    assert!(
        contains(answer.body, &[0, 51, 0, 36, 0, 0x1d, 0, 32]),
        "{answer:02x?}"
    );
}

// Sizes.

#[test]
fn a_long_hello_is_answered() {
    let guarded = Guarded::start(Version::Tls13);
    let hello = Hello {
        padding: 60_000,
        ..Hello::of(Credentials::RIGHT)
    };
    let answer = hello::first_record(guarded.server.address(), &hello.records());
    assert!(records(&answer)[0].is_server_hello(), "{answer:02x?}");
}

#[test]
fn a_hello_that_is_too_long() {
    let guarded = Guarded::start(Version::Tls13);
    // It says that 256 KiB follow. The server must not wait for them.
    let start = hello::record(record::HANDSHAKE, &[1, 4, 0, 0, 3, 3]);
    let answer = hello::exchange(guarded.server.address(), &start);
    assert_eq!(answer, fatal(ILLEGAL_PARAMETER));
    guarded.has_refused("protocol");
}

#[test]
fn an_identity_that_is_too_long() {
    let guarded = Guarded::start(Version::Tls13);
    let hello = Hello {
        identities: vec![vec![b'C'; 30_000]],
        ..Hello::of(Credentials::RIGHT)
    };
    let answer = hello::exchange(guarded.server.address(), &hello.records());
    // OpenSSL asks for no key by such a name.
    assert_eq!(answer, fatal(HANDSHAKE_FAILURE));
    guarded.has_refused("nothing_shared");
}

/// How long the search took would tell whether the last one is right.
#[test]
fn more_identities_than_a_client_has() {
    let guarded = Guarded::start(Version::Tls13);
    let mut identities = vec![b"x".to_vec(); 1000];
    identities.push(Credentials::RIGHT.identity.into());
    let hello = Hello {
        identities,
        ..Hello::of(Credentials::RIGHT)
    };
    let answer = hello::exchange(guarded.server.address(), &hello.records());
    assert_eq!(answer, fatal(DECRYPT_ERROR));
    guarded.has_refused("wrong_key");
}

// Sessions: each connection is authenticated by the key itself, anew.

#[test]
fn a_ticket_instead_of_the_key() {
    let guarded = Guarded::start(Version::Tls13);
    let hello = Hello {
        identities: vec![vec![0xa5; 192]],
        ..Hello::of(Credentials::RIGHT)
    };
    let answer = hello::exchange(guarded.server.address(), &hello.records());
    assert_eq!(answer, fatal(DECRYPT_ERROR));
    guarded.has_refused("wrong_key");
}

#[test]
fn a_ticket_beside_the_key_is_passed_over() {
    let guarded = Guarded::start(Version::Tls13);
    let hello = Hello {
        identities: vec![vec![0xa5; 192], Credentials::RIGHT.identity.into()],
        ..Hello::of(Credentials::RIGHT)
    };
    let answer = hello::first_record(guarded.server.address(), &hello.records());
    let answer = &records(&answer)[0];
    assert!(answer.is_server_hello(), "{answer:02x?}");
    // pre_shared_key: the second identity is selected
    assert!(contains(answer.body, &[0, 41, 0, 2, 0, 1]), "{answer:02x?}");
}

#[test]
fn no_ticket_is_ever_given() {
    let guarded = Guarded::start(Version::Tls13);
    let mut command = s_client(guarded.server.address(), Version::Tls13);
    command.arg("-nocommands").args(psk(Credentials::RIGHT));
    let mut client = Process::start(command);
    client.write(b"a line\n");
    client.wait_for_stdout("a line");
    // A ticket has come before the answer; s_client may tell of it later.
    let ended = client.end();
    let said = |words: &str| ended.stdout().contains(words);
    assert!(said("TLS_AES_128_GCM_SHA256"), "{ended}");
    assert!(!said("New Session Ticket"), "{ended}");
}

#[test]
fn a_tls12_session_is_not_resumed() {
    let guarded = Guarded::start(Version::Tls12);
    let mut command = s_client(guarded.server.address(), Version::Tls12);
    command.arg("-reconnect").args(psk(Credentials::RIGHT));
    let ended = run(command);
    let handshakes = |word: &str| ended.stdout().matches(&format!("{word}, TLSv1.2")).count();
    assert_eq!((handshakes("New"), handshakes("Reused")), (6, 0), "{ended}");
}

#[test]
fn renegotiation() {
    let guarded = Guarded::start(Version::Tls12);
    let mut command = s_client(guarded.server.address(), Version::Tls12);
    command.args(psk(Credentials::RIGHT));
    let mut client = Process::start(command);
    client.wait_for_stdout("Secure Renegotiation IS supported");
    client.write(b"R\n");
    client.wait_for_stderr("no renegotiation");
    assert_ne!(client.end().code, Some(0));
    guarded.serves(Version::Tls13);
}

#[test]
fn early_data() {
    let guarded = Guarded::start(Version::Tls13);
    let hello = Hello {
        early_data: true,
        ..Hello::of(Credentials::RIGHT)
    };
    let mut bytes = hello.records();
    bytes.extend(hello::record(record::APPLICATION_DATA, &[0x5a; 64]));
    let answer = hello::first_record(guarded.server.address(), &bytes);
    // The handshake goes on without it.
    assert!(records(&answer)[0].is_server_hello(), "{answer:02x?}");
    assert_eq!(guarded.server.refusal(), "closed");
    assert_eq!(guarded.service.connections(), 0);
}

#[test]
fn gnutls_does_not_resume() {
    let guarded = Guarded::start(Version::Tls12);
    let mut command = mcbn_tests_support::peer::peer("gnutls-cli");
    let to = guarded.server.address();
    command
        .args(["--resume", "--no-ca-verification"])
        .args(["--pskusername", Credentials::RIGHT.identity])
        .args(["--pskkey", Credentials::RIGHT.key])
        .args(["--priority", gnutls::priority(Version::Tls12)])
        .args(["--port", &to.port().to_string(), &to.ip().to_string()]);
    let ended = run(command);
    let said = |words: &str| ended.stdout().matches(words).count();
    assert_eq!(said("trying to resume previous session"), 1, "{ended}");
    assert_eq!(said("PSK authentication"), 2, "{ended}");
    assert_eq!(said("This is a resumed session"), 0, "{ended}");
}
