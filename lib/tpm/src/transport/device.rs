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

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    const SOON: Duration = Duration::from_secs(20);

    /// A pipe with a name: what is written to it is there to be read, in one piece.
    fn pipe() -> Device {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tpm0");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        Device::open(&path).unwrap()
    }

    #[test]
    fn each_read_gives_a_response() {
        let mut device = pipe();
        for command in [&b"a command"[..], &[7; LARGEST]] {
            device.transmit(command).unwrap();
            assert_eq!(*device.receive(SOON).unwrap(), command);
        }
    }

    #[test]
    fn silence_has_an_end() {
        let error = pipe().receive(Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_device_that_has_ended_is_refused() {
        let mut null = Device::open(Path::new("/dev/null")).unwrap();
        null.transmit(b"a command").unwrap();
        let error = null.receive(SOON).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_device_that_takes_nothing_is_refused() {
        let mut full = Device::open(Path::new("/dev/full")).unwrap();
        let error = full.transmit(b"a command").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
