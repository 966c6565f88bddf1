//! `mcbn token show`: what a token claims, and what a manifest would say of it.
//!
//! For people who ask why a machine was refused, or what one would be asked for. Nothing is verified here: no key is
//! fetched, no challenge was given. Only a keeper can tell whether a token is genuine, and for whom.

mod table;

use crate::manifest::{self, NotRead};
use mcbn_attest::{Demand, TokenFault, Unverified, examine};
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::process;
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_runtime::suite::Command;
use std::error;
use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use table::{Claims, Table};

pub const SHOW: Command = Command {
    program: &PROGRAM,
    main: || process::once(&PROGRAM, Show::read, show),
};

static PROGRAM: Program = Program::tool(
    "mcbn",
    env!("CARGO_PKG_VERSION"),
    "Shows what an attestation token claims or, beside a manifest, what it says to each demand. Nothing is verified: \
     whoever wrote the file may have made it up.",
    &[FILE, MANIFEST],
)
.under("token show", crate::BESIDE);

const FILE: Setting =
    Setting::operand("file", "FILE", "the token, as the token service gives it").required();

const MANIFEST: Setting = Setting::value(
    "manifest",
    "FILE",
    "a consent manifest whose demands the token is held against",
);

struct Show {
    file: PathBuf,
    manifest: Option<PathBuf>,
}

impl Show {
    fn read(given: &mut Given) -> Result<Show, Reported> {
        let (file, manifest) = (given.one(&FILE), given.optional(&MANIFEST));
        Ok(Show {
            file: file?,
            manifest: manifest?,
        })
    }
}

fn show(show: Show) -> Result<(), Error> {
    let token = read(&show.file)?;
    let Some(manifest) = &show.manifest else {
        return print(Claims(token.insecure_payload()));
    };
    let manifest = manifest::read(manifest).map_err(Error::Manifest)?;
    let report = examine(token.insecure_claims(), token.kind(), &manifest);
    print(Table(token.insecure_claims(), &report))?;
    let failed: Vec<Demand> = report.failed().collect();
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Error::Fails(failed)),
    }
}

fn read(file: &Path) -> Result<Unverified, Error> {
    let mut text = String::new();
    // A line feed at the end, and one byte of room that shows that there is too much.
    let most = Unverified::MAX_LEN as u64 + 2;
    File::open(file)
        .and_then(|opened| opened.take(most).read_to_string(&mut text))
        .map_err(Error::Unreadable)?;
    Unverified::parse(text.strip_suffix('\n').unwrap_or(&text)).map_err(Error::Token)
}

fn print(text: impl Display) -> Result<(), Error> {
    let printed = io::stdout().lock().write_all(text.to_string().as_bytes());
    printed.map_err(Error::Print)
}

/// Sorted by who is at fault: whoever named the file, wrote the manifest, made the token or runs the machine.
#[derive(Debug)]
enum Error {
    Unreadable(io::Error),
    Manifest(NotRead),
    Token(TokenFault),
    Fails(Vec<Demand>),
    Print(io::Error),
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unreadable(_) => f.write_str("cannot read the token"),
            Error::Manifest(error) => error.fmt(f),
            Error::Token(fault) => fault.fmt(f),
            Error::Fails(demands) => {
                let names: Vec<&str> = demands.iter().map(|demand| demand.as_str()).collect();
                write!(f, "the token does not meet {}", names.join(", "))
            }
            Error::Print(_) => f.write_str("cannot write to standard output"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Unreadable(error) | Error::Print(error) => Some(error),
            Error::Manifest(error) => error.source(),
            Error::Token(_) | Error::Fails(_) => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            // It is not text, and so no token either.
            Error::Unreadable(error) if error.kind() == io::ErrorKind::InvalidData => Exit::Refused,
            Error::Unreadable(error) | Error::Print(error) => error.exit(),
            Error::Manifest(error) => error.exit(),
            Error::Token(_) | Error::Fails(_) => Exit::Refused,
        }
    }
}
