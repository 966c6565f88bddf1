//! A TPM at the other end of a byte stream.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};
use zeroize::Zeroizing;

use super::{LARGEST, Transport};

/// > tag(2) responseSize(4) responseCode(4)
const HEADER: usize = 10;

/// The response's own size says where it ends.
pub(super) struct Stream<S>(S);

impl<S> Stream<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(stream)
    }
}

impl<S: Read + Write + AsFd + Send> Transport for Stream<S> {
    fn transmit(&mut self, command: &[u8]) -> io::Result<()> {
        self.0.write_all(command).map_err(late)
    }

    fn receive(&mut self, limit: Duration) -> io::Result<Zeroizing<Vec<u8>>> {
        let deadline = Instant::now() + limit;
        // No longer than needed: it is wiped.
        let mut response = Zeroizing::new(vec![0; HEADER]);
        let mut length = 0;
        while length < response.len() {
            until_readable(&self.0, deadline)?;
            match self.0.read(&mut response[length..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if length == HEADER {
                let [.., a, b, c, d] = *response.first_chunk::<6>().expect("10 bytes");
                let size = usize::try_from(u32::from_be_bytes([a, b, c, d]));
                let whole = size
                    .ok()
                    .filter(|size| (HEADER..=LARGEST).contains(size))
                    .ok_or(io::ErrorKind::InvalidData)?;
                // What may move are the ten bytes, which are no secret.
                response.resize(whole, 0);
            }
        }
        Ok(response)
    }
}

/// Connects to a socket with a name. What is written to it later has the limit too.
pub(super) fn dial(name: &SocketAddrUnix, limit: Duration) -> io::Result<UnixStream> {
    let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, None)?;
    // Whoever is stuck lets its queue run full: connecting waits as sending does. Zero would be no limit.
    let limit = limit.max(Duration::from_millis(1));
    set_socket_timeout(&socket, Timeout::Send, Some(limit))?;
    rustix::net::connect(&socket, name).map_err(|errno| late(errno.into()))?;
    Ok(socket.into())
}

/// That the time is over is said in another way by a socket with a limit.
pub(super) fn late(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

/// Waits for something to read, or the end.
pub(super) fn until_readable(source: &impl AsFd, deadline: Instant) -> io::Result<()> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut sources = [PollFd::new(source, PollFlags::IN)];
        match poll(&mut sources, Some(&left)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use rustix::net::{bind, getsockname, listen};
    use std::os::fd::OwnedFd;

    const SOON: Duration = Duration::from_secs(20);

    /// A socket under a name that the kernel gives it.
    pub(in super::super) fn listener(queue: i32) -> (OwnedFd, SocketAddrUnix) {
        let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
        let listener = socket_with(family, kind, SocketFlags::CLOEXEC, None).unwrap();
        bind(&listener, &SocketAddrUnix::new_unnamed()).unwrap();
        listen(&listener, queue).unwrap();
        let name = getsockname(&listener).unwrap().try_into().unwrap();
        (listener, name)
    }

    fn pair() -> (Stream<UnixStream>, UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        (Stream::new(near), far)
    }

    fn response(size: u32, length: usize) -> Vec<u8> {
        let mut response = vec![0x80, 1];
        response.extend(size.to_be_bytes());
        response.resize(length, 7);
        response
    }

    #[test]
    fn a_response_comes_whole_however_it_is_cut() {
        let (mut near, mut far) = pair();
        let sent = [response(12, 12), response(10, 10)];
        let flat = sent.concat();
        let writer = std::thread::spawn(move || {
            for byte in flat {
                far.write_all(&[byte]).unwrap();
            }
            far
        });
        for response in &sent {
            assert_eq!(*near.receive(SOON).unwrap(), *response);
        }
        drop(writer.join());
        let ended = near.receive(SOON).unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_size_that_no_response_has_is_refused() {
        for size in [0, 9, 4097, u32::MAX] {
            let (mut near, mut far) = pair();
            far.write_all(&response(size, 10)).unwrap();
            let error = near.receive(SOON).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{size}");
        }
    }

    #[test]
    fn silence_has_an_end() {
        let (mut near, mut far) = pair();
        far.write_all(&[0x80, 1, 0]).unwrap();
        let error = near.receive(Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_listener_that_is_stuck_is_not_waited_for_forever() {
        let (_listener, name) = listener(0);
        let _first = dial(&name, SOON).unwrap();
        let error = dial(&name, Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_reader_that_is_stuck_is_not_waited_for_forever() {
        let (_listener, name) = listener(0);
        let mut near = Stream::new(dial(&name, Duration::ZERO).unwrap());
        let error = near.transmit(&vec![0; 1 << 24]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
