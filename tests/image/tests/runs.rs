//! Each image runs, as what it says it is.

use std::fs;
use std::net::SocketAddr;

use mcbn_tests_image::{Container, USER, is_root, listening};
use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::Process;
use mcbn_tests_support::shares::{DTLS_KEY, IDENTITY, KEY, WRONG_KEY};
use rustix::process::Signal;

/// A server whose program is confined, and where it listens.
fn server(image: &str, variables: &[(&str, &str)]) -> (Container, SocketAddr) {
    let variables = [variables, &[("MCBN_LISTEN", "127.0.0.1:0")]].concat();
    let server = Container::start(image, &variables);
    let address = listening(&server);
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("it runs");
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        line.expect("Linux says so")
            .split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let user = if is_root() {
        USER
    } else {
        rustix::process::geteuid().as_raw()
    }
    .to_string();
    assert_eq!(field("Uid:"), [user.as_str(); 4].join(" "));
    assert_eq!(field("CapEff:"), "0000000000000000");
    assert_eq!(field("NoNewPrivs:"), "1");
    (server, address)
}

/// What the image says to this and then ends well.
fn says(image: &str, variables: &[(&str, &str)]) -> String {
    let (process, _folder) = Container::start(image, variables).into_process();
    let ended = process.end();
    ended.expect_code(0);
    ended.stdout()
}

/// It ends as whoever stops a container expects.
fn stops(server: Container) {
    let (process, _folder) = server.into_process();
    process.signal(Signal::TERM);
    process.end().expect_code(0);
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
    stops(server);
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
    stops(server);
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
    stops(server);
}
