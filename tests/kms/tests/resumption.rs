//! How often Cloud KMS is asked.

use std::io::{Read, Write};
use std::net::TcpStream;

use mcbn_tests_kms::{Scene, Server};
use mcbn_tests_support::plain::Plain;

/// Signatures that so many connections cost, one after the other, beside those of the starts.
fn cost(connections: usize, at_server: &[&str], at_client: &[&str]) -> u64 {
    let scene = Scene::new();
    let (own, other) = (scene.p256("server"), scene.p256("client"));
    let echo = Plain::echoing();
    let forward = format!("--forward={}", echo.address());
    let server = scene.serve(&own, &[&[forward.as_str()], at_server].concat());
    let tunnel: Server = scene.tunnel(&other, &server, at_client);
    let before = scene.signatures();
    for _ in 0..connections {
        let mut stream = TcpStream::connect(tunnel.address).unwrap();
        stream.write_all(b"x").unwrap();
        // What comes back comes after the tickets.
        stream.read_exact(&mut [0]).unwrap();
    }
    scene.signatures() - before
}

#[test]
fn a_peer_costs_one_signature_of_each_end() {
    assert_eq!(cost(5, &[], &[]), 2);
}

#[test]
fn each_connection_costs_one_where_resumption_is_off() {
    let off = ["--resumption-lifetime=0"];
    assert_eq!(cost(3, &off, &[]), 6);
    assert_eq!(cost(3, &[], &off), 6);
}

#[test]
fn each_connection_costs_one_in_tls_1_2() {
    let old = ["--tls-version=1.2"];
    assert_eq!(cost(3, &old, &old), 6);
}
