//! A plain TCP service, to which a program under test forwards.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use crate::DEADLINE;

/// A service that lives as long as the test's process does.
pub struct Plain {
    address: SocketAddr,
    connections: Arc<Connections>,
}

impl Plain {
    /// Reads to the end, then answers with all of it in reverse and ends too: only a half-close gets an answer.
    pub fn reversing() -> Self {
        Self::serving(|mut stream| {
            let mut all = Vec::new();
            if stream.read_to_end(&mut all).is_ok() {
                all.reverse();
                let _ = stream.write_all(&all);
            }
        })
    }

    /// Answers each byte with itself, until the peer ends.
    pub fn echoing() -> Self {
        Self::serving(|mut stream| {
            let mut buffer = [0; 16 * 1024];
            while let Ok(n @ 1..) = stream.read(&mut buffer) {
                if stream.write_all(&buffer[..n]).is_err() {
                    break;
                }
            }
        })
    }

    /// Answers one HTTP request with a fixed page.
    pub fn http() -> Self {
        Self::serving(|mut stream| {
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                request.extend(byte);
            }
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{PAGE}",
                PAGE.len()
            );
        })
    }

    /// Sends the same bytes to whoever connects, reads what comes until the end, and ends.
    pub fn saying(bytes: &'static [u8]) -> Self {
        Self::serving(move |mut stream| {
            let _ = stream.write_all(bytes);
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        })
    }

    /// Takes connections, reads them to the end and never says a word.
    pub fn silent() -> Self {
        Self::serving(|mut stream| {
            let _ = stream.read_to_end(&mut Vec::new());
        })
    }

    /// Closes each connection at once.
    pub fn closing() -> Self {
        Self::serving(drop)
    }

    /// Serves each connection by a function of the test's own.
    pub fn serving(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let connections = Arc::<Connections>::default();
        let count = Arc::clone(&connections);
        let serve = Arc::new(serve);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.add();
                let serve = Arc::clone(&serve);
                thread::spawn(move || {
                    let _ = stream.set_read_timeout(Some(DEADLINE));
                    let _ = stream.set_write_timeout(Some(DEADLINE));
                    serve(stream);
                });
            }
        });
        Self {
            address,
            connections,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections have come so far.
    pub fn connections(&self) -> usize {
        *self
            .connections
            .count
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the first connection.
    pub fn wait_for_connection(&self) {
        let Connections { count, changed } = &*self.connections;
        let count = count.lock().unwrap_or_else(PoisonError::into_inner);
        let (_count, late) = changed
            .wait_timeout_while(count, DEADLINE, |count| *count == 0)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!late.timed_out(), "nobody connects to the plain service");
    }
}

#[derive(Default)]
struct Connections {
    count: Mutex<usize>,
    changed: Condvar,
}

impl Connections {
    fn add(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }
}

/// What [`Plain::http`] answers.
pub const PAGE: &str = "a page of the plain service\n";
