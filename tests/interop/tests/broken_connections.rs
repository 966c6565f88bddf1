//! Anyone on the path can cut a connection. What was cut must not look like what was ended in order.

use std::io::{ErrorKind, Read};
use std::sync::Mutex;
use std::sync::mpsc::channel;

use mcbn_tests_interop::openssl::OpenSsl;
use mcbn_tests_interop::stream::Stream;
use mcbn_tests_interop::{Credentials, Peer, Version, ours};
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::plain::Plain;

#[test]
fn a_server_that_breaks_off_resets_the_local_end_of_our_tunnel() {
    for version in [Version::Tls13, Version::Tls12] {
        let server = OpenSsl::serve(version, Credentials::RIGHT);
        let mut tunnel = ours::tunnel(version, server.address);
        tunnel.write(b"abc\n");
        assert_eq!(tunnel.read(4), b"cba\n");
        // Killed, it says no close_notify.
        drop(server);
        let Stream::Tcp { mut socket, .. } = tunnel else {
            unreachable!("a tunnel is a local port")
        };
        let read = socket.read(&mut [0]);
        assert_eq!(
            read.map_err(|error| error.kind()),
            Err(ErrorKind::ConnectionReset)
        );
    }
}

#[test]
fn a_client_that_breaks_off_resets_the_connection_to_the_service() {
    for version in [Version::Tls13, Version::Tls12] {
        let (sender, ended) = channel();
        let sender = Mutex::new(sender);
        let service = Plain::serving(move |mut stream| {
            let ended = loop {
                match stream.read(&mut [0; 64]) {
                    Ok(0) => break Ok(()),
                    Ok(_) => {
                        let _ = std::io::Write::write_all(&mut stream, b"seen\n");
                    }
                    Err(error) => break Err(error.kind()),
                }
            };
            let _ = sender.lock().expect("nobody panics").send(ended);
        });
        let forward = format!("--forward={}", service.address());
        let server = ours::Server::start(version, &[&forward]);
        let mut client = OpenSsl::connect(server.address(), version, Credentials::RIGHT);
        client.write(b"abc\n");
        assert_eq!(client.read(5), b"seen\n");
        // Killed, it says no close_notify.
        drop(client);
        assert_eq!(
            ended.recv_timeout(DEADLINE).expect("it ends in time"),
            Err(ErrorKind::ConnectionReset)
        );
    }
}
