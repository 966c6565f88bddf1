//! `mcbn threshold verify` and `mcbn threshold finish`: a receipt that somebody has, held against what was agreed.

use super::agreed::{Agreed, AgreedConfig, PURPOSE};
use super::folder::{Folder, NotKept};
use super::member::{MANIFEST, NotAgreedOn, PARTICIPANT};
use super::own_share::{self, NotOwnShare, own_share};
use super::{error, print};
use crate::share;
use mcbn_ceremony::generation::Receipt;
use mcbn_ceremony::message::{GivenReceipt, LARGEST_BODY, read};
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::process;
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_runtime::suite::Command;
use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub const VERIFY: Command = Command {
    program: &VERIFY_PROGRAM,
    main: || process::once(&VERIFY_PROGRAM, Verify::read, verify),
};

pub const FINISH: Command = Command {
    program: &FINISH_PROGRAM,
    main: || process::once(&FINISH_PROGRAM, Finish::read, finish),
};

static VERIFY_PROGRAM: Program = Program::tool(
    crate::NAME,
    crate::VERSION,
    "Verifies the receipt of a key generation against the manifest and the purpose: every participant has confirmed this \
     group. With a share, that it is this participant's in it. Prints the group's key.",
    &[MANIFEST, PARTICIPANT, PURPOSE, RECEIPT, SHARE],
)
.under("threshold verify", crate::BESIDE);

static FINISH_PROGRAM: Program = Program::tool(
    crate::NAME,
    crate::VERSION,
    "Ends a key generation whose server is gone with the receipt of another participant: the share that waits in the folder \
     counts from then on. Prints the group's key.",
    &[MANIFEST, PARTICIPANT, PURPOSE, RECEIPT, OUT_DIR],
)
.under("threshold finish", crate::BESIDE);

const RECEIPT: Setting = Setting::value(
    "receipt",
    "FILE",
    "the receipt, as mcbn threshold generate keeps it; another participant's is as good",
)
.required();

const SHARE: Setting = Setting::value("share", "FILE", "the participant's share");

const OUT_DIR: Setting = Setting::value(
    "out-dir",
    "DIR",
    "the folder that was given to mcbn threshold generate",
)
.required();

struct Verify {
    agreed: AgreedConfig,
    receipt: PathBuf,
    share: Option<PathBuf>,
}

impl Verify {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        let agreed = AgreedConfig::read(given);
        let receipt = given.one(&RECEIPT);
        let share = given.optional(&SHARE);
        Ok(Self {
            agreed: agreed?,
            receipt: receipt?,
            share: share?,
        })
    }
}

struct Finish {
    agreed: AgreedConfig,
    receipt: PathBuf,
    folder: PathBuf,
}

impl Finish {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        let agreed = AgreedConfig::read(given);
        let receipt = given.one(&RECEIPT);
        let folder = given.one(&OUT_DIR);
        Ok(Self {
            agreed: agreed?,
            receipt: receipt?,
            folder: folder?,
        })
    }
}

fn verify(asked: Verify) -> Result<(), Error> {
    let agreed = asked.agreed.agreed()?;
    let (receipt, _) = receipt(&agreed, &asked.receipt)?;
    if let Some(path) = asked.share {
        own_share(&path, receipt.group().group(), agreed.expected.index)?;
    }
    show(&receipt)
}

fn finish(asked: Finish) -> Result<(), Error> {
    let agreed = asked.agreed.agreed()?;
    let (receipt, written) = receipt(&agreed, &asked.receipt)?;
    let folder = Folder::open(asked.folder).map_err(Error::Folder)?;
    let share = folder.unconfirmed_share().map_err(Error::Folder)?;
    own_share::check(&share, receipt.group().group(), agreed.expected.index)?;
    folder.finish(&written).map_err(Error::Folder)?;
    show(&receipt)
}

/// One that proves itself, of what was agreed; and as it was written.
fn receipt(agreed: &Agreed, path: &Path) -> Result<(Receipt, Vec<u8>), Error> {
    let written = bounded(path).map_err(|error| Error::Unreadable(path.to_owned(), error))?;
    let given: GivenReceipt = read(&written).map_err(|_| Error::NotAReceipt)?;
    let receipt = given.receipt().map_err(|_| Error::NotAReceipt)?;
    let announced = receipt.announced();
    let expected = &agreed.expected;
    match announced.terms == expected.terms && announced.purpose == expected.purpose {
        true => Ok((receipt, written)),
        false => Err(Error::Other),
    }
}

fn show(receipt: &Receipt) -> Result<(), Error> {
    Ok(print(&share::lines(receipt.group().group()))?)
}

fn bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more shows that there is too much.
    File::open(path)?
        .take(LARGEST_BODY as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[derive(Debug)]
enum Error {
    TakingPart(error::Error),
    Folder(NotKept),
    Unreadable(PathBuf, io::Error),
    /// It does not prove itself.
    NotAReceipt,
    /// It is genuine, and of something else than was agreed.
    Other,
    Share(NotOwnShare),
}

impl From<error::Error> for Error {
    fn from(error: error::Error) -> Self {
        Self::TakingPart(error)
    }
}

impl From<NotAgreedOn> for Error {
    fn from(error: NotAgreedOn) -> Self {
        Self::TakingPart(error.into())
    }
}

impl From<NotOwnShare> for Error {
    fn from(error: NotOwnShare) -> Self {
        Self::Share(error)
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakingPart(error) => error.fmt(f),
            Self::Folder(error) => error.fmt(f),
            Self::Unreadable(path, _) => {
                let path = path.to_string_lossy();
                write!(f, "cannot read {}", path.escape_debug())
            }
            Self::NotAReceipt => {
                f.write_str("the file holds no receipt that all participants have confirmed")
            }
            Self::Other => f.write_str("the receipt is of another manifest or purpose"),
            Self::Share(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::TakingPart(error) => error.source(),
            Self::Folder(error) => error.source(),
            Self::Unreadable(_, error) => Some(error),
            Self::Share(error) => error.source(),
            Self::NotAReceipt | Self::Other => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::TakingPart(error) => error.exit(),
            Self::Folder(error) => error.exit(),
            Self::Unreadable(_, error) => error.exit(),
            Self::Share(error) => error.exit(),
            Self::NotAReceipt | Self::Other => Exit::Refused,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::TakingPart(error) => error.hint(),
            Self::Folder(error) => error.hint(),
            Self::Share(error) => error.hint(),
            _ => None,
        }
    }
}
