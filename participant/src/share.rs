//! `mcbn share new` and `mcbn share split`: fresh shares, in files that only their owner can read.
//!
//! A share is written to a new file and nowhere else: nothing is overwritten, and nothing of it is ever printed. Files
//! that were begun when something fails are removed. What is printed of a group's key is what its manifest says of it.

pub mod files;

use files::{Files, NotWritten};
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::process;
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_runtime::suite::Command;
use mcbn_share::fresh::{self, NotFresh};
use mcbn_share::shamir::{self, NotSplit};
use mcbn_share::{Derivation, Participant, Threshold, text};
use mcbn_threshold::{Group, KeyShare, NotDealt, generate};
use ring::rand::{SecureRandom, SystemRandom};
use std::error;
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;

pub const NEW: Command = Command {
    program: &NEW_PROGRAM,
    main: || process::once(&NEW_PROGRAM, |given| given.one(&OUT), new),
};

pub const SPLIT: Command = Command {
    program: &SPLIT_PROGRAM,
    main: || process::once(&SPLIT_PROGRAM, Split::read, split),
};

static NEW_PROGRAM: Program = Program::tool(
    "mcbn",
    env!("CARGO_PKG_VERSION"),
    "Makes a fresh share for a unanimous network. Each participant makes their own, and never shows it to anyone.",
    &[OUT],
)
.under("share new", crate::BESIDE);

static SPLIT_PROGRAM: Program = Program::tool(
    "mcbn",
    env!("CARGO_PKG_VERSION"),
    "Makes one share for each participant of a network with a threshold, of a fresh secret that nobody keeps. Whoever can \
     read as many of the files as the threshold says has the key: give each participant their own, and delete it here. \
     For bls-prf-v1 the lines that the manifest needs are printed; its participants stand in the order of these names.",
    &[THRESHOLD, DERIVATION, OUT_DIR, NAME],
)
.under("share split", crate::BESIDE);

const OUT: Setting = Setting::value(
    "out",
    "FILE",
    "the file that is made; one that exists is never overwritten",
)
.required();

const THRESHOLD: Setting = Setting::value(
    "threshold",
    "T",
    "how many shares give the key: 2 up to the number of names",
)
.required();

const DERIVATION: Setting = Setting::value(
    "derivation",
    "shamir-v1|bls-prf-v1",
    "what the shares are for: to be given to machines, or to sign with and keep",
)
.default("shamir-v1");

const OUT_DIR: Setting = Setting::value(
    "out-dir",
    "DIR",
    "the folder of the files, each named like its participant; it is made where there is none",
)
.required();

const NAME: Setting = Setting::operand(
    "name",
    "NAME",
    "a participant, as in the manifest; 2 to 255 of them",
)
.required()
.repeat();

fn new(out: PathBuf) -> Result<(), Error> {
    let share = fresh::share(random).map_err(Error::Fresh)?;
    let mut files = Files::default();
    files.add(out, &text::share_hex(&share))?;
    Ok(files.keep()?)
}

/// What shares of a threshold are for.
#[derive(Clone, Copy)]
enum Use {
    Shamir,
    Sign,
}

impl FromStr for Use {
    type Err = NotAUse;

    fn from_str(label: &str) -> Result<Use, NotAUse> {
        match label.parse() {
            Ok(Derivation::ShamirV1) => Ok(Use::Shamir),
            Ok(Derivation::BlsPrfV1) => Ok(Use::Sign),
            Ok(Derivation::BlsRevealV1) => Err(NotAUse::OthersSignature),
            _ => Err(NotAUse::NoThreshold),
        }
    }
}

enum NotAUse {
    NoThreshold,
    /// What such a key signs counts for others, who trust that nobody ever had it.
    OthersSignature,
}

impl Display for NotAUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotAUse::NoThreshold => "not a derivation with a threshold",
            NotAUse::OthersSignature => {
                "a key that signs for others is nobody's: `mcbn threshold generate` makes its shares"
            }
        })
    }
}

struct Split {
    threshold: Threshold,
    purpose: Use,
    folder: PathBuf,
    names: Vec<Participant>,
    /// Of the names.
    count: u8,
}

