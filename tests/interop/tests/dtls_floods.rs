//! Strangers who flood the port cost nothing that lasts.

use std::fs;
use std::net::UdpSocket;

use mcbn_tests_interop::dtls;
use mcbn_tests_support::DEADLINE;

const FLIGHTS: u32 = 100_000;

/// Where the ClientHello's random stands: after two headers and the version.
const RANDOM: usize = 13 + 12 + 2;

/// Memory in use, in kilobytes.
fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.expect("Linux says so").parse().expect("a number")
}

/// What our client sends first.
fn first_flight() -> Vec<u8> {
    let server = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    server.set_read_timeout(Some(DEADLINE)).expect("not zero");
    let address = server.local_addr().expect("it is bound");
    let (_client, _shares) = dtls::send(address, "text", &[]);
    let mut buffer = [0; 2048];
    let length = server.recv(&mut buffer).expect("it comes");
    buffer[..length].to_vec()
}

#[test]
fn a_flood_of_first_flights_leaves_memory_flat_and_a_good_client_served() {
    let server = dtls::server(&[]);
    let mut flight = first_flight();
    let good = || {
        let (client, _shares) = dtls::send(server.address, "served", &["--answer-timeout=30s"]);
        let ended = client.end();
        ended.expect_code(0);
        assert_eq!(ended.stdout(), "served");
    };
    good();
    let before = memory(server.process.pid());
    // From addresses that never answer: nobody reads these sockets.
    let spoofed: Vec<UdpSocket> = (0..64).map(|_| dtls::plain(server.address)).collect();
    let mut answers = 0;
    let mut buffer = [0; 2048];
    for n in 0..FLIGHTS {
        flight[RANDOM..RANDOM + 4].copy_from_slice(&n.to_be_bytes());
        // A buffer that is full loses it, which is the kernel's own defence.
        let socket = &spoofed[n as usize % spoofed.len()];
        let _ = socket.send(&flight);
        // One in a hundred waits for its answer, so that the server keeps up and most are really looked at.
        if n % 100 == 99 {
            socket.set_nonblocking(false).expect("Linux can");
            let length = socket.recv(&mut buffer).expect("a HelloVerifyRequest");
            assert!(
                length <= flight.len(),
                "an answer is no larger than what it answers"
            );
            answers += 1;
        }
        if n == FLIGHTS / 2 {
            good();
        }
    }
    assert_eq!(answers, FLIGHTS / 100);
    let grown = memory(server.process.pid()).saturating_sub(before);
    assert!(grown < 4096, "{grown} kilobytes more");
    good();
    assert!(
        !server
            .process
            .seen()
            .to_string()
            .contains("handshake failed")
    );
}

#[test]
fn datagrams_that_are_no_dtls_are_dropped() {
    let server = dtls::server(&["--admin=127.0.0.1:0"]);
    let stranger = dtls::plain(server.address);
    let flight = first_flight();
    for length in 0..flight.len() {
        let _ = stranger.send(&flight[..length]);
        let mut changed = flight.clone();
        changed[length] ^= 0xff;
        let _ = stranger.send(&changed);
    }
    for _ in 0..100 {
        let _ = stranger.send(b"GET / HTTP/1.1\r\n\r\n");
        let _ = stranger.send(&[0xff; 2000]);
    }
    let (client, _shares) = dtls::send(server.address, "served", &[]);
    let ended = client.end();
    ended.expect_code(0);
    assert_eq!(ended.stdout(), "served");
}
