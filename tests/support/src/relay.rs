//! A TCP relay that keeps what passes: what a stranger on the wire sees.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::DEADLINE;

/// A relay for one connection.
pub struct Relay {
    address: SocketAddr,
    done: Receiver<Wire>,
}

/// All bytes of one connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wire {
    pub from_client: Vec<u8>,
    pub from_server: Vec<u8>,
}

impl Relay {
    pub fn to(server: SocketAddr) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let (sender, done) = channel();
        thread::spawn(move || {
            let (client, _) = listener.accept().expect("a test connects");
            let server = TcpStream::connect(server).expect("the server listens");
            let up = copy(&client, &server);
            let down = copy(&server, &client);
            let _ = sender.send(Wire {
                from_client: up.join().expect("copying does not panic"),
                from_server: down.join().expect("copying does not panic"),
            });
        });
        Self { address, done }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the end of the connection.
    pub fn wire(self) -> Wire {
        self.done
            .recv_timeout(DEADLINE)
            .expect("both sides of the relayed connection end in time")
    }
}

fn copy(from: &TcpStream, to: &TcpStream) -> thread::JoinHandle<Vec<u8>> {
    let clone = |stream: &TcpStream| stream.try_clone().expect("there are descriptors left");
    let (mut from, mut to) = (clone(from), clone(to));
    thread::spawn(move || {
        let mut all = Vec::new();
        let mut buffer = [0; 16 * 1024];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            all.extend_from_slice(&buffer[..n]);
            if to.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
        all
    })
}
