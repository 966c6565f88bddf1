//! `mcbn manifest check`: reads a manifest as keepers and workloads do, and shows what it says.
//!
//! It is for people who are about to agree: the digest is what they compare, and every demand is shown, those too that
//! the manifest does not make.

mod summary;

use mcbn_manifest::{Manifest, Mistakes};
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::process;
use mcbn_runtime::settings::{Program, Setting};
use mcbn_runtime::suite::Command;
use std::error;
use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use summary::Summary;

pub const CHECK: Command = Command {
    program: &PROGRAM,
    main: || process::once(&PROGRAM, |given| given.one(&FILE), check),
};

static PROGRAM: Program = Program::tool(
    "mcbn",
    env!("CARGO_PKG_VERSION"),
    "Shows what a consent manifest says and its digest, or every mistake in it. Whoever has a file of the same digest \
     has agreed to the same words.",
    &[FILE],
)
.under("manifest check", crate::BESIDE);

const FILE: Setting = Setting::operand("file", "FILE", "the manifest").required();

fn check(file: PathBuf) -> Result<(), Error> {
    let manifest = read(&file).map_err(Error::Read)?;
    let text = Summary(&manifest).to_string();
    let printed = io::stdout().lock().write_all(text.as_bytes());
    printed.map_err(Error::Print)
}

/// # Errors
///
/// The file cannot be read, or holds no manifest.
pub fn read(file: &Path) -> Result<Manifest, NotRead> {
    let mut bytes = Vec::new();
    // One byte of room shows that there is too much.
    let most = Manifest::MAX_LEN as u64 + 1;
    File::open(file)
        .and_then(|opened| opened.take(most).read_to_end(&mut bytes))
        .map_err(NotRead::Unreadable)?;
    Manifest::parse(&bytes).map_err(|mistakes| NotRead::Mistaken {
        file: file.to_owned(),
        mistakes,
    })
}

/// Whoever named or wrote the file is at fault.
#[derive(Debug)]
pub enum NotRead {
    Unreadable(io::Error),
    Mistaken { file: PathBuf, mistakes: Mistakes },
}

impl Display for NotRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotRead::Unreadable(_) => f.write_str("cannot read the manifest"),
            NotRead::Mistaken { file, mistakes } => {
                // Files are named by whoever made them, too.
                let file = file.to_string_lossy();
                for (i, mistake) in mistakes.iter().enumerate() {
                    let separator = if i == 0 { "" } else { "\n" };
                    write!(f, "{separator}{}:{mistake}", file.escape_debug())?;
                }
                Ok(())
            }
        }
    }
}

impl error::Error for NotRead {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            NotRead::Unreadable(error) => Some(error),
            NotRead::Mistaken { .. } => None,
        }
    }
}

impl Failure for NotRead {
    fn exit(&self) -> Exit {
        match self {
            NotRead::Unreadable(error) => error.exit(),
            NotRead::Mistaken { .. } => Exit::Usage,
        }
    }
}

#[derive(Debug)]
enum Error {
    Read(NotRead),
    Print(io::Error),
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Read(error) => error.fmt(f),
            Error::Print(_) => f.write_str("cannot write to standard output"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Read(error) => error.source(),
            Error::Print(error) => Some(error),
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Error::Read(error) => error.exit(),
            Error::Print(error) => error.exit(),
        }
    }
}
