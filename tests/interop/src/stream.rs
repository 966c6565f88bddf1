//! The plain side of a tunnel: a program's standard streams, or its local port.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::process::Process;

/// Something to write to and to read from, whose other end is behind TLS.
pub enum Stream {
    Stdio(Process),
    Tcp {
        tunnel: Process,
        socket: TcpStream,
        /// The files that the tunnel reads.
        _folder: Option<Folder>,
    },
}

impl Stream {
    /// Connects to the port that `tunnel` listens on.
    pub fn through(tunnel: Process, address: SocketAddr, folder: Option<Folder>) -> Self {
        let socket = TcpStream::connect(address).expect("the tunnel listens");
        socket
            .set_read_timeout(Some(DEADLINE))
            .and_then(|()| socket.set_write_timeout(Some(DEADLINE)))
            .expect("the deadline is not zero");
        Self::Tcp {
            tunnel,
            socket,
            _folder: folder,
        }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        match self {
            Self::Stdio(process) => process.write(bytes),
            Self::Tcp { socket, .. } => socket.write_all(bytes).expect("the tunnel takes it"),
        }
    }

    /// Ends the sending direction, and no more.
    pub fn finish_writing(&mut self) {
        match self {
            Self::Stdio(process) => process.close_stdin(),
            Self::Tcp { socket, .. } => socket.shutdown(Shutdown::Write).expect("it is connected"),
        }
    }

    /// Reads `length` bytes, and leaves the stream open.
    pub fn read(&mut self, length: usize) -> Vec<u8> {
        match self {
            Self::Stdio(process) => {
                process.wait(|seen| seen.stdout.get(..length).map(<[u8]>::to_vec))
            }
            Self::Tcp { tunnel, socket, .. } => {
                let mut bytes = vec![0; length];
                if let Err(error) = socket.read_exact(&mut bytes) {
                    panic!("{error}: {}", tunnel.seen());
                }
                bytes
            }
        }
    }

    /// Reads until the other side ends, in order or by breaking off.
    pub fn read_to_end(self) -> Vec<u8> {
        match self {
            Self::Stdio(mut process) => {
                let all = process.wait(|seen| seen.is_over().then(|| seen.stdout.clone()));
                process.close_stdin();
                all
            }
            Self::Tcp {
                tunnel, mut socket, ..
            } => {
                let mut all = Vec::new();
                match socket.read_to_end(&mut all) {
                    Err(error) if error.kind() != ErrorKind::ConnectionReset => {
                        panic!("{error}: {}", tunnel.seen());
                    }
                    _ => all,
                }
            }
        }
    }
}
