//! `mcbn threshold sign verify`: holds a signature against a message, without a server.

use super::error::Error;
use super::signers;
use super::subject::{MESSAGE, MessageConfig, SHA256};
use crate::manifest;
use crate::threshold::member::{MANIFEST, NotAgreedOn};
use crate::threshold::print;
use mcbn_runtime::process;
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_runtime::suite::Command;
use mcbn_threshold::Signature;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

pub const VERIFY: Command = Command {
    program: &PROGRAM,
    main: || process::once(&PROGRAM, Config::read, verify),
};

static PROGRAM: Program = Program::tool(
    crate::NAME,
    crate::VERSION,
    "Verifies a signature of a message with the key of the manifest's group. Needs no server. Prints the group's key.",
    &[MANIFEST, MESSAGE, SHA256, SIGNATURE],
)
.under("threshold sign verify", crate::BESIDE);

const SIGNATURE: Setting = Setting::value(
    "signature",
    "FILE",
    "the signature, as mcbn threshold sign approve prints it",
)
.required();

struct Config {
    manifest: PathBuf,
    message: MessageConfig,
    signature: PathBuf,
}

impl Config {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        let manifest = given.one(&MANIFEST);
        let message = MessageConfig::read(given);
        let signature = given.one(&SIGNATURE);
        Ok(Self {
            manifest: manifest?,
            message: message?,
            signature: signature?,
        })
    }
}

fn verify(config: Config) -> Result<(), Error> {
    let manifest = manifest::read(&config.manifest).map_err(NotAgreedOn::Manifest)?;
    let signers = signers(&manifest).map_err(NotAgreedOn::Terms)?;
    let message = config.message.message()?;
    let signature = read(&config.signature)?;
    let key = signers.group().key();
    let verified = key.verify(&message.signed(), &signature);
    verified.map_err(|_| Error::NotTheGroups)?;
    Ok(print(&format!("{key}\n"))?)
}

fn read(path: &Path) -> Result<Signature, Error> {
    /// Bytes of a file with white space around it.
    const LONGEST: u64 = 1024;
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut text));
    read.map_err(Error::SignatureUnreadable)?;
    let mut bytes = [0; Signature::LENGTH];
    match base16ct::mixed::decode(text.trim_ascii(), &mut bytes) {
        Ok(all) if all.len() == Signature::LENGTH => {
            Signature::from_bytes(&bytes).map_err(|_| Error::NotTheGroups)
        }
        _ => Err(Error::NotASignature),
    }
}
