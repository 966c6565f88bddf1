//! Bytes per second, through streams that all go one way.

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use socket2::SockRef;

use super::{Rate, watch};
use crate::client::{Tunnel, discard};
use crate::failure::Failure;
use crate::plan::Plan;
use crate::server::{Kind, Running};
use crate::service::{SINK, SOURCE};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// From the service to the client: the server encrypts. The client takes the records off its socket unread, so that
    /// the server is what is measured.
    Down,
    /// From the client to the service: the server decrypts.
    Up,
}

pub fn name(direction: Direction, streams: usize) -> String {
    let way = match direction {
        Direction::Down => "download",
        Direction::Up => "upload",
    };
    let plural = if streams == 1 { "" } else { "s" };
    format!("{way}, {streams} stream{plural}")
}

/// What a full record carries, and its length on the wire.
const RECORD: (u64, u64) = (16384, 16384 + 5 + 1 + 16);

/// The rate of plaintext in bytes.
pub fn measure(
    server: &Running<'_>,
    direction: Direction,
    streams: usize,
    plan: &Plan,
) -> Result<Rate, Failure> {
    let over = AtomicBool::new(false);
    let taken = AtomicU64::new(0);
    let mut tunnels = Vec::new();
    for _ in 0..streams {
        tunnels.push(server.connect()?);
    }
    let sockets: io::Result<Vec<TcpStream>> = tunnels
        .iter()
        .map(|tunnel| tunnel.socket().try_clone())
        .collect();
    let sockets = sockets.map_err(Failure::machine("duplicate a socket"))?;

    thread::scope(|scope| {
        let (over, taken) = (&over, &taken);
        let kind = server.kind;
        let workers: Vec<_> = tunnels
            .into_iter()
            .map(|tunnel| {
                scope.spawn(move || {
                    let end = match direction {
                        Direction::Down => draw(tunnel, kind, taken),
                        Direction::Up => push(tunnel),
                    };
                    // Every stream goes on until it is told to stop.
                    match over.load(Ordering::SeqCst) {
                        true => Ok(()),
                        false => Err(end
                            .err()
                            .unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into())),
                    }
                })
            })
            .collect();
        let rate = watch(server.pid(), plan, || match kind {
            Kind::OpensslFile => taken.load(Ordering::Relaxed) * RECORD.0 / RECORD.1,
            _ => server.service.moved(),
        });
        over.store(true, Ordering::SeqCst);
        for socket in sockets {
            // One that is closed already is one whose worker has something to say.
            let _ = socket.shutdown(Shutdown::Both);
        }
        for worker in workers {
            worker
                .join()
                .expect("a worker does not panic")
                .map_err(|error| server.failed(error))?;
        }
        rate
    })
}

fn draw(mut tunnel: Tunnel, kind: Kind, taken: &AtomicU64) -> io::Result<()> {
    match kind {
        Kind::OpensslFile => tunnel.write_all(b"GET /dev/zero HTTP/1.0\r\n\r\n")?,
        _ => tunnel.write_all(&[SOURCE])?,
    }
    let socket = SockRef::from(tunnel.socket());
    loop {
        match discard(&socket)? {
            0 => return Ok(()),
            n => taken.fetch_add(n as u64, Ordering::Relaxed),
        };
    }
}

fn push(mut tunnel: Tunnel) -> io::Result<()> {
    tunnel.write_all(&[SINK])?;
    let block = [b'.'; 128 * 1024];
    loop {
        tunnel.write_all(&block)?;
    }
}
