//! What is said with a message bus, until a deadline.

use std::collections::VecDeque;
use std::io::{self, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use rustix::io::retry_on_intr;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::error::NoConnection;
use super::message::{Message, PREFIX};
use crate::transport::stream::{late, until_readable};

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
