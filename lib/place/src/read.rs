//! The reading, bounded, of what was claimed.

use crate::whose::Whose;
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::RawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;
use zeroize::Zeroizing;

/// In bytes: longer than any secret with its white space; what is longer is something else.
pub const LONGEST: usize = 1024;

/// What stands in a place: 1 to [`LONGEST`] bytes.
pub struct Text {
    /// On the heap, so that no move leaves a copy. One byte of room shows that there is too much.
    bytes: Box<Zeroizing<[u8; LONGEST + 1]>>,
    length: usize,
}

impl Text {
    pub fn expose_secret(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(..)")
    }
}

/// A place whose descriptor, if it is one, is held.
#[derive(Clone, Debug)]
pub struct Held {
    whose: Whose,
    at: At,
}

#[derive(Clone, Debug)]
enum At {
    File(PathBuf),
    Descriptor(RawFd, Arc<File>),
}

impl Held {
    pub(crate) fn of_file(whose: Whose, path: PathBuf) -> Held {
        let at = At::File(path);
        Held { whose, at }
    }

    pub(crate) fn of_descriptor(whose: Whose, number: RawFd, file: File) -> Held {
        let at = At::Descriptor(number, Arc::new(file));
        Held { whose, at }
    }

    pub fn whose(&self) -> &Whose {
        &self.whose
    }

    /// Standard input then has nothing else to give.
    pub fn is_standard_input(&self) -> bool {
        matches!(self.at, At::Descriptor(0, _))
    }

    /// Reads to the end of the file or pipe.
    ///
    /// Blocks until a pipe's writer is done.
    pub fn read(&self) -> Result<Text, Unreadable> {
        let read = || match &self.at {
            At::File(path) => {
                let file = File::open(path).map_err(Cause::Io)?;
                refuse_what_others_can_open(&file)?;
                bounded(&file)
            }
            At::Descriptor(_, file) => bounded(file),
        };
        read().map_err(|cause| Unreadable {
            whose: self.whose.clone(),
            from: match self.at {
                At::File(_) => "its file",
                At::Descriptor(..) => "its descriptor",
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

fn bounded(mut file: &File) -> Result<Text, Cause> {
    let kind = file.metadata().map_err(Cause::Io)?.file_type();
    if !kind.is_file() && !kind.is_fifo() {
        return Err(Cause::NeitherFileNorPipe);
    }
    let mut text = Text {
        bytes: Box::new(Zeroizing::new([0; LONGEST + 1])),
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

/// A secret could not be read. Whose it is tells which place it was; a path could be a secret that was put there, and
/// is not repeated.
#[derive(Debug)]
pub struct Unreadable {
    whose: Whose,
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
    /// Whether it is about who may read the secret: this program may not, or everyone may.
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
        let Unreadable { whose, from, cause } = self;
        write!(f, "cannot read {whose} from {from}")?;
        match cause {
            // The source of this error tells the rest.
            Cause::Io(_) => Ok(()),
            Cause::NeitherFileNorPipe => f.write_str(": it is neither a file nor a pipe"),
            Cause::OpenToOthers => f.write_str(": every user of this machine can read or write it"),
            Cause::Empty => f.write_str(": it is empty"),
            Cause::TooLong => write!(f, ": it is too long for {}", whose.one()),
        }
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
mod tests;
