//! The commands of `oci`: one table of what can be typed, one function a command.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::{self, Write};
use std::fs;
use std::path::{Path, PathBuf};

use crate::assemble::{Recipe, assemble};
use crate::cargo_lock::CargoLock;
use crate::cli::{Command, Flag, Mistake, Times, Typed};
use crate::diff::diff;
use crate::error::Error;
use crate::facts::Facts;
use crate::image::Image;
use crate::launch_policy::LogRedirect;
use crate::layout;
use crate::lock::{Lock, Pin};
use crate::name::Name;
use crate::promise::promise;
use crate::sbom::{self, Linked};
use crate::settings::Settings;
use crate::stored::Stored;
use crate::verify::Table;

const OUT_FILE: Flag = Flag {
    name: "--out",
    value: "FILE",
    times: Times::Once,
    about: "the file to write",
};
const SETTINGS: Flag = Flag {
    name: "--settings",
    value: "FILE",
    times: Times::Once,
    about: "what the program prints for --settings",
};
const LICENSES: Flag = Flag {
    name: "--licenses",
    value: "SPDX",
    times: Times::Once,
    about: "the program's own licence, an SPDX expression",
};
const LAYOUT: (&str, Times) = ("LAYOUT", Times::Once);
const LAYOUTS: (&str, Times) = ("LAYOUT", Times::AtLeastOnce);

const ASSEMBLE: Command = Command {
    name: "assemble",
    about: "Makes an image: an OCI layout directory that follows from its inputs alone.",
    operands: ("operands", Times::Never),
    flags: &[
        Flag {
            name: "--program",
            value: "FILE",
            times: Times::Once,
            about: "the program; it becomes /NAME and the entrypoint",
        },
        SETTINGS,
        LICENSES,
        Flag {
            name: "--source",
            value: "URL",
            times: Times::Once,
            about: "where the program's source is published",
        },
        Flag {
            name: "--file",
            value: "/PATH=FILE",
            times: Times::Any,
            about: "a file that the program reads, mode 0644",
        },
        Flag {
            name: "--env",
            value: "NAME=VALUE",
            times: Times::Any,
            about: "a variable of the image",
        },
        Flag {
            name: "--log-redirect",
            value: "WHEN",
            times: Times::AtMostOnce,
            about: "when its operator may read its output: never, debugonly or always",
        },
        Flag {
            name: "--out",
            value: "DIR",
            times: Times::Once,
            about: "the layout to write",
        },
    ],
};

const ARCHIVE: Command = Command {
    name: "archive",
    about: "Writes a layout as one tar file for skopeo, podman load and docker load.",
    operands: LAYOUT,
    flags: &[OUT_FILE],
};

const FACTS: Command = Command {
    name: "facts",
    about: "Prints digests and sizes of a layout or an archive as JSON.",
    operands: LAYOUT,
    flags: &[],
};

const PROMISE: Command = Command {
    name: "promise",
    about: "Prints all of an image but contents and digests, one line a fact.",
    operands: LAYOUT,
    flags: &[],
};

const VERIFY: Command = Command {
    name: "verify",
    about: "Compares images with a lock; exit code 1 says that something differs.",
    operands: LAYOUTS,
    flags: &[Flag {
        name: "--lock",
        value: "FILE",
        times: Times::Once,
        about: "the lock to compare with",
    }],
};

const LOCK: Command = Command {
    name: "lock",
    about: "Writes the lock of exactly these images, and their promises.",
    operands: LAYOUTS,
    flags: &[
        OUT_FILE,
        Flag {
            name: "--promises",
            value: "DIR",
            times: Times::AtMostOnce,
            about: "write DIR/NAME/image.promise of each image too",
        },
    ],
};

const DIFF: Command = Command {
    name: "diff",
    about: "Names what differs between two images, down to the file and its first byte; exit \
            code 1 says that something does. Each is an OCI layout or archive of any tool, with \
            @sha256:DIGEST behind its path where it holds several.",
    operands: ("LAYOUT[@DIGEST]", Times::Twice),
    flags: &[],
};

const SBOM: Command = Command {
    name: "sbom",
    about: "Makes the bill of materials of a program, CycloneDX 1.6 in JSON.",
    operands: ("operands", Times::Never),
    flags: &[
        SETTINGS,
        LICENSES,
        Flag {
            name: "--linked",
            value: "FILE",
            times: Times::Once,
            about: "JSON list of the crates and sources that were linked",
        },
        Flag {
            name: "--cargo-lock",
            value: "FILE",
            times: Times::Once,
            about: "Cargo.lock, for the crates' checksums",
        },
        OUT_FILE,
    ],
};

