//! DTLS over links that lose, double, delay and reorder, with packets of 1280 bytes at most; and what passes through
//! both programs to a plain service and back.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mcbn_tests_interop::dtls;
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::lossy::{Line, Link};
use rustix::process::Signal;

/// A bad mobile link.
const BAD: Line = Line {
    lost: 15,
    doubled: 10,
    delay: Duration::from_millis(40),
    mtu: 1280,
};

const SESSIONS: usize = 24;

#[test]
fn every_handshake_completes_over_a_bad_link() {
    let server = dtls::server(&["--handshake-timeout=30s"]);
    let link = Link::to(server.address, BAD, 1);
    let tunnel = dtls::tunnel(link.address(), &["--handshake-timeout=30s"]);
    let locals: Vec<_> = (0..SESSIONS).map(|_| dtls::plain(tunnel.address)).collect();
    for local in &locals {
        local.send(b"first").expect("loopback takes it");
    }
    for (n, local) in locals.iter().enumerate() {
        let question = format!("question {n}");
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < DEADLINE, "session {n} gets no answer");
            // A datagram can be lost: whoever needs an answer asks again.
            local.send(question.as_bytes()).expect("loopback takes it");
            if dtls::next(local, Duration::from_millis(200)) == Some(question.clone().into()) {
                break;
            }
        }
    }
    assert_eq!(link.passed().too_large.load(Ordering::Relaxed), 0);
}

#[test]
fn no_more_is_lost_than_the_link_loses_and_nothing_comes_twice() {
    const DATAGRAMS: usize = 500;
    let server = dtls::server(&["--handshake-timeout=30s"]);
    let link = Link::to(server.address, BAD, 2);
    let tunnel = dtls::tunnel(link.address(), &["--handshake-timeout=30s"]);
    let local = dtls::plain(tunnel.address);
    let mut answered = [false; DATAGRAMS];
    let mut take = |datagram: Option<Vec<u8>>| {
        let Some(datagram) = datagram else {
            return;
        };
        let number = std::str::from_utf8(&datagram)
            .ok()
            .and_then(|n| n.parse().ok());
        let number: usize = number.expect("what was sent");
        assert!(!answered[number], "{number} came twice");
        answered[number] = true;
    };
    // The session first: what is sent before is not lost by the link.
    while link.passed().up.load(Ordering::Relaxed) == 0 {
        local.send(b"0").expect("loopback takes it");
        if let Some(answer) = dtls::next(&local, Duration::from_millis(100)) {
            assert_eq!(answer, b"0");
        }
    }
    while dtls::next(&local, Duration::from_millis(300)).is_some() {}
    let load = |count: &std::sync::atomic::AtomicUsize| count.load(Ordering::Relaxed);
    let before = load(&link.passed().down);
    for number in 0..DATAGRAMS {
        let text = number.to_string();
        local.send(text.as_bytes()).expect("loopback takes it");
        take(dtls::next(&local, Duration::from_millis(2)));
    }
    let start = Instant::now();
    loop {
        let next = dtls::next(&local, Duration::from_millis(500));
        if next.is_none() {
            break;
        }
        take(next);
        assert!(start.elapsed() < DEADLINE);
    }
    let came = answered.iter().filter(|came| **came).count();
    assert_eq!(came, load(&link.passed().down) - before);
    // The server answered all that came to it: with 15 of 100 lost each way, 361 of 500 are to be expected.
    assert!((300..=420).contains(&came), "{came}");
}

#[test]
fn datagrams_reach_a_plain_service_behind_the_server_and_come_back() {
    let service = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    service.set_read_timeout(Some(DEADLINE)).expect("not zero");
    let address = service.local_addr().expect("it is bound");
    let server = dtls::server(&[&format!("--forward={address}")]);
    let tunnel = dtls::tunnel(server.address, &[]);
    let locals = [dtls::plain(tunnel.address), dtls::plain(tunnel.address)];
    let mut seen = Vec::new();
    for (n, local) in locals.iter().enumerate() {
        let question = vec![n as u8; 1000];
        local.send(&question).expect("loopback takes it");
        let mut buffer = [0; 2048];
        let (length, from) = service.recv_from(&mut buffer).expect("it comes");
        assert_eq!(&buffer[..length], question);
        seen.push(from);
        service.send_to(b"answer", from).expect("loopback takes it");
        assert_eq!(dtls::next(local, DEADLINE), Some(b"answer".to_vec()));
    }
    assert_ne!(seen[0], seen[1], "each peer has a socket of its own");
    // Both end in order, with sessions open.
    for ours in [tunnel, server] {
        ours.process.signal(Signal::TERM);
        ours.process.signal(Signal::TERM);
        ours.process.end().expect_code(0);
    }
}

#[test]
fn a_service_that_is_started_later_is_reached() {
    let reserved = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let address = reserved.local_addr().expect("it is bound");
    drop(reserved);
    let server = dtls::server(&[&format!("--forward={address}")]);
    let tunnel = dtls::tunnel(server.address, &[]);
    let local = dtls::plain(tunnel.address);
    local.send(b"nobody hears").expect("loopback takes it");
    assert_eq!(dtls::next(&local, Duration::from_millis(300)), None);
    let service = std::net::UdpSocket::bind(address).expect("nobody took it");
    local.send(b"question").expect("loopback takes it");
    service.set_read_timeout(Some(DEADLINE)).expect("not zero");
    let mut buffer = [0; 64];
    let (length, from) = service.recv_from(&mut buffer).expect("it comes");
    assert_eq!(&buffer[..length], b"question");
    service.send_to(b"answer", from).expect("loopback takes it");
    assert_eq!(dtls::next(&local, DEADLINE), Some(b"answer".to_vec()));
}
