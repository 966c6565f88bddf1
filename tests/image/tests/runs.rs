//! Each image runs, as what it says it is.

use std::fs;

use mcbn_tests_image::{Container, USER, is_root, listening};
use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::Process;
use mcbn_tests_support::shares::{IDENTITY, KEY, WRONG_KEY};
use rustix::process::Signal;

#[test]
fn psk_server_answers_a_foreign_client_and_the_psk_client_image() {
    let server = Container::start("psk-server", &[("MCBN_LISTEN", "127.0.0.1:0")]);
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

    let s_client = |key: &str| {
        let mut command = peer("openssl");
        command
            .args([
                "s_client",
                "-quiet",
                "-tls1_3",
                "-psk_identity",
                IDENTITY,
                "-psk",
                key,
            ])
            .arg("-connect")
            .arg(address.to_string());
        let mut client = Process::start(command);
        client.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        client
    };
    let answered = s_client(KEY).end();
    assert!(answered.stdout().ends_with("\r\n\r\nok\n"), "{answered}");
    let refused = s_client(WRONG_KEY).end();
    assert!(!refused.stdout().contains("ok"), "{refused}");

    let server_address = address.to_string();
    let client = Container::start(
        "psk-client",
        &[("MCBN_SERVER", server_address.as_str()), ("MCBN_GET", "/")],
    );
    let (client, _folder) = client.into_process();
    let client = client.end();
    client.expect_code(0);
    assert_eq!(client.stdout(), "ok\n");

    let (server, _folder) = server.into_process();
    server.signal(Signal::TERM);
    server.end().expect_code(0);
}