type Run = fn(&Typed) -> Result<String, Failure>;

const COMMANDS: [(&Command, Run); 8] = [
    (&ASSEMBLE, run_assemble),
    (&ARCHIVE, run_archive),
    (&FACTS, run_facts),
    (&PROMISE, run_promise),
    (&VERIFY, run_verify),
    (&LOCK, run_lock),
    (&DIFF, run_diff),
    (&SBOM, run_sbom),
];

/// A command failed, perhaps after it had data to show.
pub struct Failure {
    pub data: String,
    pub error: Error,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            data: String::new(),
            error,
        }
    }
}

/// Runs a command line; what it gives goes to standard output.
pub fn run(mut arguments: impl Iterator<Item = OsString>) -> Result<String, Failure> {
    let usage = |mistake| Failure::from(Error::Usage(vec![mistake]));
    let name = arguments.next().ok_or_else(|| usage(Mistake::NoCommand))?;
    let name = name
        .into_string()
        .map_err(|name| usage(Mistake::NotUnicode(name)))?;
    if name == "--help" || name == "-h" {
        return Ok(help());
    }
    let (command, run) = COMMANDS
        .iter()
        .find(|(command, _)| command.name == name)
        .ok_or_else(|| usage(Mistake::UnknownCommand(name)))?;
    match command.parse(arguments).map_err(Error::Usage)? {
        Some(typed) => run(&typed),
        None => Ok(command.help("oci")),
    }
}

fn help() -> String {
    let mut text = "usage: oci COMMAND --help\n\n".to_owned();
    for (command, _) in COMMANDS {
        writeln!(text, "  {:<9} {}", command.name, command.about)
            .expect("a String takes every write");
    }
    text
}

fn run_assemble(typed: &Typed) -> Result<String, Failure> {
    let log_redirect = match typed.optional("--log-redirect") {
        None => LogRedirect::default(),
        Some(value) => value
            .parse()
            .map_err(|()| mistake("--log-redirect", value, LogRedirect::CHOICES))?,
    };
    let mut files = Vec::new();
    for value in typed.all("--file") {
        let (path, file) = value
            .split_once('=')
            .ok_or_else(|| mistake("--file", value, "/PATH=FILE"))?;
        files.push((path.to_owned(), read(Path::new(file))?));
    }
    for value in typed.all("--env") {
        if value
            .split_once('=')
            .is_none_or(|(name, _)| name.is_empty())
        {
            return Err(mistake("--env", value, "NAME=VALUE").into());
        }
    }
    let program = PathBuf::from(typed.required("--program"));
    let recipe = Recipe {
        settings: settings(typed)?,
        program: read(&program)?,
        files,
        env: typed.all("--env").to_vec(),
        source: typed.required("--source").to_owned(),
        licenses: typed.required("--licenses").to_owned(),
        log_redirect,
    };
    let image = assemble(recipe).map_err(Error::content(&program))?;
    let out = Path::new(typed.required("--out"));
    layout::write(&image, out).map_err(Error::io(out))?;
    Ok(String::new())
}

fn run_archive(typed: &Typed) -> Result<String, Failure> {
    let image = open(&typed.operands[0])?;
    write_out(typed, &layout::archive(&image))
}

fn run_facts(typed: &Typed) -> Result<String, Failure> {
    let facts = facts(&typed.operands[0])?;
    let json = serde_json::to_string_pretty(&facts).expect("strings and numbers become JSON");
    Ok(json + "\n")
}

fn run_promise(typed: &Typed) -> Result<String, Failure> {
    Ok(promise(&open(&typed.operands[0])?))
}

fn run_verify(typed: &Typed) -> Result<String, Failure> {
    let path = Path::new(typed.required("--lock"));
    let text = String::from_utf8(read(path)?).map_err(Error::content(path))?;
    let lock = Lock::parse(&text).map_err(Error::content(path))?;
    let built = pins(&typed.operands)?;
    let Table { data, reasons } = Table::of(&lock, &built);
    if reasons.is_empty() {
        return Ok(data);
    }
    let hint = "with another build's image, `bazel run //images:diff -- A B` names the file and \
                the first byte";
    Err(Failure {
        data,
        error: Error::Differs { reasons, hint },
    })
}

