//! The key for stacks that must hold it themselves.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use mcbn_detrsa::{RsaKey, export};
use mcbn_runtime::settings::{Given, Reported, Setting};

use crate::error::Error;
use crate::file::{self, Readers};

/// No operator's: an image in production cannot be made to give its key away.
pub const INSECURE_EXPORT_PRIVATE_KEY: Setting = Setting::value(
    "insecure-export-private-key",
    "PATH",
    "write the private key to this new file of mode 0600, or to standard output for -, and end: whoever has it needs \
     nobody's consent any more, and none can be withdrawn",
);

pub const FORMAT: Setting = Setting::value(
    "export-format",
    "FORMAT",
    "of the exported key: pem or der, both PKCS#8",
)
.default("pem");

/// What the key is written as, and where.
#[derive(Clone, Debug)]
pub struct Export {
    to: PathBuf,
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    Pem,
    Der,
}

impl Export {
    /// None where no key is to be exported.
    pub fn read(given: &mut Given) -> Result<Option<Self>, Reported> {
        let to = given.optional(&INSECURE_EXPORT_PRIVATE_KEY);
        let format_is_given = given.is_given(&FORMAT);
        let format = given.one(&FORMAT);
        match (to?, format?) {
            (Some(to), format) => Ok(Some(Self { to, format })),
            (None, _) if format_is_given => Err(given.refuse(
                &[&FORMAT],
                "there is no --insecure-export-private-key that it could apply to",
            )),
            (None, _) => Ok(None),
        }
    }

    pub fn write(self, key: &RsaKey) -> Result<(), Error> {
        let written = match self.format {
            Format::Pem => {
                let text = export::pkcs8_pem(key).map_err(Error::Export)?;
                file::write(&self.to, Readers::Owner, &text)
            }
            // To write it out: that is what was asked for.
            Format::Der => file::write(&self.to, Readers::Owner, key.pkcs8_der().expose_secret()),
        };
        written.map_err(|error| Error::Write(self.to, error))
    }
}

impl FromStr for Format {
    type Err = NotAFormat;

    fn from_str(text: &str) -> Result<Self, NotAFormat> {
        match text {
            "pem" => Ok(Self::Pem),
            "der" => Ok(Self::Der),
            _ => Err(NotAFormat),
        }
    }
}

struct NotAFormat;

impl fmt::Display for NotAFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not pem or der")
    }
}
