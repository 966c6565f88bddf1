//! What psk-client refuses: nothing is sent, nothing is written to standard output, and the exit code says who is at fault.

use mcbn_tests_interop::certificate::Certificate;
use mcbn_tests_interop::gnutls::GnuTls;
use mcbn_tests_interop::openssl::{OpenSsl, psk, s_server};
use mcbn_tests_interop::{Credentials, Peer, Served, Version, ours};
use mcbn_tests_support::plain::Plain;
use mcbn_tests_support::process::Ended;

const REFUSED: i32 = 77;
const UNAVAILABLE: i32 = 69;

/// Asks a server for a page, which must fail with this code and reason.
#[track_caller]
fn refuses(server: std::net::SocketAddr, version: Version, code: i32, reason: &str) -> Ended {
    refuses_with(server, version, &[], code, reason)
}

#[track_caller]
fn refuses_with(
    server: std::net::SocketAddr,
    version: Version,
    variables: &[(&str, &str)],
    code: i32,
    reason: &str,
) -> Ended {
    // What may pass, such as a server that closes, is tried again until then.
    let mode = ["--get=/", "--connect-timeout=300ms"];
    let ended = ours::client_with(version, server, &mode, variables).end();
    ended.expect_code(code);
    assert_eq!(ended.stdout(), "", "{ended}");
    let error = ended.stderr().lines().next().unwrap_or_default().to_owned();
    let expected = format!("psk-client: error: cannot connect: {server}: {reason}");
    assert_eq!(error, expected, "{ended}");
    ended
}

const VERSIONS: [Version; 2] = [Version::Tls13, Version::Tls12];

// The key.

#[test]
fn a_server_with_a_wrong_key_over_tls13() {
    for server in [
        OpenSsl::serve_http(Version::Tls13, Credentials::WRONG_KEY),
        GnuTls::serve_http(Version::Tls13, Credentials::WRONG_KEY),
    ] {
        let ended = ours::client(Version::Tls13, server.address, &["--get=/"]).end();
        ended.expect_code(REFUSED);
        assert_eq!(ended.stdout(), "");
        assert!(
            ended.stderr().ends_with(
                "psk-client: hint: both ends need the same shares, derivation, manifest digest and identity\n"
            ),
            "{ended}"
        );
    }
}

#[test]
fn a_server_with_a_wrong_key_over_tls12() {
    let server = OpenSsl::serve_http(Version::Tls12, Credentials::WRONG_KEY);
    let ended = refuses(
        server.address,
        Version::Tls12,
        REFUSED,
        "the peer refused with alert 20, bad_record_mac",
    );
    assert!(
        ended
            .stderr()
            .contains("hint: both ends need the same shares"),
        "{ended}"
    );
}

#[test]
fn a_server_that_does_not_know_the_identity() {
    let server = OpenSsl::serve_http(Version::Tls13, Credentials::WRONG_IDENTITY);
    refuses(
        server.address,
        Version::Tls13,
        REFUSED,
        "the peer refused with alert 40, handshake_failure",
    );
}

// Certificates.

fn with_certificate(version: Version, more: &[&str]) -> (Served, Certificate) {
    let certificate = Certificate::new();
    let flags = certificate.flags();
    let mut arguments: Vec<&str> = flags.iter().map(String::as_str).collect();
    arguments.extend(["-www"]);
    arguments.extend(more);
    (s_server(version, &arguments), certificate)
}

#[test]
fn a_server_with_a_certificate_only() {
    let (server, _) = with_certificate(Version::Tls13, &[]);
    refuses(
        server.address,
        Version::Tls13,
        REFUSED,
        "the peer came with a certificate instead of the key",
    );
}

/// The certificate would be good for any other client on this machine.
#[test]
fn a_server_with_a_trusted_certificate_only() {
    let (server, certificate) = with_certificate(Version::Tls13, &[]);
    let path = certificate.path().display().to_string();
    refuses_with(
        server.address,
        Version::Tls13,
        &[("SSL_CERT_FILE", &path)],
        REFUSED,
        "the peer came with a certificate instead of the key",
    );
}

#[test]
fn a_server_that_falls_back_to_its_certificate() {
    let (server, _) = with_certificate(Version::Tls13, &psk(Credentials::WRONG_IDENTITY));
    refuses(
        server.address,
        Version::Tls13,
        REFUSED,
        "the peer came with a certificate instead of the key",
    );
}

#[test]
fn a_tls12_server_with_a_certificate_only() {
    let (server, _) = with_certificate(Version::Tls12, &[]);
    refuses(
        server.address,
        Version::Tls12,
        REFUSED,
        "the peer refused with alert 40, handshake_failure",
    );
}

