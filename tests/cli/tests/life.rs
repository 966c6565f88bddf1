//! A program from its start to its end: shares from descriptors, signals, and no secret anywhere on the way.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use mcbn_tests_cli::Transcript;
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::plain::Plain;
use mcbn_tests_support::process::{Process, contains};
use mcbn_tests_support::shares::{KEY, PUBLISHED, TPM_KEY};
use rustix::process::Signal;

const FILES: [&str; 3] = [
    "--share=alice=file:alice",
    "--share=bob=file:bob",
    "--share=carol=file:carol",
];

/// A server and a client that meet.
#[derive(Clone, Copy)]
struct Pair {
    server: End,
    client: End,
    /// Variables that change nothing.
    idle: (&'static str, &'static str),
}

/// A program, and what makes it this end.
type End = (&'static str, &'static [&'static str]);

const PSK: Pair = Pair {
    server: ("psk-server", &[]),
    client: ("psk-client", &[]),
    idle: ("MCBN_TLS12", "false"),
};

const TPM_PSK: Pair = Pair {
    server: ("tpm-psk", &["--role=server"]),
    client: ("tpm-psk", &["--role=client"]),
    idle: ("MCBN_INSECURE_RESUMPTION", "false"),
};

const PAIRS: [Pair; 2] = [PSK, TPM_PSK];

/// A scene with the published shares as files.
fn scene((program, _): End, scenario: &'static str) -> Transcript {
    let transcript = Transcript::new(program, scenario);
    for (name, share) in PUBLISHED {
        transcript.folder().file(name, share);
    }
    transcript
}

fn start(end: End, more: &[&str]) -> (Transcript, Process) {
    let transcript = scene(end, "life");
    let (_, role) = end;
    let process = transcript.start(&[], &[role, &FILES, more].concat());
    (transcript, process)
}

fn listening(process: &Process) -> SocketAddr {
    let event = process.wait_for_message("listening");
    event["address"]
        .as_str()
        .expect("text")
        .parse()
        .expect("an address")
}

fn drains(process: Process) -> Vec<u8> {
    process.signal(Signal::TERM);
    let ended = process.end();
    ended.expect_code(0);
    assert_eq!(ended.stdout(), "", "standard output is for data only");
    ended.stderr
}

/// The client's `--get /` from this server.
fn get(client: End, server: SocketAddr) {
    let (_folder, client) = start(client, &[&format!("--server={server}"), "--get=/"]);
    let ended = client.end();
    ended.expect_code(0);
    assert_eq!(
        (ended.stdout(), ended.stderr()),
        ("ok\n".into(), String::new())
    );
}

#[test]
fn a_server_and_a_client_of_ours_meet() {
    for pair in PAIRS {
        let (_folder, server) = start(pair.server, &["--listen=127.0.0.1:0"]);
        get(pair.client, listening(&server));
        drains(server);
    }
}

#[test]
fn settings_may_all_be_variables() {
    for pair in PAIRS {
        let server = scene(pair.server, "life");
        let variables = [
            (
                "MCBN_SHARE",
                "alice=file:alice,bob=file:bob,carol=file:carol",
            ),
            ("MCBN_LISTEN", "127.0.0.1:0"),
            pair.idle,
        ];
        let (_, role) = pair.server;
        // The one that a program of two roles cannot do without.
        let role = role.iter().map(|_| ("MCBN_ROLE", "server"));
        let variables: Vec<_> = variables.into_iter().chain(role).collect();
        let process = server.start(&variables, &[]);
        get(pair.client, listening(&process));
        drains(process);
    }
}

#[test]
fn shares_come_from_inherited_descriptors() {
    for pair in PAIRS {
        let server = scene(pair.server, "life");
        let (_, role) = pair.server;
        // Two files, and standard input, which is a pipe.
        let mut process = server.start_shell(&format!(
            "exec \"$program\" {} --listen=127.0.0.1:0 \
             --share=alice=fd:3 --share=bob=fd:4 --share=carol=fd:0 3<alice 4<bob",
            role.join(" "),
        ));
        process.write(PUBLISHED[2].1.as_bytes());
        process.close_stdin();
        get(pair.client, listening(&process));
        drains(process);
    }
}

/// An end of tpm-psk that has the permanent key itself, from a file or a descriptor.
#[test]
fn a_permanent_key_in_memory_opens_streams_and_datagrams() {
    for (transport, ask, answer) in [("tcp", "--get=/", "ok\n"), ("udp", "--send=text", "text")] {
        let transport = format!("--transport={transport}");
        let server = Transcript::new("tpm-psk", "life");
        server.folder().file("secret", TPM_KEY);
        let process = server.start_shell(&format!(
            "exec \"$program\" --role=server {transport} --listen=127.0.0.1:0 --secret=fd:3 3<secret",
        ));
        let to = format!("--server={}", listening(&process));
        let secret = "--secret=file:secret";
        let client = server.start(&[], &["--role=client", &transport, secret, &to, ask]);
        let ended = client.end();
        ended.expect_code(0);
        assert_eq!(
            (ended.stdout(), ended.stderr()),
            (answer.into(), String::new())
        );
        // It is the key that the shares make.
        let (_folder, client) = start(TPM_PSK.client, &[&transport, &to, ask]);
        let ended = client.end();
        ended.expect_code(0);
        assert_eq!(ended.stdout(), answer);
        drains(process);
    }
}

#[test]
fn a_terminated_server_ends_in_order() {
    for pair in PAIRS {
        let (_folder, server) = start(pair.server, &["--listen=127.0.0.1:0"]);
        let address = listening(&server);
        let log = drains(server);
        assert!(contains(&log, b"draining"));
        assert!(TcpStream::connect(address).is_err());
    }
}

#[test]
fn a_drain_lets_open_connections_finish_and_takes_no_new_ones() {
    PAIRS.into_iter().for_each(lets_open_connections_finish);
}

fn lets_open_connections_finish(pair: Pair) {
    let service = Plain::echoing();
    let forward = format!("--forward={}", service.address());
    let (_folder, server) = start(pair.server, &["--listen=127.0.0.1:0", &forward]);
    let address = listening(&server);
    let to = format!("--server={address}");
    let (_other_folder, client) = start(pair.client, &[&to, "--listen=127.0.0.1:0"]);
    let mut stream = TcpStream::connect(listening(&client)).expect("the tunnel listens");
    stream
        .set_read_timeout(Some(DEADLINE))
        .expect("it is not zero");
    echoes(&mut stream, b"before");

    for process in [&server, &client] {
        process.signal(Signal::TERM);
        process.wait_for_message("draining");
    }
    echoes(&mut stream, b"meanwhile");
    assert!(TcpStream::connect(address).is_err());

    stream.shutdown(Shutdown::Write).expect("it is connected");
    assert_eq!(stream.read(&mut [0]).expect("an end in order"), 0);
    for process in [server, client] {
        process.end().expect_code(0);
    }
}

fn echoes(stream: &mut TcpStream, word: &[u8]) {
    stream.write_all(word).expect("it is open");
    let mut back = vec![0; word.len()];
    stream.read_exact(&mut back).expect("it is open");
    assert_eq!(back, word);
}

#[test]
fn a_drain_has_an_end() {
    for pair in PAIRS {
        let service = Plain::silent();
        let forward = format!("--forward={}", service.address());
        let more = ["--listen=127.0.0.1:0", &forward, "--drain-timeout=1ms"];
        let (_folder, server) = start(pair.server, &more);
        let to = format!("--server={}", listening(&server));
        let (_other_folder, client) = start(pair.client, &[&to, "--listen=127.0.0.1:0"]);
        let mut stream = TcpStream::connect(listening(&client)).expect("the tunnel listens");
        stream.write_all(b"no answer comes").expect("it is open");
        // Then it is open on the server too.
        service.wait_for_connection();
        drains(server);
    }
}

/// The shares and the keys, as text and as bytes.
fn secrets() -> Vec<Vec<u8>> {
    let shares = PUBLISHED.map(|(_, share)| share);
    let hex = shares.into_iter().chain([KEY, TPM_KEY]);
    hex.flat_map(|hex| {
        let bytes = unhex(hex);
        // A part is enough to find: no line breaks a secret into eight characters or bytes.
        [
            hex.as_bytes()[..8].to_vec(),
            hex.to_uppercase().into_bytes()[..8].to_vec(),
            bytes[..8].to_vec(),
        ]
    })
    .collect()
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits = (0..hex.len()).step_by(2);
    digits
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).expect("hexadecimal digits"))
        .collect()
}

