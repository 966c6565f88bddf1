//! DTLS with the programs of others, in both roles and with each suite that they have.

use mcbn_tests_interop::dtls::{self, RIGHT};
use mcbn_tests_support::process::Process;

const ECDHE: &str = "ECDHE-PSK-CHACHA20-POLY1305";
const GCM: &str = "PSK-AES128-GCM-SHA256";
const CCM8: &str = "PSK-AES128-CCM8:@SECLEVEL=0";

/// Theirs sends a line to our server and gets it back.
fn is_echoed(mut client: Process) {
    client.write(b"a line of theirs\n");
    client.wait_for_stdout("a line of theirs\n");
}

#[test]
fn openssl_s_client_reaches_our_server() {
    for (suite, more) in [(ECDHE, &[][..]), (GCM, &[]), (CCM8, &["--ccm8"])] {
        let server = dtls::server(more);
        is_echoed(dtls::s_client(server.address, RIGHT, suite));
    }
}

#[test]
fn our_client_reaches_openssl_s_server() {
    for (suite, listen, more) in [
        (ECDHE, &[][..], &[][..]),
        // With cookies.
        (GCM, &["-listen"], &[]),
        (CCM8, &["-listen"], &["--ccm8"]),
    ] {
        let mut server = dtls::s_server(RIGHT, suite, listen);
        let more = [more, &["--answer-timeout=60s"]].concat();
        let (client, _shares) = dtls::send(server.address, "a question of ours", &more);
        server.process.wait_for_stdout("a question of ours");
        server.process.write(b"an answer of theirs\n");
        let ended = client.end();
        ended.expect_code(0);
        assert_eq!(ended.stdout(), "an answer of theirs\n");
        assert_eq!(ended.stderr(), "");
    }
}

/// Debian's gnutls-cli crashes once it has done a handshake with ECDHE-PSK, so that it is left to its server.
#[test]
fn gnutls_cli_reaches_our_server() {
    for (suite, more) in [
        ("+PSK:+AES-128-GCM", &[][..]),
        ("+PSK:+AES-128-CCM-8", &["--ccm8"]),
    ] {
        let server = dtls::server(more);
        is_echoed(dtls::gnutls_cli(server.address, RIGHT, suite));
    }
}

#[test]
fn our_client_reaches_gnutls_serv() {
    for (suite, more) in [
        ("+ECDHE-PSK:+CHACHA20-POLY1305", &[][..]),
        ("+PSK:+AES-128-GCM", &[]),
        ("+PSK:+AES-128-CCM-8", &["--ccm8"]),
    ] {
        let server = dtls::gnutls_serv(RIGHT, suite);
        let (client, _shares) = dtls::send(server.address, "a question", more);
        let ended = client.end();
        ended.expect_code(0);
        assert_eq!(ended.stdout(), "a question");
        assert_eq!(ended.stderr(), "");
    }
}

/// Of each suite that mbedTLS has, its number and what ours needs for it.
const OF_MBEDTLS: [(&str, &[&str]); 3] = [("CCAC", &[]), ("00A8", &[]), ("C0A8", &["--ccm8"])];

#[test]
fn mbedtls_reaches_our_server() {
    for (suite, more) in OF_MBEDTLS {
        let server = dtls::server(more);
        is_echoed(dtls::mbedtls_client(server.address, RIGHT, suite));
    }
}

#[test]
fn our_client_reaches_mbedtls() {
    for (suite, more) in OF_MBEDTLS {
        let server = dtls::mbedtls_server(RIGHT, suite);
        let (client, _shares) = dtls::send(server.address, "a question", more);
        let ended = client.end();
        ended.expect_code(0);
        assert_eq!(ended.stdout(), "a question");
    }
}

#[test]
fn short_tags_are_refused_unless_told_to() {
    let server = dtls::server(&[]);
    let client = dtls::s_client(server.address, RIGHT, CCM8);
    let event = server.process.wait_for_message("handshake failed");
    assert_eq!(event["reason"], "nothing_shared");
    assert_ne!(client.end().code, Some(0));
    is_echoed(dtls::s_client(server.address, RIGHT, GCM));
}
