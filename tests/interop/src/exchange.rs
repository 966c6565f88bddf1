//! What goes over a connection once it is made, whatever authenticated it.

use std::io::{Read, Write};
use std::net::SocketAddr;

use mcbn_tests_support::plain::Plain;
use mcbn_tests_support::process::Process;

use crate::stream::Stream;
use crate::{Served, reversed};

/// A client of theirs is answered by our server itself.
pub fn is_answered_ok(mut client: Stream) {
    client.write(b"GET / HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n");
    let answer = client.read_to_end();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer:?}");
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer:?}");
}

/// A client of theirs reaches a plain service behind our server. It reads on where it can end its sending direction, which
/// is `half_close`.
pub fn reaches_a_service(half_close: bool, connect: impl FnOnce(SocketAddr) -> Stream) {
    let service = match half_close {
        true => Plain::reversing(),
        false => Plain::echoing(),
    };
    let mut client = connect(service.address());
    let sent = lines();
    client.write(&sent);
    let (answer, expected) = match half_close {
        true => {
            client.finish_writing();
            (client.read_to_end(), reversed(&sent))
        }
        false => (client.read(sent.len()), sent),
    };
    assert!(
        answer == expected,
        "{} bytes came back changed",
        answer.len()
    );
    assert_eq!(service.connections(), 1);
}

/// Our client gets this page from their server.
pub fn gets_a_page(client: Process, page: &str) {
    let ended = client.end();
    ended.expect_code(0);
    assert!(ended.stdout().contains(page), "{ended}");
    assert_eq!(ended.stderr(), "", "{ended}");
}

/// Our client tunnels to their server, which answers like this.
pub fn tunnels(mut tunnel: Stream, server: &Served, answer_to: fn(&[u8]) -> Vec<u8>) {
    let sent = lines();
    tunnel.write(&sent);
    tunnel.finish_writing();
    let answer = tunnel.read_to_end();
    assert!(
        answer == answer_to(&sent),
        "{} bytes, and not what the peer answers: {}",
        answer.len(),
        server.process.seen()
    );
}

/// What goes comes back.
pub fn comes_back(stream: &mut (impl Read + Write), text: &str) {
    stream.write_all(text.as_bytes()).expect("it is open");
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(String::from_utf8_lossy(&answer), text);
}

/// Each line that a client of theirs sends comes back before the next goes.
pub fn lines_come_back(mut client: Process) {
    let mut expected = String::new();
    for line in ["a line\n", "another one\n"] {
        client.write(line.as_bytes());
        expected += line;
        client.wait_for_stdout(&expected);
    }
    client.end().expect_code(0);
}

/// More than any buffer on the way holds, in short lines, since some peers move lines.
fn lines() -> Vec<u8> {
    (0..20_000)
        .flat_map(|n| format!("line {n:08} of many\n").into_bytes())
        .collect()
}
