//! `kms-mtls decrypt`: AsymmetricDecrypt, by a key for RSA-OAEP.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use mcbn_gcp::SecretBytes;
use mcbn_kms::settings::{self as kms, KmsConfig};
use mcbn_place::write_new;
use mcbn_runtime::process;
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_runtime::suite::Command;

use crate::error::Error;

pub const COMMANDS: &[Command] = &[Command {
    program: &PROGRAM,
    main: || process::once(&PROGRAM, Decrypt::read, decrypt),
}];

static PROGRAM: Program = Program::tool(
    "kms-mtls",
    env!("CARGO_PKG_VERSION"),
    "Has Cloud KMS decrypt what was encrypted to the public key of a version for RSA-OAEP. What comes back is a secret: it \
     goes to standard output as it is, or to a new file that is its owner's alone.",
    ROWS,
)
.under("decrypt", &[crate::config::ROWS_OF_RUN]);

const ROWS: &[Setting] = &[
    CIPHERTEXT,
    OUT,
    kms::KEY,
    kms::PROTECTION_LEVEL,
    kms::KMS_TIMEOUT,
    kms::GOOGLE_CREDENTIALS,
    kms::TOKEN_SOCKET,
    kms::STS_ENDPOINT,
    kms::KMS_ENDPOINT,
];

const CIPHERTEXT: Setting = Setting::operand(
    "ciphertext",
    "FILE",
    "the ciphertext, as bytes; without it, or for -, standard input",
);

const OUT: Setting = Setting::value(
    "out",
    "PATH",
    "the plaintext's file, which gets mode 0600; one that is there is never overwritten. Without it, standard output",
);

struct Decrypt {
    ciphertext: Option<PathBuf>,
    out: Option<PathBuf>,
    kms: KmsConfig,
}

impl Decrypt {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        let ciphertext = given.optional::<PathBuf>(&CIPHERTEXT);
        let out = given.optional(&OUT);
        let kms = KmsConfig::read(given);
        Ok(Self {
            ciphertext: ciphertext?.filter(|path| path != Path::new("-")),
            out: out?,
            kms: kms?,
        })
    }
}

fn decrypt(decrypt: Decrypt) -> Result<(), Error> {
    let ciphertext = read(decrypt.ciphertext.as_deref())?;
    let plaintext = plaintext(&decrypt.kms, &ciphertext)?;
    match decrypt.out {
        // It is what the operator asked for.
        Some(path) => write_new(&path, plaintext.expose_secret()).map_err(Error::NotWritten),
        None => {
            let mut out = io::stdout().lock();
            // It is what the operator asked for.
            let printed = out.write_all(plaintext.expose_secret());
            printed.and_then(|()| out.flush()).map_err(Error::Print)
        }
    }
}

fn plaintext(kms: &KmsConfig, ciphertext: &[u8]) -> Result<SecretBytes, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    runtime.block_on(async {
        let client = kms.google(None).kms();
        let asked = client.asymmetric_decrypt(&kms.key, ciphertext, kms.protection);
        asked.await.map_err(Error::Decrypt)
    })
}

/// No key's ciphertext is longer than the key, 512 bytes.
const LONGEST: u64 = 64 * 1024;

fn read(path: Option<&Path>) -> Result<Vec<u8>, Error> {
    let failed = |error| Error::Ciphertext(path.map(Path::to_owned), error);
    let mut ciphertext = Vec::new();
    let read = match path {
        Some(path) => {
            File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut ciphertext))
        }
        None => io::stdin().take(LONGEST).read_to_end(&mut ciphertext),
    };
    read.map_err(failed)?;
    Ok(ciphertext)
}
