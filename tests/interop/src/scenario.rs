//! What every peer must be able to do with ours.

use mcbn_tests_support::plain::Plain;

use crate::{Credentials, Peer, Version, ours, reversed};

/// The tests of one peer.
#[macro_export]
macro_rules! scenarios {
    ($peer:ty) => {
        $crate::scenarios!($peer, over_tls13, $crate::Version::Tls13);
        $crate::scenarios!($peer, over_tls12, $crate::Version::Tls12);
    };
    ($peer:ty, $module:ident, $version:expr) => {
        mod $module {
            use $crate::scenario;

            #[test]
            fn its_client_is_answered_ok() {
                scenario::its_client_is_answered_ok::<$peer>($version);
            }

            #[test]
            fn its_client_reaches_the_service_behind_our_server() {
                scenario::its_client_reaches_the_service_behind_our_server::<$peer>($version);
            }

            #[test]
            fn our_client_gets_a_page_from_its_server() {
                scenario::our_client_gets_a_page_from_its_server::<$peer>($version);
            }

            #[test]
            fn our_client_tunnels_to_its_server() {
                scenario::our_client_tunnels_to_its_server::<$peer>($version);
            }
        }
    };
}

pub fn its_client_is_answered_ok<P: Peer>(version: Version) {
    let server = ours::Server::start(version, &[]);
    let mut client = P::connect(server.address(), version, Credentials::RIGHT);
    client.write(b"GET / HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n");
    let answer = client.read_to_end();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer:?}");
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer:?}");
    server.drain();
}

pub fn its_client_reaches_the_service_behind_our_server<P: Peer>(version: Version) {
    let service = match P::HALF_CLOSE {
        true => Plain::reversing(),
        false => Plain::echoing(),
    };
    let forward = format!("--forward={}", service.address());
    let server = ours::Server::start(version, &[&forward]);
    let mut client = P::connect(server.address(), version, Credentials::RIGHT);
    let sent = lines();
    client.write(&sent);
    let answer = match P::HALF_CLOSE {
        true => {
            client.finish_writing();
            client.read_to_end()
        }
        false => client.read(sent.len()),
    };
    let expected = match P::HALF_CLOSE {
        true => reversed(&sent),
        false => sent,
    };
    assert!(
        answer == expected,
        "{} bytes came back changed",
        answer.len()
    );
    assert_eq!(service.connections(), 1);
}

pub fn our_client_gets_a_page_from_its_server<P: Peer>(version: Version) {
    let server = P::serve_http(version, Credentials::RIGHT);
    let client = ours::client(version, server.address, &["--get=/"]);
    let ended = client.end();
    ended.expect_code(0);
    assert!(ended.stdout().contains(P::PAGE), "{ended}");
    assert_eq!(ended.stderr(), "", "{ended}");
}

pub fn our_client_tunnels_to_its_server<P: Peer>(version: Version) {
    let server = P::serve(version, Credentials::RIGHT);
    let mut tunnel = ours::tunnel(version, server.address);
    let sent = lines();
    tunnel.write(&sent);
    tunnel.finish_writing();
    let answer = tunnel.read_to_end();
    assert!(
        answer == P::answer(&sent),
        "{} bytes, and not what the peer answers: {}",
        answer.len(),
        server.process.seen()
    );
}

/// More than any buffer on the way holds, in short lines, since some peers move lines.
fn lines() -> Vec<u8> {
    (0..20_000)
        .flat_map(|n| format!("line {n:08} of many\n").into_bytes())
        .collect()
}
