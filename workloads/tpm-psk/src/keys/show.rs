//! `tpm-psk key show`.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

use mcbn_runtime::process;
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_runtime::suite::Command;
use mcbn_tpm::KeyFile;

use super::BESIDE;
use crate::error::Error;
use crate::key::read_key_file;

pub const SHOW: Command = Command {
    program: &PROGRAM,
    main: || process::once(&PROGRAM, Show::read, show),
};

static PROGRAM: Program = Program::tool(
    "tpm-psk",
    env!("CARGO_PKG_VERSION"),
    "Shows what the file of a permanent key says of it. No TPM is asked, and nothing that is shown is secret.",
    ROWS,
)
.under("key show", BESIDE);

pub const ROWS: &[Setting] = &[FILE];

const FILE: Setting =
    Setting::operand("file", "FILE", "the key's file: PEM, TSS2 PRIVATE KEY").required();

struct Show {
    file: PathBuf,
}

impl Show {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        let file = given.one(&FILE);
        Ok(Self { file: file? })
    }
}

fn show(show: Show) -> Result<(), Error> {
    let text = table(&read_key_file(&show.file)?);
    let printed = io::stdout().lock().write_all(text.as_bytes());
    printed.map_err(Error::Print)
}

fn table(key: &KeyFile) -> String {
    let attributes: Vec<&str> = key.public.attributes().collect();
    let sealed = match &key.policy {
        Some(policy) => policy.pcrs.to_string(),
        None => "no PCRs".into(),
    };
    let auth = match &key.policy {
        Some(policy) if policy.with_auth => "needed",
        Some(_) => "not needed",
        None if key.empty_auth => "not needed, says the file",
        None => "needed, says the file, unless tpm2-tools wrote it",
    };
    let rows = [
        ("name", key.public.name().to_string()),
        ("algorithm", "HMAC with SHA-256".into()),
        ("parent", key.parent.to_string()),
        ("attributes", attributes.join(" ")),
        ("sealed to", sealed),
        ("authorization value", auth.into()),
    ];
    let mut table = String::new();
    for (name, value) in rows {
        let _ = writeln!(table, "{name:20} {value}");
    }
    table
}
