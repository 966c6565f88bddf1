//! What is said with a message bus, until a deadline.

use std::collections::VecDeque;
use std::io::{self, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::io::retry_on_intr;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix,
    SocketFlags, SocketType, recvmsg, socket_with,
};

use super::error::NoConnection;
use super::message::{Message, PREFIX};
use crate::transport::stream::until_readable;

/// The most that a bus is listened to at a time: far more than it has to say here.
const LONGEST: usize = 16 * 1024;

/// A bus that takes messages.
#[derive(Debug)]
pub(super) struct Conversation {
    bus: UnixStream,
    deadline: Instant,
    /// Heard, and not taken yet.
    bytes: Vec<u8>,
    descriptors: VecDeque<OwnedFd>,
}

/// Connects. What is written to the bus later has a limit too.
pub(super) fn dial(socket: &SocketAddrUnix, deadline: Instant) -> io::Result<UnixStream> {
    let bus = socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    // One that is stuck lets its queue run full: connecting waits as sending does. Zero would be no limit.
    let left = deadline.saturating_duration_since(Instant::now());
    set_socket_timeout(
        &bus,
        Timeout::Send,
        Some(left.max(Duration::from_millis(1))),
    )?;
    rustix::net::connect(&bus, socket).map_err(|errno| late(errno.into()))?;
    Ok(bus.into())
}

/// That the time is over is said in another way by a socket with a limit.
fn late(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

impl Conversation {
    /// Makes the bus take messages that have descriptors, and sends it the first ones.
    pub(super) fn begin(
        bus: UnixStream,
        messages: &[Vec<u8>],
        deadline: Instant,
    ) -> Result<Self, NoConnection> {
        let mut new = Self {
            bus,
            deadline,
            bytes: Vec::new(),
            descriptors: VecDeque::new(),
        };
        // No identity is claimed: it would be another outside of this namespace of users.
        new.demand("\0AUTH EXTERNAL\r\n", "DATA", NoConnection::Rejected)?;
        new.demand("DATA\r\n", "OK", NoConnection::Rejected)?;
        new.demand(
            "NEGOTIATE_UNIX_FD\r\n",
            "AGREE_UNIX_FD",
            NoConnection::PassesNone,
        )?;
        // In one piece: a bus that hangs up now would break off the next one.
        new.say(&[b"BEGIN\r\n", &messages.concat()[..]].concat())?;
        Ok(new)
    }

    /// Says a line, and takes one answer alone.
    fn demand(
        &mut self,
        line: &str,
        wanted: &str,
        otherwise: NoConnection,
    ) -> Result<(), NoConnection> {
        self.say(line.as_bytes())?;
        let end = loop {
            if let Some(end) = self.bytes.windows(2).position(|two| two == b"\r\n") {
                break end;
            }
            self.listen()?;
        };
        let answer: Vec<u8> = self.bytes.drain(..end + 2).collect();
        let word = answer[..end].split(|byte| *byte == b' ').next();
        match word == Some(wanted.as_bytes()) {
            true => Ok(()),
            false => Err(otherwise),
        }
    }

    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bus.write_all(bytes).map_err(late)
    }

    /// Waits for the next message, and gives it with its descriptors.
    pub(super) fn hear(&mut self) -> Result<(Message, Vec<OwnedFd>), NoConnection> {
        let length = loop {
            if let Some(prefix) = self.bytes.first_chunk::<PREFIX>() {
                let length = Message::length(prefix).ok_or(NoConnection::Garbled)?;
                if length > LONGEST {
                    return Err(NoConnection::Garbled);
                }
                if length <= self.bytes.len() {
                    break length;
                }
            }
            self.listen()?;
        };
        let bytes: Vec<u8> = self.bytes.drain(..length).collect();
        let message = Message::parse(&bytes).ok_or(NoConnection::Garbled)?;
        if message.descriptors > self.descriptors.len() {
            return Err(NoConnection::Garbled);
        }
        let descriptors = self.descriptors.drain(..message.descriptors).collect();
        Ok((message, descriptors))
    }

    fn listen(&mut self) -> Result<(), NoConnection> {
        if self.bytes.len() > LONGEST {
            return Err(NoConnection::Garbled);
        }
        // A bus that never falls silent has a deadline too.
        if self.deadline <= Instant::now() {
            return Err(io::Error::from(io::ErrorKind::TimedOut).into());
        }
        until_readable(&self.bus, self.deadline)?;
        // One is what the broker gives, two is what it must not give; more are closed by the kernel.
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut bytes = [0; 1024];
        let heard = retry_on_intr(|| {
            recvmsg(
                &self.bus,
                &mut [IoSliceMut::new(&mut bytes)],
                &mut control,
                RecvFlags::CMSG_CLOEXEC,
            )
        });
        let heard = heard.map_err(io::Error::from)?;
        for part in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = part {
                self.descriptors.extend(descriptors);
            }
        }
        if heard.bytes == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        self.bytes.extend(&bytes[..heard.bytes]);
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use rustix::net::{bind, getsockname, listen};

    /// A socket under a name that the kernel gives it.
    pub(in super::super) fn listener(queue: i32) -> (OwnedFd, SocketAddrUnix) {
        let listener = socket_with(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )
        .unwrap();
        bind(&listener, &SocketAddrUnix::new_unnamed()).unwrap();
        listen(&listener, queue).unwrap();
        let name = getsockname(&listener).unwrap().try_into().unwrap();
        (listener, name)
    }

    #[test]
    fn a_bus_that_takes_nobody_more_is_refused() {
        let (_listener, name) = listener(0);
        let _first = dial(&name, Instant::now() + Duration::from_secs(20)).unwrap();
        let refused = dial(&name, Instant::now()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
    }
}
