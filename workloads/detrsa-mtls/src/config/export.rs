//! The key for stacks that must hold it themselves.

use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::str::FromStr;

use mcbn_detrsa::RsaKey;
use mcbn_detrsa::export::{self, Passphrase};
use mcbn_mtls::settings::CertificateConfig;
use mcbn_runtime::settings::{Given, Reported, Setting};

use crate::error::Error;

/// No operator's: an image in production cannot be made to give its key away.
pub const INSECURE_EXPORT_PRIVATE_KEY: Setting = Setting::value(
    "insecure-export-private-key",
    "PATH",
    "write the private key to this new file of mode 0600, and end: whoever has it needs nobody's consent any more, and \
     none can be withdrawn",
);

pub const FORMAT: Setting = Setting::value(
    "export-format",
    "FORMAT",
    "of the exported key: pem or pkcs8 (in DER), neither encrypted, or pkcs12, with a certificate",
)
.default("pem");

pub const PASSPHRASE: Setting = Setting::value(
    "export-passphrase",
    "PATH",
    "the file whose one line encrypts an exported pkcs12",
);

/// The entry's name in a PKCS#12 file, an alias for `keytool`.
const ENTRY: &str = "detrsa-mtls";

/// What the key is written as, and where.
#[derive(Debug)]
pub struct Export {
    to: PathBuf,
    format: Format,
}

#[derive(Debug)]
enum Format {
    Pem,
    Pkcs8,
    Pkcs12 {
        passphrase: Passphrase,
        certificate: CertificateConfig,
    },
}

/// What was asked for, before its own settings are read.
#[derive(Debug)]
pub struct Asked {
    to: PathBuf,
    format: Label,
}

impl Asked {
    /// None where no key is to be exported.
    pub fn read(given: &mut Given) -> Result<Option<Self>, Reported> {
        let to = given.optional(&INSECURE_EXPORT_PRIVATE_KEY);
        let format_is_given = given.is_given(&FORMAT);
        let passphrase_is_given = given.is_given(&PASSPHRASE);
        let format = given.one(&FORMAT);
        match (to?, format?) {
            (Some(to), format) => Ok(Some(Self { to, format })),
            (None, _) if format_is_given || passphrase_is_given => Err(given.refuse(
                &[&FORMAT, &PASSPHRASE],
                "there is no --insecure-export-private-key that it could apply to",
            )),
            (None, _) => Ok(None),
        }
    }

    pub fn has_certificate(&self) -> bool {
        self.format == Label::Pkcs12
    }

    /// Also reads the passphrase.
    pub fn settled(self, given: &mut Given) -> Result<Export, Reported> {
        let format = match self.format {
            Label::Pkcs12 => {
                let passphrase = read_passphrase(given);
                let certificate = CertificateConfig::read(given);
                Format::Pkcs12 {
                    passphrase: passphrase?,
                    certificate: certificate?,
                }
            }
            _ if given.is_given(&PASSPHRASE) => {
                return Err(given.refuse(&[&PASSPHRASE], "for --export-format pkcs12 only"));
            }
            Label::Pem => Format::Pem,
            Label::Pkcs8 => Format::Pkcs8,
        };
        Ok(Export {
            to: self.to,
            format,
        })
    }
}

fn read_passphrase(given: &mut Given) -> Result<Passphrase, Reported> {
    let Some(path) = given.optional::<PathBuf>(&PASSPHRASE)? else {
        return Err(given.refuse(&[&PASSPHRASE], "pkcs12 needs it"));
    };
    let file = File::open(path).map_err(|error| {
        given.refuse(
            &[&PASSPHRASE],
            format_args!("cannot open the file: {error}"),
        )
    })?;
    Passphrase::read(file).map_err(|error| given.refuse(&[&PASSPHRASE], error))
}

impl Export {
    pub fn write(self, key: RsaKey) -> Result<(), Error> {
        let exported = match self.format {
            Format::Pem => export::pem(&key).map_err(Error::Key)?,
            Format::Pkcs8 => export::pkcs8(&key),
            Format::Pkcs12 {
                passphrase,
                certificate,
            } => {
                let (credentials, _) = crate::run::credentials(&key, certificate)?;
                let chain = credentials.chain();
                let leaf = chain.first().map_or(&[][..], |leaf| leaf.as_ref());
                export::pkcs12(&key, leaf, ENTRY, &passphrase).map_err(Error::Export)?
            }
        };
        // It is what the operator asked for.
        mcbn_place::write_new(&self.to, exported.expose_secret()).map_err(Error::NotWritten)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Label {
    Pem,
    Pkcs8,
    Pkcs12,
}

impl FromStr for Label {
    type Err = NotAFormat;

    fn from_str(text: &str) -> Result<Self, NotAFormat> {
        match text {
            "pem" => Ok(Self::Pem),
            "pkcs8" => Ok(Self::Pkcs8),
            "pkcs12" => Ok(Self::Pkcs12),
            _ => Err(NotAFormat),
        }
    }
}

struct NotAFormat;

impl fmt::Display for NotAFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not pem, pkcs8 or pkcs12")
    }
}
