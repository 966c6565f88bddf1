//! Who does not know the key gets nothing, and learns it in time.

use std::time::{Duration, Instant};

use mcbn_tests_interop::Credentials;
use mcbn_tests_interop::dtls::{self, RIGHT, UNKNOWN, WRONG};
use mcbn_tests_support::process::log;

const GCM: &str = "PSK-AES128-GCM-SHA256";

/// The published sample hangs here, for ever and on both ends.
#[test]
fn a_wrong_key_or_identity_ends_in_time_and_alike_on_both_ends() {
    let mut told = Vec::new();
    for credentials in [WRONG, UNKNOWN] {
        let server = dtls::server(&["--handshake-timeout=2s"]);
        let start = Instant::now();
        let theirs = dtls::s_client(server.address, credentials, GCM);
        let event = server.process.wait_for_message("handshake failed");
        assert!(start.elapsed() < Duration::from_secs(10));
        assert_eq!(event["reason"], "wrong_key");
        drop(theirs);

        let more = match credentials {
            Credentials {
                identity: "Client2",
                ..
            } => "--identity=Client2",
            _ => "--derivation=sha256-concat-hex",
        };
        let (client, _shares) =
            dtls::send(server.address, "secret", &[more, "--handshake-timeout=2s"]);
        let ended = client.end();
        ended.expect_code(77);
        assert_eq!(ended.stdout(), "");
        // Theirs and ours.
        let reasons = server.process.wait(|seen| {
            let events =
                log(&seen.stderr).filter_map(|event| Some(event["reason"].as_str()?.to_owned()));
            let reasons: Vec<String> = events.collect();
            (reasons.len() == 2).then_some(reasons)
        });
        let address = server.address.to_string();
        told.push((ended.stderr().replace(&address, "SERVER"), reasons));
    }
    assert_eq!(told[0], told[1]);
}

#[test]
fn our_client_says_in_time_that_the_server_has_another_key() {
    let server = dtls::s_server(WRONG, GCM, &[]);
    let (client, _shares) = dtls::send(server.address, "secret", &["--handshake-timeout=2s"]);
    let ended = client.end();
    ended.expect_code(77);
    assert!(ended.stderr().contains("does not know") || ended.stderr().contains("knows the key"));
    assert!(
        ended
            .stderr()
            .contains("hint: both ends need the same shares")
    );
    assert!(!server.process.seen().to_string().contains("secret"));
}

#[test]
fn a_client_that_knows_dtls_1_0_only_is_refused() {
    let server = dtls::server(&[]);
    let client = dtls::gnutls_cli(
        server.address,
        RIGHT,
        "-VERS-ALL:+VERS-DTLS1.0:+PSK:+AES-128-CBC:+SHA1",
    );
    let event = server.process.wait_for_message("handshake failed");
    assert_eq!(event["reason"], "version");
    drop(client);
}

#[test]
fn nobody_listens_there() {
    let closed = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let address = closed.local_addr().expect("it is bound");
    drop(closed);
    let times = ["--connect-timeout=100ms", "--handshake-timeout=100ms"];
    let (client, _shares) = dtls::send(address, "text", &times);
    let ended = client.end();
    ended.expect_code(69);
    assert!(ended.stderr().contains("Connection refused"), "{ended}");
}
