//! Someone who wants a page of the service, and keeps the connection open.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::plain::Plain;

/// What the service says to whoever asks.
pub const PAGE: &str = "hello from the service that nobody reaches alone\n";

/// A plain HTTP service that keeps its connections open.
pub fn service() -> Plain {
    Plain::serving(|mut stream| {
        while head(&mut stream).is_some() {
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{PAGE}",
                PAGE.len()
            );
            if stream.write_all(answer.as_bytes()).is_err() {
                break;
            }
        }
    })
}

/// An open connection.
pub struct Visitor(TcpStream);

impl Visitor {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the client listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("not zero");
        Self(stream)
    }

    /// Asks for the page. None: the connection was closed instead.
    pub fn ask(&mut self) -> Option<String> {
        let request = "GET / HTTP/1.1\r\nHost: service\r\n\r\n";
        self.0.write_all(request.as_bytes()).ok()?;
        let head = head(&mut self.0)?;
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))?;
        let mut body = vec![0; length.parse().ok()?];
        self.0.read_exact(&mut body).ok()?;
        String::from_utf8(body).ok()
    }

    /// Waits until the connection is closed from the other side.
    pub fn wait_until_closed(mut self) {
        match self.0.read(&mut [0]) {
            Ok(0) => {}
            Ok(_) => panic!("the service spoke without being asked"),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the connection was not closed: {error}"),
        }
    }
}

/// The head of a request or an answer, to its empty line.
fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    String::from_utf8(head).ok()
}