/// What counts is what the handshake was authenticated by.
#[test]
fn a_certificate_beside_the_right_key_is_no_fault() {
    for version in VERSIONS {
        let (server, _) = with_certificate(version, &psk(Credentials::RIGHT));
        let ended = ours::client(version, server.address, &["--get=/"]).end();
        ended.expect_code(0);
        assert!(ended.stdout().contains(OpenSsl::PAGE), "{ended}");
    }
}

// Versions, suites and exchanges.

#[test]
fn a_tls12_server_unless_it_was_asked_for() {
    let server = OpenSsl::serve_http(Version::Tls12, Credentials::RIGHT);
    refuses(
        server.address,
        Version::Tls13,
        REFUSED,
        "the peer refused with alert 70, protocol_version",
    );
}

#[test]
fn a_tls12_server_whose_suites_have_no_ephemeral_elliptic_curve_exchange() {
    for suites in ["PSK-AES128-GCM-SHA256", "DHE-PSK-AES128-GCM-SHA256"] {
        let psk = psk(Credentials::RIGHT);
        let mut arguments = vec!["-www", "-nocert", "-cipher", suites];
        arguments.extend(psk);
        let server = s_server(Version::Tls12, &arguments);
        refuses(
            server.address,
            Version::Tls12,
            REFUSED,
            "the peer refused with alert 40, handshake_failure",
        );
    }
}

#[test]
fn a_tls12_server_without_the_extended_master_secret() {
    let mut arguments = vec!["-www", "-nocert", "-no_ems"];
    arguments.extend(psk(Credentials::RIGHT));
    let server = s_server(Version::Tls12, &arguments);
    refuses(
        server.address,
        Version::Tls12,
        REFUSED,
        "the peer does not do extended master secrets",
    );
}

#[test]
fn a_server_that_prefers_no_ephemeral_exchange_does_one() {
    let mut arguments = vec!["-rev", "-nocert", "-allow_no_dhe_kex", "-prefer_no_dhe_kex"];
    arguments.extend(psk(Credentials::RIGHT));
    let server = s_server(Version::Tls13, &arguments);
    let mut tunnel = ours::tunnel(Version::Tls13, server.address);
    tunnel.write(b"abc\n");
    assert_eq!(tunnel.read(4), b"cba\n");
    server
        .process
        .wait_for_stderr("Peer Temp Key: X25519MLKEM768");
}

#[test]
fn a_server_that_wants_another_group_gets_it() {
    let mut arguments = vec!["-www", "-nocert", "-groups", "P-256"];
    arguments.extend(psk(Credentials::RIGHT));
    let server = s_server(Version::Tls13, &arguments);
    let ended = ours::client(Version::Tls13, server.address, &["--get=/"]).end();
    ended.expect_code(0);
    assert!(
        ended.stdout().contains("Shared groups: secp256r1\n"),
        "{ended}"
    );
}

#[test]
fn a_server_whose_only_group_is_not_allowed() {
    let mut arguments = vec!["-www", "-nocert", "-groups", "P-521"];
    arguments.extend(psk(Credentials::RIGHT));
    let server = s_server(Version::Tls13, &arguments);
    refuses(
        server.address,
        Version::Tls13,
        REFUSED,
        "the peer refused with alert 40, handshake_failure",
    );
}

// What is not TLS.

#[test]
fn a_server_that_speaks_plain_http() {
    let server = Plain::saying(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n");
    refuses(
        server.address(),
        Version::Tls13,
        REFUSED,
        "the peer does not speak TLS",
    );
}

#[test]
fn a_server_that_speaks_garbage() {
    let server = Plain::saying(&[0xff; 4096]);
    refuses(
        server.address(),
        Version::Tls13,
        REFUSED,
        "the peer does not speak TLS",
    );
}

#[test]
fn a_server_that_says_nothing() {
    let server = Plain::silent();
    let mode = [
        "--get=/",
        "--handshake-timeout=100ms",
        "--connect-timeout=500ms",
    ];
    let ended = ours::client(Version::Tls13, server.address(), &mode).end();
    ended.expect_code(UNAVAILABLE);
    assert_eq!(
        ended.stderr(),
        format!(
            "psk-client: error: cannot connect: {}: the handshake took too long\n",
            server.address()
        )
    );
}

#[test]
fn a_server_that_closes_at_once() {
    let server = Plain::closing();
    refuses(
        server.address(),
        Version::Tls13,
        UNAVAILABLE,
        "the peer closed the connection during the handshake",
    );
}
