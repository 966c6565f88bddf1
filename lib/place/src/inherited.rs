//! Descriptors that whoever started this program left open for it.

use crate::whose::Whose;
use rustix::io::Errno;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use std::error::Error;
use std::fmt::{self, Display};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// What this process inherited: one for all the secrets of a program, so that what is opened to take one of them is
/// not taken for another.
///
/// It is used before anything else opens a descriptor: a number that was not inherited could then be a socket or a
/// timer of this program.
#[derive(Debug, Default)]
pub struct Inheritance {
    /// This process, to take descriptors from; opened for the first of them.
    process: Option<Result<OwnedFd, Errno>>,
    /// The numbers that became open since then.
    own: Vec<RawFd>,
}

impl Inheritance {
    pub fn new() -> Inheritance {
        Inheritance::default()
    }

    /// A duplicate of an inherited descriptor, which keeps its offset and needs no permission on the file.
    ///
    /// `OwnedFd::from_raw_fd` would be unsafe: nothing vouches that the number is not some other part of this program.
    /// The descriptor itself stays open, so that its number cannot come to mean something else.
    pub(crate) fn take(&mut self, number: RawFd) -> Result<File, WhyNot> {
        let duplicate = self
            .process()
            .and_then(|process| pidfd_getfd(process, number, PidfdGetfdFlags::empty()));
        if self.own.contains(&number) {
            return Err(WhyNot::NotInherited);
        }
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

    fn process(&mut self) -> Result<BorrowedFd<'_>, Errno> {
        let process = self.process.get_or_insert_with(|| {
            let process = pidfd_open(getpid(), PidfdFlags::empty());
            self.own.extend(process.iter().map(AsRawFd::as_raw_fd));
            process
        });
        process.as_ref().map(AsFd::as_fd).map_err(|errno| *errno)
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
    whose: Whose,
    number: RawFd,
    why: WhyNot,
}

#[derive(Debug)]
pub(crate) enum WhyNot {
    NotInherited,
    Io(io::Error),
}

impl NotClaimed {
    pub(crate) fn new(whose: Whose, number: RawFd, why: WhyNot) -> NotClaimed {
        NotClaimed { whose, number, why }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self.why {
            WhyNot::NotInherited => Some(format!(
                "the program that starts this one must open the descriptor, as `3<{}` does in a shell",
                self.whose.file_name()
            )),
            WhyNot::Io(_) => None,
        }
    }
}

impl Display for NotClaimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NotClaimed { whose, number, why } = self;
        write!(f, "descriptor {number}, with {whose}, ")?;
        f.write_str(match why {
            WhyNot::NotInherited => "was not inherited",
            WhyNot::Io(_) => "cannot be taken over",
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Held, Place};
    use std::io::{PipeReader, Read, Write};

    /// Far above what these tests open.
    const UNUSED: RawFd = 987;

    fn claim(number: RawFd, inheritance: &mut Inheritance) -> Result<Held, NotClaimed> {
        let place: Place = format!("fd:{number}").parse().unwrap();
        place.claim(Whose::new("authorization value", "the key"), inheritance)
    }

    fn filled() -> PipeReader {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"a secret").unwrap();
        reader
    }

    #[test]
    fn a_descriptor_that_is_not_open_is_refused() {
        let refused = claim(UNUSED, &mut Inheritance::new()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "descriptor 987, with the authorization value of the key, was not inherited"
        );
        assert_eq!(
            refused.hint().unwrap(),
            "the program that starts this one must open the descriptor, as `3<authorization-value` does in a shell"
        );
    }

    #[test]
    fn a_descriptor_that_cannot_be_taken_over_says_why() {
        let why = WhyNot::Io(Errno::MFILE.into());
        let refused = NotClaimed::new(Whose::new("share", "alice"), 3, why);
        assert_eq!(
            refused.to_string(),
            "descriptor 3, with the share of alice, cannot be taken over"
        );
        assert!(refused.source().is_some());
        assert_eq!(refused.hint(), None);
    }

    /// What claiming itself opens is not taken for an inherited descriptor, though it has the lowest free number.
    #[test]
    fn a_descriptor_that_was_opened_since_is_refused() {
        let reader = filled();
        let mut inheritance = Inheritance::new();
        let first = inheritance.take(reader.as_raw_fd()).unwrap();
        let process = inheritance.process().unwrap().as_raw_fd();
        for own in [process, first.as_raw_fd()] {
            assert!(matches!(inheritance.take(own), Err(WhyNot::NotInherited)));
        }
    }

    /// The number keeps its meaning from the claim to the reading.
    #[test]
    fn a_claimed_descriptor_is_read_though_it_was_closed_since() {
        let reader = filled();
        let held = claim(reader.as_raw_fd(), &mut Inheritance::new()).unwrap();
        drop(reader);
        assert_eq!(held.read().unwrap().expose_secret(), b"a secret");
    }

    /// What a container's system call filter may leave.
    #[test]
    fn a_descriptor_can_also_be_opened_anew() {
        let mut text = String::new();
        let reader = filled();
        let mut reopened_pipe = reopened(reader.as_raw_fd()).unwrap();
        reopened_pipe.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a secret");
        assert!(matches!(reopened(UNUSED), Err(WhyNot::NotInherited)));
    }
}
