//! Each image runs, as what it says it is.

use std::net::SocketAddr;

use mcbn_tests_image::{Container, listening};
use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::Process;
use mcbn_tests_support::shares::{DTLS_KEY, IDENTITY, KEY, WRONG_KEY};

/// A server whose program is confined, and where it listens.
fn server(image: &str, variables: &[(&str, &str)]) -> (Container, SocketAddr) {
    let variables = [variables, &[("MCBN_LISTEN", "127.0.0.1:0")]].concat();
    let server = Container::start(image, &variables);
    let address = listening(&server);
    server.expect_confined();
    (server, address)
}

/// What the image says to this and then ends well.
fn says(image: &str, variables: &[(&str, &str)]) -> String {
    let (process, _folder) = Container::start(image, variables).into_process();
    let ended = process.end();
    ended.expect_code(0);
    ended.stdout()
}

fn s_client(to: SocketAddr, arguments: &[&str]) -> Process {
    let mut command = peer("openssl");
    command.args(["s_client", "-quiet", "-connect", &to.to_string()]);
    command.args(arguments);
    Process::start(command)
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[test]
fn psk_server_answers_a_foreign_client_and_the_psk_client_image() {
    let (server, address) = server("psk-server", &[]);
    let asks = |key: &str| {
        let arguments = ["-tls1_3", "-psk_identity", IDENTITY, "-psk", key];
        let mut client = s_client(address, &arguments);
        client.write(REQUEST);
        client.end()
    };
    let answered = asks(KEY);
    assert!(answered.stdout().ends_with("\r\n\r\nok\n"), "{answered}");
    let refused = asks(WRONG_KEY);
    assert!(!refused.stdout().contains("ok"), "{refused}");

    let address = address.to_string();
    let variables = [("MCBN_SERVER", address.as_str()), ("MCBN_GET", "/")];
    assert_eq!(says("psk-client", &variables), "ok\n");
    server.stop();
}

#[test]
fn dtls_server_answers_a_foreign_client_and_the_dtls_client_image() {
    let (server, address) = server("dtls-server", &[]);
    let arguments = ["-dtls1_2", "-psk_identity", IDENTITY, "-psk", DTLS_KEY];
    let mut client = s_client(address, &arguments);
    client.write(b"a line\n");
    client.wait_for_stdout("a line\n");

    let address = address.to_string();
    let variables = [
        ("MCBN_SERVER", address.as_str()),
        ("MCBN_SEND", "a datagram"),
    ];
    assert_eq!(says("dtls-client", &variables), "a datagram");
    server.stop();
}

#[test]
fn detrsa_mtls_answers_itself_and_refuses_who_has_no_certificate() {
    let (server, address) = server("detrsa-mtls", &[("MCBN_ROLE", "server")]);
    let mut stranger = s_client(address, &["-tls1_3"]);
    stranger.write(REQUEST);
    let refused = stranger.end();
    assert!(!refused.stdout().contains("ok"), "{refused}");
    assert!(
        refused.stderr().contains("certificate required"),
        "{refused}"
    );

    let address = address.to_string();
    let variables = [
        ("MCBN_ROLE", "client"),
        ("MCBN_SERVER", address.as_str()),
        ("MCBN_GET", "/"),
    ];
    assert_eq!(says("detrsa-mtls", &variables), "ok\n");
    server.stop();
}