impl Split {
    fn read(given: &mut Given) -> Result<Split, Reported> {
        let threshold = given.one(&THRESHOLD);
        let purpose = given.one(&DERIVATION);
        let folder = given.one(&OUT_DIR);
        let names = names(given);
        let (threshold, (names, count)) = (threshold?, names?);
        if Threshold::get(threshold) > names.len() {
            return Err(given.refuse(&[&THRESHOLD], "more than there are names"));
        }
        Ok(Split {
            threshold,
            purpose: purpose?,
            folder: folder?,
            names,
            count,
        })
    }
}

fn names(given: &mut Given) -> Result<(Vec<Participant>, u8), Reported> {
    let names: Vec<Participant> = given.all(&NAME)?;
    let Ok(count @ 2..) = u8::try_from(names.len()) else {
        return Err(given.refuse(&[&NAME], "2 to 255 names are needed"));
    };
    match (1..names.len()).any(|i| names[..i].contains(&names[i])) {
        true => Err(given.refuse(&[&NAME], "one name stands twice")),
        false => Ok((names, count)),
    }
}

fn split(asked: Split) -> Result<(), Error> {
    let (texts, lines): (Vec<_>, _) = match asked.purpose {
        Use::Shamir => {
            let shares = shamir::deal(asked.threshold, asked.count, random);
            let shares = shares.map_err(Error::Deal)?;
            let texts = shares.iter().map(text::shamir_share_hex).collect();
            (texts, None)
        }
        Use::Sign => {
            let dealt = generate(asked.threshold, asked.count, random).map_err(Error::Generate)?;
            let shares = dealt.shares.iter().map(KeyShare::secret);
            let texts = shares.map(|share| text::signing_share_hex(&share));
            (texts.collect(), Some(lines(&dealt.group)))
        }
    };
    let mut files = Files::default();
    files.folder(&asked.folder)?;
    for (name, text) in asked.names.iter().zip(&texts) {
        files.add(asked.folder.join(name.as_str()), text)?;
    }
    if let Some(lines) = lines {
        let printed = io::stdout().lock().write_all(lines.as_bytes());
        printed.map_err(Error::Print)?;
    }
    Ok(files.keep()?)
}

/// As they stand in a manifest.
pub fn lines(group: &Group) -> String {
    let commitments = group.commitments().iter();
    let commitments: String = commitments.map(|key| format!("    \"{key}\",\n")).collect();
    let derivation = Derivation::BlsPrfV1;
    format!("derivation = \"{derivation}\"\ncommitments = [\n{commitments}]\n")
}

fn random(bytes: &mut [u8]) -> Result<(), NoRandom> {
    SystemRandom::new().fill(bytes).map_err(|_| NoRandom)
}

#[derive(Debug)]
struct NoRandom;

impl Display for NoRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the system gives none")
    }
}

impl error::Error for NoRandom {}

#[derive(Debug)]
enum Error {
    Fresh(NotFresh<NoRandom>),
    Deal(NotSplit<NoRandom>),
    Generate(NotDealt<NoRandom>),
    Print(io::Error),
    Write(NotWritten),
}

impl From<NotWritten> for Error {
    fn from(error: NotWritten) -> Error {
        Error::Write(error)
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Fresh(_) => f.write_str("cannot make a share"),
            Error::Deal(_) | Error::Generate(_) => f.write_str("cannot make the shares"),
            Error::Print(_) => f.write_str("cannot write to standard output"),
            Error::Write(error) => error.fmt(f),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Fresh(error) => Some(error),
            Error::Deal(error) => Some(error),
            Error::Generate(error) => Some(error),
            Error::Print(error) => Some(error),
            Error::Write(error) => error.source(),
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            // The numbers were checked; what is left is the system's source of random bytes.
            Error::Fresh(_) | Error::Deal(_) | Error::Generate(_) => Exit::Platform,
            Error::Print(error) => error.exit(),
            Error::Write(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Error::Fresh(_) | Error::Deal(_) | Error::Generate(_) | Error::Print(_) => None,
            Error::Write(error) => error.hint(),
        }
    }
}
