//! The two ends of a protocol, as they run, and how they end.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use mcbn_tests_demo::{Running, hears};
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::process::Process;

use crate::{House, LEASE};

/// The name of a workload, and variables of its own.
pub type End<'a> = (&'a str, &'a [(&'a str, &'a str)]);

impl House {
    pub fn server(&self) -> Server {
        let running = self.starting_server(&[]);
        let server = Server {
            admin: address(&running.process, "admin port listening"),
            address: address(&running.process, "listening"),
            running,
        };
        server.becomes_ready(true);
        server
    }

    /// A local port whose connections come out at the service.
    pub fn client(&self, server: &Server) -> (SocketAddr, Running) {
        let running = self.start(
            "psk-client",
            &[
                ("MCBN_LISTEN", "127.0.0.1:0".to_owned()),
                ("MCBN_SERVER", server.address.to_string()),
            ],
        );
        (address(&running.process, "listening"), running)
    }

    /// Starts a server and its client, and gives the entrance of the client.
    pub fn pair(&self, [server, client]: [End<'_>; 2]) -> (SocketAddr, [Running; 2]) {
        let (at, server) = self.end(server, &[]);
        let (entrance, client) = self.end(client, &[("MCBN_SERVER", at.to_string())]);
        (entrance, [server, client])
    }

    fn end(&self, (name, own): End<'_>, more: &[(&str, String)]) -> (SocketAddr, Running) {
        let own = own.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let listen = ("MCBN_LISTEN", "127.0.0.1:0".to_owned());
        let all: Vec<_> = own.chain([listen]).chain(more.to_vec()).collect();
        let running = self.start(name, &all);
        (address(&running.process, "listening"), running)
    }

    /// Somebody does something. Both ends end within a lease, and say of whom and why.
    pub fn ends_with(&self, ends: [Running; 2], why: &str, act: impl FnOnce(&House)) {
        act(self);
        let acted = Instant::now();
        for running in ends {
            let ended = running.process.end();
            ended.expect_code(77);
            let expected = format!("consent is lost: {why}");
            assert!(ended.stderr().contains(&expected), "{ended}");
        }
        assert!(acted.elapsed() < Duration::from_secs(LEASE.into()));
    }
}

/// A ready psk-server.
pub struct Server {
    pub running: Running,
    admin: SocketAddr,
    address: SocketAddr,
}

impl Server {
    pub fn hears(&self, message: &str, participant: &str) {
        hears(&self.running.process, message, participant);
    }

    pub fn is_ready(&self) -> bool {
        get(self.admin, "/readyz").starts_with("HTTP/1.1 200 ")
    }

    /// Until it is ready, or is not.
    pub fn becomes_ready(&self, ready: bool) {
        let start = Instant::now();
        while self.is_ready() != ready {
            assert!(start.elapsed() < DEADLINE, "it never becomes so");
            // As whoever watches it does.
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn metric(&self, name: &str) -> u32 {
        let metrics = get(self.admin, "/metrics");
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in {metrics}"));
        line.trim().parse().expect("a number")
    }
}

/// Where a program says that it listens.
pub fn address(process: &Process, message: &str) -> SocketAddr {
    let event = process.wait_for_message(message);
    let address = event["address"].as_str().expect("a text");
    address.parse().expect("an address")
}

/// The whole answer of an HTTP server.
pub fn get(from: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(from).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

/// What comes back for one datagram.
pub fn echo(from: SocketAddr, datagram: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has a port");
    let patient = socket.set_read_timeout(Some(DEADLINE));
    patient.expect("a deadline is longer than nothing");
    socket.send_to(datagram, from).expect("it is sent");
    let mut room = [0; 100];
    let length = socket.recv(&mut room).expect("something comes back");
    room[..length].to_vec()
}
