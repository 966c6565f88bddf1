//! The kernel's TPM.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::stream::until_readable;
use super::{LARGEST, Transport};

/// A character device that takes one command a write and gives one response a read.
pub(super) struct Device(File);

impl Device {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map(Self)
    }
}

impl Transport for Device {
    fn transmit(&mut self, command: &[u8]) -> io::Result<()> {
        // The kernel takes a part of a command for a whole one.
        match self.0.write(command)? {
            written if written == command.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    fn receive(&mut self, limit: Duration) -> io::Result<Zeroizing<Vec<u8>>> {
        until_readable(&self.0, Instant::now() + limit)?;
        let mut response = Zeroizing::new(vec![0; LARGEST]);
        match self.0.read(&mut response)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => {
                response.truncate(length);
                Ok(response)
            }
        }
    }
}
