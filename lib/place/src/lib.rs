//! Where a secret is read, `file:/run/shares/alice`, `fd:3`, and how one is written to a file.
//!
//! A secret never is a flag's or a variable's value: those are measured, logged and seen by the operator. A value that
//! was meant as the secret is not echoed here either, nor is a path, which could be one. What the bytes are is left to
//! the caller, who also says [`Whose`] secret it is, for the messages.
//!
//! Invariants, and the threat that each one answers:
//! - A descriptor is taken only where whoever started this program left it open: any other number is something of the
//!   program's own, such as another secret.
//! - No file is read that every user of the machine can read or write: one of them may have it, or have put it there.
//! - No more is read than a secret needs, and it is wiped after use.
//! - A file that is written was not there before, and is its owner's alone.
#![forbid(unsafe_code)]

mod inherited;
mod read;
mod whose;
mod written;

pub use inherited::{Inheritance, NotClaimed};
pub use read::{Held, LONGEST, Text, Unreadable};
pub use whose::Whose;
pub use written::{NotWritten, write_new};

use std::error::Error;
use std::fmt::{self, Display};
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::str::FromStr;

/// A file, or a descriptor that this process inherited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    File(PathBuf),
    Descriptor(RawFd),
}

impl Place {
    /// Holds the descriptor, if that is the place. Opens no file and reads nothing.
    ///
    /// This comes before the program starts a thread or opens anything itself: later, a number that was not inherited
    /// could be something of its own.
    ///
    /// # Errors
    ///
    /// The descriptor was not inherited, or cannot be taken over.
    pub fn claim(self, whose: Whose, inheritance: &mut Inheritance) -> Result<Held, NotClaimed> {
        match self.0 {
            Kind::File(path) => Ok(Held::of_file(whose, path)),
            Kind::Descriptor(number) => match inheritance.take(number) {
                Ok(file) => Ok(Held::of_descriptor(whose, number, file)),
                Err(why) => Err(NotClaimed::new(whose, number, why)),
            },
        }
    }
}

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Place, NotAPlace> {
        Ok(Place(match text.split_once(':') {
            Some(("file", "")) => return Err(NotAPlace::NoPath),
            Some(("file", path)) if path.contains('\0') => return Err(NotAPlace::NoPath),
            Some(("file", path)) => Kind::File(path.into()),
            Some(("fd", number)) => Kind::Descriptor(descriptor(number)?),
            _ => return Err(NotAPlace::Kind),
        }))
    }
}

fn descriptor(number: &str) -> Result<RawFd, NotAPlace> {
    match number.parse() {
        // Standard output and error are not read.
        Ok(1 | 2) => Err(NotAPlace::Descriptor),
        // One number, one spelling: not "+3", "-0" or "03".
        Ok(n) if RawFd::to_string(&n) == number && n >= 0 => Ok(n),
        _ => Err(NotAPlace::Descriptor),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAPlace {
    Kind,
    NoPath,
    Descriptor,
}

impl Display for NotAPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotAPlace::Kind => {
                "neither file:PATH nor fd:NUMBER; the secret itself is never given here"
            }
            NotAPlace::NoPath => "no path after file:",
            NotAPlace::Descriptor => "after fd: stands no number of a descriptor that can be read",
        })
    }
}

impl Error for NotAPlace {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_or_a_descriptor() {
        let file = "file:/run/shares/a=b:c".parse::<Place>();
        assert_eq!(file, Ok(Place(Kind::File("/run/shares/a=b:c".into()))));
        for (text, number) in [("fd:0", 0), ("fd:3", 3), ("fd:1023", 1023)] {
            assert_eq!(text.parse(), Ok(Place(Kind::Descriptor(number))));
        }
    }

    #[test]
    fn another_form_is_refused() {
        for (text, error) in [
            ("", NotAPlace::Kind),
            ("/run/key", NotAPlace::Kind),
            ("env:KEY", NotAPlace::Kind),
            ("FILE:/run/key", NotAPlace::Kind),
            (" file:/run/key", NotAPlace::Kind),
            ("file:", NotAPlace::NoPath),
            ("file:/run\0", NotAPlace::NoPath),
            ("fd:", NotAPlace::Descriptor),
            ("fd:1", NotAPlace::Descriptor),
            ("fd:2", NotAPlace::Descriptor),
            ("fd:-1", NotAPlace::Descriptor),
            ("fd:-0", NotAPlace::Descriptor),
            ("fd:+3", NotAPlace::Descriptor),
            ("fd:03", NotAPlace::Descriptor),
            ("fd: 3", NotAPlace::Descriptor),
            ("fd:99999999999", NotAPlace::Descriptor),
        ] {
            assert_eq!(text.parse::<Place>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_secret_in_place_of_a_place_is_refused_and_not_echoed() {
        let secret = "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90";
        for text in [secret.into(), format!("fd:{secret}")] {
            let message = text.parse::<Place>().unwrap_err().to_string();
            assert!(!message.contains("2c6f"), "{message}");
        }
    }
}
