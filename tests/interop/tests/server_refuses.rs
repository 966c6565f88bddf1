//! What psk-server refuses. After each refusal it still serves whoever has the key, and the service behind it has seen
//! nobody else.

use std::io::Read;
use std::process::Command;

use mcbn_tests_interop::certificate::Certificate;
use mcbn_tests_interop::gnutls::{self, GnuTls};
use mcbn_tests_interop::hello::{self, Hello, PSK_DHE_KE, PSK_KE};
use mcbn_tests_interop::openssl::{self, OpenSsl, psk, s_client};
use mcbn_tests_interop::ours::Server;
use mcbn_tests_interop::{Credentials, Peer, Version};
use mcbn_tests_support::plain::Plain;
use mcbn_tests_support::process::{Ended, Process, contains};
use mcbn_tests_support::record::{self, Record, alerts, records};
use mcbn_tests_support::relay::{Relay, Wire};

const HANDSHAKE_FAILURE: u8 = 40;
const ILLEGAL_PARAMETER: u8 = 47;
const DECRYPT_ERROR: u8 = 51;
const PROTOCOL_VERSION: u8 = 70;
const BAD_RECORD_MAC: u8 = 20;

/// A server and the service that it guards.
struct Guarded {
    server: Server,
    service: Plain,
}

impl Guarded {
    fn start(version: Version) -> Self {
        Self::with(version, &[])
    }

    fn with(version: Version, more: &[&str]) -> Self {
        let service = Plain::echoing();
        let forward = format!("--forward={}", service.address());
        let mut arguments = vec![forward.as_str()];
        arguments.extend(more);
        let server = Server::start(version, &arguments);
        Self { server, service }
    }

    /// Runs a client through a relay, and gives what passed.
    fn wire(&self, client: impl FnOnce(std::net::SocketAddr) -> Command) -> Wire {
        let relay = Relay::to(self.server.address());
        run(client(relay.address()));
        relay.wire()
    }

    /// The server has refused for this reason, nobody got through, and whoever has the key still does.
    #[track_caller]
    fn has_refused(&self, reason: &str) {
        assert_eq!(self.server.refusal(), reason);
        assert_eq!(self.service.connections(), 0, "somebody got through");
        self.serves(Version::Tls13);
    }

    fn serves(&self, version: Version) {
        let mut client = OpenSsl::connect(self.server.address(), version, Credentials::RIGHT);
        client.write(b"still there?\n");
        assert_eq!(client.read(13), b"still there?\n");
    }
}

/// Runs a client to its end with nothing to say.
fn run(command: Command) -> Ended {
    Process::start(command).end()
}

fn with_key(
    version: Version,
    credentials: Credentials,
) -> impl FnOnce(std::net::SocketAddr) -> Command {
    move |address| {
        let mut command = s_client(address, version);
        command.args(psk(credentials));
        command
    }
}

/// One fatal alert and nothing else.
fn fatal(number: u8) -> Vec<u8> {
    hello::record(record::ALERT, &[2, number])
}

fn is_server_hello(record: &Record<'_>) -> bool {
    record.kind == record::HANDSHAKE && record.body.first() == Some(&2)
}

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
    let guarded = Guarded::with(Version::Tls13, &["--handshake-timeout=100ms"]);
    let hello = Hello::of(Credentials::RIGHT);
    let answer = hello::exchange(guarded.server.address(), &hello.records());
    assert!(is_server_hello(&records(&answer)[0]), "{answer:02x?}");
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
    let guarded = Guarded::with(Version::Tls13, &["--handshake-timeout=100ms"]);
    let hello = Hello {
        modes: vec![PSK_KE, PSK_DHE_KE],
        ..Hello::of(Credentials::RIGHT)
    };
    let answer = hello::exchange(guarded.server.address(), &hello.records());
    let answer = &records(&answer)[0];
    assert!(is_server_hello(answer), "{answer:02x?}");
    // key_share, with a point of x25519
    assert!(
        contains(answer.body, &[0, 51, 0, 36, 0, 0x1d, 0, 32]),
        "{answer:02x?}"
    );
}

// Sizes.

#[test]
fn a_long_hello_is_answered() {
    let guarded = Guarded::with(Version::Tls13, &["--handshake-timeout=100ms"]);
    let hello = Hello {
        padding: 60_000,
        ..Hello::of(Credentials::RIGHT)
    };
    let answer = hello::exchange(guarded.server.address(), &hello.records());
    assert!(is_server_hello(&records(&answer)[0]), "{answer:02x?}");
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
    let guarded = Guarded::with(Version::Tls13, &["--handshake-timeout=100ms"]);
    let hello = Hello {
        identities: vec![vec![0xa5; 192], Credentials::RIGHT.identity.into()],
        ..Hello::of(Credentials::RIGHT)
    };
    let answer = hello::exchange(guarded.server.address(), &hello.records());
    let answer = &records(&answer)[0];
    assert!(is_server_hello(answer), "{answer:02x?}");
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
    // A ticket would have come before the answer.
    client.wait_for_stdout("a line");
    let seen = String::from_utf8_lossy(&client.seen().stdout).into_owned();
    assert!(seen.contains("TLS_AES_128_GCM_SHA256"), "{seen}");
    assert!(!seen.contains("New Session Ticket"), "{seen}");
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
    let guarded = Guarded::with(Version::Tls13, &["--handshake-timeout=100ms"]);
    let hello = Hello {
        early_data: true,
        ..Hello::of(Credentials::RIGHT)
    };
    let mut bytes = hello.records();
    bytes.extend(hello::record(record::APPLICATION_DATA, &[0x5a; 64]));
    hello::exchange(guarded.server.address(), &bytes);
    guarded.server.refusal();
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
