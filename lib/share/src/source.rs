//! Where a participant's share is read: `alice=file:/run/shares/alice`, `alice=fd:3`.
//!
//! A share never is a flag's or a variable's value: those are measured, logged and seen by the operator. A value that
//! was meant as a share is not echoed here either.

use crate::participant::{NotAParticipant, Participant};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use std::error::Error;
use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::PathBuf;
use std::str::FromStr;
use zeroize::Zeroizing;

/// One participant and the place of their share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub(crate) participant: Participant,
    pub(crate) place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    File(PathBuf),
    /// A descriptor that this process inherited.
    Descriptor(i32),
}

impl FromStr for Source {
    type Err = NotASource;

    fn from_str(text: &str) -> Result<Source, NotASource> {
        let (name, place) = text.split_once('=').ok_or(NotASource::NoName)?;
        let participant = name.parse().map_err(NotASource::Name)?;
        let place = match place.split_once(':') {
            Some(("file", "")) => return Err(NotASource::NoPath),
            Some(("file", path)) if path.contains('\0') => return Err(NotASource::NoPath),
            Some(("file", path)) => Place::File(path.into()),
            Some(("fd", number)) => Place::Descriptor(descriptor(number)?),
            _ => return Err(NotASource::Kind),
        };
        Ok(Source { participant, place })
    }
}

fn descriptor(number: &str) -> Result<i32, NotASource> {
    match number.parse() {
        // Standard output and error are not read.
        Ok(1 | 2) => Err(NotASource::Descriptor),
        // One number, one spelling: not "+3", "-0" or "03".
        Ok(n) if i32::to_string(&n) == number && n >= 0 => Ok(n),
        _ => Err(NotASource::Descriptor),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotASource {
    NoName,
    Name(NotAParticipant),
    Kind,
    NoPath,
    Descriptor,
}

impl Display for NotASource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotASource::NoName => f.write_str("no participant's name before a '='"),
            NotASource::Name(error) => error.fmt(f),
            NotASource::Kind => f.write_str(
                "after the '=' stands neither file:PATH nor fd:NUMBER; a share itself is never given here",
            ),
            NotASource::NoPath => f.write_str("no path after file:"),
            NotASource::Descriptor => {
                f.write_str("after fd: stands no number of a descriptor that can be read")
            }
        }
    }
}

impl Error for NotASource {}

/// Longer than any share with its white space; what is longer is not a share.
const LONGEST: usize = 1024;

/// The text of one share.
pub(crate) struct Text {
    /// One byte of room shows that there is too much.
    bytes: Zeroizing<[u8; LONGEST + 1]>,
    length: usize,
}

impl Text {
    pub(crate) fn expose_secret(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Source {
    /// Reads to the end of the file or pipe, and closes it.
    ///
    /// Blocks until a pipe's writer is done.
    pub(crate) fn read(&self) -> Result<Text, Unreadable> {
        let read = || match &self.place {
            Place::File(path) => {
                let file = File::open(path).map_err(Cause::Io)?;
                refuse_what_others_can_open(&file)?;
                bounded(file)
            }
            Place::Descriptor(number) => bounded(inherited(*number)?),
        };
        read().map_err(|cause| Unreadable {
            participant: self.participant.clone(),
            from: match self.place {
                Place::File(_) => "its file",
                Place::Descriptor(_) => "its descriptor",
            },
            cause,
        })
    }
}

/// Of regular files only: a pipe's mode says nothing about who was given an end of it.
fn refuse_what_others_can_open(file: &File) -> Result<(), Cause> {
    let metadata = file.metadata().map_err(Cause::Io)?;
    match metadata.is_file() && metadata.mode() & 0o006 != 0 {
        true => Err(Cause::OpenToOthers),
        false => Ok(()),
    }
}

/// A duplicate of an inherited descriptor, which keeps its offset and needs no permission on the file.
///
/// `OwnedFd::from_raw_fd` would be unsafe: nothing vouches that the number is not some other part of this program.
/// Here a wrong number is merely read, and what is neither a file nor a pipe is not even that. The descriptor itself
/// stays open, and a pipe is empty by then.
fn inherited(number: i32) -> Result<File, Cause> {
    let own = pidfd_open(getpid(), PidfdFlags::empty());
    match own.and_then(|own| pidfd_getfd(own, number, PidfdGetfdFlags::empty())) {
        Ok(duplicate) => Ok(File::from(duplicate)),
        Err(Errno::BADF) => Err(Cause::NotOpen),
        // Containers' system call filters often forbid it. Opening the same file again needs permission on it.
        Err(Errno::PERM | Errno::NOSYS) => reopened(number),
        Err(errno) => Err(Cause::Io(errno.into())),
    }
}

fn reopened(number: i32) -> Result<File, Cause> {
    File::open(format!("/proc/self/fd/{number}")).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Cause::NotOpen,
        _ => Cause::Io(error),
    })
}

fn bounded(mut file: File) -> Result<Text, Cause> {
    let kind = file.metadata().map_err(Cause::Io)?.file_type();
    if !kind.is_file() && !kind.is_fifo() {
        return Err(Cause::NeitherFileNorPipe);
    }
    let mut text = Text {
        bytes: Zeroizing::new([0; LONGEST + 1]),
        length: 0,
    };
    loop {
        match file.read(&mut text.bytes[text.length..]) {
            Ok(0) => break,
            Ok(read) => text.length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Cause::Io(error)),
        }
    }
    match text.length {
        0 => Err(Cause::Empty),
        length if length > LONGEST => Err(Cause::TooLong),
        _ => Ok(text),
    }
}

/// A share could not be read. The participant's name tells which source it was; a path could be a secret that was put
/// in its place, and is not repeated.
#[derive(Debug)]
pub struct Unreadable {
    participant: Participant,
    from: &'static str,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Io(io::Error),
    NotOpen,
    NeitherFileNorPipe,
    OpenToOthers,
    Empty,
    TooLong,
}

impl Unreadable {
    pub fn participant(&self) -> &Participant {
        &self.participant
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self.cause {
            Cause::OpenToOthers => Some("give the file to the program's own user, and chmod 0400"),
            Cause::NotOpen => Some(
                "the program that starts this one must open the descriptor, as `3<share` does in a shell",
            ),
            Cause::Io(_) | Cause::NeitherFileNorPipe | Cause::Empty | Cause::TooLong => None,
        }
    }
}

impl Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unreadable {
            participant,
            from,
            cause,
        } = self;
        write!(f, "cannot read the share of {participant} from {from}")?;
        f.write_str(match cause {
            // The source of this error tells the rest.
            Cause::Io(_) => return Ok(()),
            Cause::NotOpen => ": no such descriptor is open",
            Cause::NeitherFileNorPipe => ": it is neither a file nor a pipe",
            Cause::OpenToOthers => ": every user of this machine can read or write it",
            Cause::Empty => ": it is empty",
            Cause::TooLong => ": it is too long for a share",
        })
    }
}

impl Error for Unreadable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Cause::Io(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