#[track_caller]
fn has_no_secret(what: &str, bytes: &[u8]) {
    for secret in secrets() {
        assert!(!contains(bytes, &secret), "a secret stands in {what}");
    }
}

#[test]
fn no_secret_is_written_or_shown() {
    PAIRS.into_iter().for_each(show_no_secret);
}

fn show_no_secret(pair: Pair) {
    let (_folder, server) = start(
        pair.server,
        &[
            "--listen=127.0.0.1:0",
            "--log-level=trace",
            "--admin=127.0.0.1:0",
        ],
    );
    let address = listening(&server);
    let admin = server.wait_for_message("admin port listening")["address"].clone();
    let to = format!("--server={address}");
    let more = [to.as_str(), "--listen=127.0.0.1:0", "--log-level=trace"];
    let (_other_folder, client) = start(pair.client, &more);
    let mut stream = TcpStream::connect(listening(&client)).expect("the tunnel listens");
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n")
        .expect("it is open");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an end in order");
    assert!(answer.ends_with(b"ok\n"));
    drop(stream);

    for process in [&server, &client] {
        let proc = format!("/proc/{}", process.pid());
        let cmdline = fs::read(format!("{proc}/cmdline")).expect("everyone may read it");
        assert!(
            contains(&cmdline, b"--share=alice=file:alice"),
            "it is the right process"
        );
        has_no_secret("cmdline", &cmdline);
        // Closed to others of the same user, since the process cannot be dumped.
        if let Ok(environ) = fs::read(format!("{proc}/environ")) {
            has_no_secret("environ", &environ);
        }
    }
    has_no_secret("metrics", metrics(&admin).as_bytes());
    has_no_secret("the server's log", &drains(server));
    has_no_secret("the client's log", &drains(client));
}

fn metrics(admin: &serde_json::Value) -> String {
    let mut stream = TcpStream::connect(admin.as_str().expect("text")).expect("it listens");
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n")
        .expect("it is open");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an end in order");
    assert!(text.contains("mcbn_"), "{text}");
    text
}
