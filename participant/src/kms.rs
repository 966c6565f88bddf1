//! `mcbn kms import-wrap`: a private key that was made here, wrapped so that only Cloud KMS can open it.
//!
//! The way is [RSA-OAEP-AES-256](https://docs.cloud.google.com/kms/docs/key-wrapping): a fresh AES key, encrypted to the
//! import job's public key, and the private key wrapped with that. Nothing is sent from here: what is written goes to
//! `gcloud kms keys versions import --wrapped-key-file`.
//!
//! The private key is read from a file that only its owner can open, and wiped; it is never printed.

mod wrap;

use crate::secret_file::{self, Unreadable};
use crate::share::files::{Files, NotWritten};
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::process;
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_runtime::suite::Command;
use std::error;
use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use wrap::{Job, NotAJob, NotAKey, PrivateKey};

pub const IMPORT_WRAP: Command = Command {
    program: &PROGRAM,
    main: || process::once(&PROGRAM, Asked::read, import_wrap),
};

static PROGRAM: Program = Program::tool(
    "mcbn",
    env!("CARGO_PKG_VERSION"),
    "Wraps a private key for an import job of Cloud KMS whose method is rsa-oaep-3072-sha256-aes-256 or \
     rsa-oaep-4096-sha256-aes-256. Only Cloud KMS opens the file that is made: hand it to gcloud kms keys versions import \
     as its --wrapped-key-file. The key that was read is still where it was; delete it there.",
    &[KEY, JOB, OUT],
)
.under("kms import-wrap", crate::BESIDE);

const KEY: Setting = Setting::value(
    "key",
    "FILE",
    "the private key, PKCS #8 in PEM or DER: RSA of 2048, 3072 or 4096 bits, P-256 or P-384; only its owner can open the \
     file",
)
.required();

const JOB: Setting = Setting::value(
    "job-key",
    "FILE",
    "the public key of the import job, PEM, as gcloud kms import-jobs describe gives it",
)
.required();

const OUT: Setting = Setting::value(
    "out",
    "FILE",
    "the file that is made; one that exists is never overwritten",
)
.required();

/// Bytes of the largest file that is read as a key: more than a key of 4096 bits has in PEM.
const LONGEST: usize = 8192;

struct Asked {
    key: PathBuf,
    job: PathBuf,
    out: PathBuf,
}

impl Asked {
    fn read(given: &mut Given) -> Result<Asked, Reported> {
        let key = given.one(&KEY);
        let job = given.one(&JOB);
        let out = given.one(&OUT);
        Ok(Asked {
            key: key?,
            job: job?,
            out: out?,
        })
    }
}

fn import_wrap(asked: Asked) -> Result<(), Error> {
    let job = read(&asked.job).map_err(|error| Error::Job(asked.job.clone(), error))?;
    let job = Job::parse(&job).map_err(|error| Error::NotAJob(asked.job, error))?;
    let key = secret_file::read(&asked.key, LONGEST);
    let key = key.map_err(|error| Error::Key(asked.key.clone(), error))?;
    let key = PrivateKey::parse(&key).map_err(|error| Error::NotAKey(asked.key, error))?;
    let wrapped = wrap::wrap(&key, &job).map_err(|_| Error::Wrap)?;
    let mut files = Files::default();
    files.add_bytes(asked.out, &wrapped)?;
    Ok(files.keep()?)
}

/// A file that is no secret.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LONGEST as u64)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[derive(Debug)]
enum Error {
    Job(PathBuf, io::Error),
    NotAJob(PathBuf, NotAJob),
    Key(PathBuf, Unreadable),
    NotAKey(PathBuf, NotAKey),
    /// No random bytes, or a bug.
    Wrap,
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
            Error::Job(path, _) => write!(f, "cannot read {}", path.display()),
            Error::NotAJob(path, why) => write!(f, "{}: {why}", path.display()),
            Error::Key(path, Unreadable::Io(_)) => write!(f, "cannot read {}", path.display()),
            Error::Key(path, Unreadable::OpenToOthers) => {
                write!(f, "others can open {}", path.display())
            }
            Error::Key(path, Unreadable::TooLong) => {
                write!(f, "{} is too long for a key", path.display())
            }
            Error::NotAKey(path, why) => write!(f, "{}: {why}", path.display()),
            Error::Wrap => f.write_str("cannot wrap the key"),
            Error::Write(error) => error.fmt(f),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Job(_, error) | Error::Key(_, Unreadable::Io(error)) => Some(error),
            Error::Write(error) => error.source(),
            Error::NotAJob(..) | Error::Key(..) | Error::NotAKey(..) | Error::Wrap => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Error::Job(_, error) | Error::Key(_, Unreadable::Io(error)) => error.exit(),
            Error::NotAJob(..) | Error::Key(..) | Error::NotAKey(..) => Exit::Refused,
            Error::Wrap => Exit::Platform,
            Error::Write(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Error::NotAJob(..) => Some(
                "gcloud kms import-jobs describe JOB --format='value(publicKey.pem)' gives the job's key"
                    .into(),
            ),
            Error::Key(path, Unreadable::OpenToOthers) => {
                Some(format!("run chmod 600 {}", path.display()))
            }
            Error::Write(error) => error.hint(),
            Error::Job(..) | Error::Key(..) | Error::NotAKey(..) | Error::Wrap => None,
        }
    }
}
