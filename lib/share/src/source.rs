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
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
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

impl Source {
    pub fn participant(&self) -> &Participant {
        &self.participant
    }
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

/// A source whose descriptor, if that is its place, is held.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub(crate) participant: Participant,
    place: Held,
}

#[derive(Clone, Debug)]
enum Held {
    File(PathBuf),
    Descriptor(RawFd, Arc<File>),
}

/// Takes the descriptors, all of them before anything else opens one: a number that was not inherited could then be
/// a socket or a timer of this program.
///
/// # Errors
///
/// Every descriptor that was not inherited, with its participant.
pub fn claim(sources: Vec<Source>) -> Result<Vec<Claimed>, Vec<NotClaimed>> {
    let has_descriptors = sources
        .iter()
        .any(|source| matches!(source.place, Place::Descriptor(_)));
    let mut inheritance = has_descriptors.then(Inheritance::new);
    let mut claimed = Vec::with_capacity(sources.len());
    let mut refused = Vec::new();
    for Source { participant, place } in sources {
        let place = match (place, &mut inheritance) {
            (Place::Descriptor(number), Some(inheritance)) => match inheritance.take(number) {
                Ok(file) => Held::Descriptor(number, Arc::new(file)),
                Err(why) => {
                    refused.push(NotClaimed {
                        participant,
                        number,
                        why,
                    });
                    continue;
                }
            },
            (Place::File(path), _) => Held::File(path),
            (Place::Descriptor(_), None) => unreachable!("it is made where there is one"),
        };
        claimed.push(Claimed { participant, place });
    }
    match refused.is_empty() {
        true => Ok(claimed),
        false => Err(refused),
    }
}

impl Claimed {
    pub(crate) fn is_standard_input(&self) -> bool {
        matches!(self.place, Held::Descriptor(0, _))
    }

    /// Reads to the end of the file or pipe.
    ///
    /// Blocks until a pipe's writer is done.
    pub(crate) fn read(&self) -> Result<Text, Unreadable> {
        let read = || match &self.place {
            Held::File(path) => {
                let file = File::open(path).map_err(Cause::Io)?;
                refuse_what_others_can_open(&file)?;
                bounded(&file)
            }
            Held::Descriptor(_, file) => bounded(file),
        };
        read().map_err(|cause| Unreadable {
            participant: self.participant.clone(),
            from: match self.place {
                Held::File(_) => "its file",
                Held::Descriptor(..) => "its descriptor",
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

/// What whoever started this program left open for it.
struct Inheritance {
    /// This process, to take descriptors from.
    process: Result<OwnedFd, Errno>,
    /// The numbers that became open since then.
    own: Vec<RawFd>,
}

impl Inheritance {
    fn new() -> Inheritance {
        let process = pidfd_open(getpid(), PidfdFlags::empty());
        let own = process.iter().map(AsRawFd::as_raw_fd).collect();
        Inheritance { process, own }
    }

    /// A duplicate of an inherited descriptor, which keeps its offset and needs no permission on the file.
    ///
    /// `OwnedFd::from_raw_fd` would be unsafe: nothing vouches that the number is not some other part of this program.
    /// The descriptor itself stays open, so that its number cannot come to mean something else.
    fn take(&mut self, number: RawFd) -> Result<File, WhyNot> {
        if self.own.contains(&number) {
            return Err(WhyNot::NotInherited);
        }
        let duplicate = match &self.process {
            Ok(process) => pidfd_getfd(process, number, PidfdGetfdFlags::empty()),
            Err(errno) => Err(*errno),
        };
        let file = match duplicate {
            Ok(duplicate) => File::from(duplicate),
            Err(Errno::BADF) => return Err(WhyNot::NotInherited),
            // Containers' system call filters often forbid it. Opening the same file again needs permission on it.
            Err(Errno::PERM | Errno::NOSYS) => reopened(number)?,
            Err(errno) => return Err(WhyNot::Io(errno.into())),
        };
        self.own.push(file.as_raw_fd());
        Ok(file)
    }
}

fn reopened(number: RawFd) -> Result<File, WhyNot> {
    File::open(format!("/proc/self/fd/{number}")).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => WhyNot::NotInherited,
        _ => WhyNot::Io(error),
    })
}

/// A descriptor that was not left open for this program, or cannot be used: whoever started it is at fault.
#[derive(Debug)]
pub struct NotClaimed {
    participant: Participant,
    number: RawFd,
    why: WhyNot,
}

#[derive(Debug)]
enum WhyNot {
    NotInherited,
    Io(io::Error),
}

impl NotClaimed {
    pub fn participant(&self) -> &Participant {
        &self.participant
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self.why {
            WhyNot::NotInherited => Some(
                "the program that starts this one must open the descriptor, as `3<share` does in a shell",
            ),
            WhyNot::Io(_) => None,
        }
    }
}

impl Display for NotClaimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NotClaimed {
            participant,
            number,
            why,
        } = self;
        match why {
            WhyNot::NotInherited => write!(
                f,
                "descriptor {number}, with the share of {participant}, was not inherited"
            ),
            WhyNot::Io(_) => write!(
                f,
                "descriptor {number}, with the share of {participant}, cannot be taken over"
            ),
        }
    }
}

impl Error for NotClaimed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.why {
            WhyNot::NotInherited => None,
            WhyNot::Io(error) => Some(error),
        }
    }
}

fn bounded(mut file: &File) -> Result<Text, Cause> {
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
    NeitherFileNorPipe,
    OpenToOthers,
    Empty,
    TooLong,
}

impl Unreadable {
    pub fn participant(&self) -> &Participant {
        &self.participant
    }

    /// Whether it is about who may read the share: this program may not, or everyone may.
    pub fn is_about_permission(&self) -> bool {
        match &self.cause {
            Cause::OpenToOthers => true,
            Cause::Io(error) => error.kind() == io::ErrorKind::PermissionDenied,
            Cause::NeitherFileNorPipe | Cause::Empty | Cause::TooLong => false,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        self.is_about_permission()
            .then_some("give the file to the program's own user, and chmod 0400")
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