fn run_lock(typed: &Typed) -> Result<String, Failure> {
    write_out(typed, Lock(pins(&typed.operands)?).to_string().as_bytes())?;
    if let Some(folder) = typed.optional("--promises") {
        for layout in &typed.operands {
            let image = open(layout)?;
            let path = in_workspace(folder)
                .join(image.name.as_str())
                .join("image.promise");
            fs::write(&path, promise(&image)).map_err(Error::io(&path))?;
        }
    }
    Ok(String::new())
}

fn run_diff(typed: &Typed) -> Result<String, Failure> {
    let [a, b] = typed.operands.as_slice() else {
        unreachable!("the table asks for two")
    };
    let differences = diff(&open_any(a)?, &open_any(b)?);
    if differences.is_empty() {
        return Ok(String::new());
    }
    let data = differences
        .iter()
        .map(|difference| format!("{difference}\n"))
        .collect();
    let reasons = vec![format!("{} and {} differ", a.display(), b.display())];
    Err(Failure {
        data,
        error: Error::Differs { reasons, hint: "" },
    })
}

fn run_sbom(typed: &Typed) -> Result<String, Failure> {
    let path = Path::new(typed.required("--linked"));
    let linked = Linked::parse(&read(path)?).map_err(Error::content(path))?;
    let path = Path::new(typed.required("--cargo-lock"));
    let text = String::from_utf8(read(path)?).map_err(Error::content(path))?;
    let lock = CargoLock::parse(&text).map_err(Error::content(path))?;
    let bill = sbom::bill(
        &settings(typed)?,
        typed.required("--licenses"),
        linked,
        &lock,
    )
    .map_err(Error::content(path))?;
    write_out(typed, &bill)
}

fn mistake(flag: &'static str, value: &str, expected: &'static str) -> Error {
    Error::Usage(vec![Mistake::Value {
        flag,
        value: value.to_owned(),
        expected,
    }])
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(Error::io(path))
}

fn write_out(typed: &Typed, bytes: &[u8]) -> Result<String, Failure> {
    let path = in_workspace(typed.required("--out"));
    fs::write(&path, bytes).map_err(Error::io(&path))?;
    Ok(String::new())
}

/// `bazel run` starts programs in a folder of its own. What its user typed is meant from where
/// they are, which a variable names that no build action and no test has.
fn from_caller(path: &Path) -> PathBuf {
    std::env::var_os("BUILD_WORKING_DIRECTORY")
        .map_or_else(PathBuf::new, PathBuf::from)
        .join(path)
}

/// And what is written belongs into the checkout.
fn in_workspace(path: &str) -> PathBuf {
    std::env::var_os("BUILD_WORKSPACE_DIRECTORY")
        .map_or_else(PathBuf::new, PathBuf::from)
        .join(path)
}

fn settings(typed: &Typed) -> Result<Settings, Error> {
    let path = Path::new(typed.required("--settings"));
    Settings::parse(&read(path)?).map_err(Error::content(path))
}

fn open(path: &Path) -> Result<Image, Error> {
    layout::open(path).map_err(Error::unreadable(path))
}

/// Reads the image that an operand `PATH` or `PATH@DIGEST` means.
fn open_any(operand: &Path) -> Result<Stored, Error> {
    let split = operand.to_str().and_then(|text| text.rsplit_once('@'));
    let named = split.and_then(|(path, digest)| Some((Path::new(path), digest.parse().ok()?)));
    let (path, wanted) = match named {
        Some((path, digest)) => (path, Some(digest)),
        None => (operand, None),
    };
    let path = from_caller(path);
    layout::open_any(&path, wanted).map_err(Error::unreadable(&path))
}

fn facts(path: &Path) -> Result<Facts, Error> {
    Facts::of(&open(path)?).map_err(Error::content(path))
}

fn pins(paths: &[PathBuf]) -> Result<BTreeMap<Name, Pin>, Error> {
    let mut pins = BTreeMap::new();
    for path in paths {
        let image = open(path)?;
        let facts = Facts::of(&image).map_err(Error::content(path))?;
        if pins.contains_key(&image.name) {
            return Err(Error::content(path)(Repeated(image.name)));
        }
        pins.insert(image.name, Pin::from(&facts));
    }
    Ok(pins)
}

/// Two of the given layouts are of one name: one of them would go unchecked.
#[derive(Debug)]
struct Repeated(Name);

impl fmt::Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is given twice", self.0)
    }
}

impl std::error::Error for Repeated {}
