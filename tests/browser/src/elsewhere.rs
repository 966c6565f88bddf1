//! Somebody else's site: it serves one page to everybody, and remembers what it was sent.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use mcbn_tests_support::plain::Plain;

pub struct Elsewhere {
    service: Plain,
    heard: Arc<Mutex<String>>,
}

impl Elsewhere {
    pub fn serving(body: &str) -> Self {
        let page = format!(
            "<!DOCTYPE html><html lang=\"en\"><title>elsewhere</title><body>{body}</body></html>"
        );
        let heard = Arc::<Mutex<String>>::default();
        let ear = Arc::clone(&heard);
        let service = Plain::serving(move |mut stream| {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                head.extend(byte);
            }
            ear.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push_str(&String::from_utf8_lossy(&head));
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                page.len()
            );
        });
        Self { service, heard }
    }

    pub fn address(&self) -> SocketAddr {
        self.service.address()
    }

    /// The heads of all requests so far.
    pub fn heard(&self) -> String {
        self.heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
