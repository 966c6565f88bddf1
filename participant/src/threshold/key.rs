//! `mcbn threshold key`: the key that a participant approves with.

use crate::key_file::{self, Kind, NoKey};
use mcbn_ceremony::approval::SigningKey;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::process;
use mcbn_runtime::settings::{Program, Setting};
use mcbn_runtime::suite::Command;
use std::error;
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::path::PathBuf;

pub const KEY: Command = Command {
    program: &PROGRAM,
    main: || process::once(&PROGRAM, |given| given.one(&OUT), make),
};

static PROGRAM: Program = Program::tool(
    crate::NAME,
    crate::VERSION,
    "Makes the key that a participant approves with in a new file, and prints its public half, the signing-key of the \
     manifest.",
    &[OUT],
)
.under("threshold key", crate::BESIDE);

const OUT: Setting = Setting::value("out", "FILE", "the new file").required();

fn make(path: PathBuf) -> Result<(), Error> {
    let pair = key_file::create(&path, Kind::Signing).map_err(Error::Key)?;
    let key = SigningKey::from_pkcs8(&pair.serialize_der()).expect("it was just made");
    let public = mcbn_manifest::SigningKey(key.public().to_bytes());
    let printed = writeln!(io::stdout().lock(), "{public}");
    printed.map_err(Error::Print)
}

#[derive(Debug)]
enum Error {
    Key(NoKey),
    Print(io::Error),
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(error) => error.fmt(f),
            Self::Print(_) => f.write_str("cannot write to standard output"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Key(error) => error.source(),
            Self::Print(error) => Some(error),
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Key(error) => error.exit(),
            Self::Print(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Key(error) => error.hint().map(str::to_owned),
            Self::Print(_) => None,
        }
    }
}
