//! `oci-push --lock FILE --to REGISTRY[/PREFIX] LAYOUT...`: pushes images by digest.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use mcbn_oci::cli::{Command, Flag, Mistake, Times, Typed};
use mcbn_oci::error::Error as Local;
use mcbn_oci::facts::Facts;
use mcbn_oci::layout;
use mcbn_oci::lock::{Lock, Pin, Verdict};
use mcbn_oci::referrer::Referrer;
use mcbn_oci::sbom;
use mcbn_push::client::Client;
use mcbn_push::credentials;
use mcbn_push::destination::Destination;
use mcbn_push::error::Error;
use mcbn_push::push::{Job, Push};

const PUSH: Command = Command {
    name: "",
    about: "Pushes images that equal their line in the lock: by digest, each bill of materials as \
            a referrer, tags last. Who pushes is read from Docker's configuration. Prints one \
            reference by digest an image.",
    operands: ("REGISTRY[/PREFIX]", Times::Once),
    flags: &[
        Flag {
            name: "--lock",
            value: "FILE",
            times: Times::Once,
            about: "digests.lock: what may be pushed",
        },
        Flag {
            name: "--image",
            value: "LAYOUT",
            times: Times::AtLeastOnce,
            about: "an image to push",
        },
        Flag {
            name: "--sbom",
            value: "FILE",
            times: Times::Any,
            about: "the bill of materials of one of the images, which it names itself",
        },
        Flag {
            name: "--tag",
            value: "TAG",
            times: Times::Any,
            about: "a tag for every image, put when all images are there",
        },
        Flag {
            name: "--insecure-plaintext",
            value: "",
            times: Times::AtMostOnce,
            about: "let http:// lead to another machine, credentials and all in clear",
        },
    ],
};

fn main() -> ExitCode {
    let outcome = match PUSH.parse(std::env::args_os().skip(1)) {
        Ok(Some(typed)) => push(&typed),
        Ok(None) => {
            print!("{}", PUSH.help("oci-push"));
            return ExitCode::SUCCESS;
        }
        Err(mistakes) => Err(Local::Usage(mistakes).into()),
    };
    match outcome {
        Ok(references) => {
            for reference in references {
                println!("{reference}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprint!("{}", error.report());
            ExitCode::from(error.exit_code())
        }
    }
}

fn push(typed: &Typed) -> Result<Vec<String>, Error> {
    let tags = tags(typed)?;
    let destination = destination(typed)?;
    let jobs = jobs(typed)?;
    let credentials = match credentials::configuration_path() {
        Some(path) => {
            credentials::find(&path, destination.origin.authority()).map_err(Error::Credentials)?
        }
        None => None,
    };
    let mut push = Push {
        client: Client::new(destination.origin.clone(), credentials),
        destination,
        progress: &mut |step| eprintln!("oci-push: {step}"),
        sent: 0,
    };
    let references = push.run(&jobs, &tags)?;
    eprintln!("oci-push: {} uploads", push.sent);
    Ok(references)
}

fn usage(flag: &'static str, value: &str, expected: &'static str) -> Error {
    let value = value.to_owned();
    Local::Usage(vec![Mistake::Value {
        flag,
        value,
        expected,
    }])
    .into()
}

fn tags(typed: &Typed) -> Result<Vec<String>, Error> {
    for tag in typed.all("--tag") {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let fits = tag.len() <= 128
            && tag.starts_with(is_word)
            && tag.chars().all(|c| is_word(c) || matches!(c, '.' | '-'));
        if !fits {
            return Err(usage(
                "--tag",
                tag,
                "letters, digits, `_`, `.` and `-`, at most 128",
            ));
        }
    }
    Ok(typed.all("--tag").to_vec())
}

fn destination(typed: &Typed) -> Result<Destination, Error> {
    let plaintext = typed.optional("--insecure-plaintext").is_some();
    let text = typed.operands[0]
        .to_str()
        .expect("operands were typed as Unicode");
    Destination::parse(text, plaintext).map_err(Error::Destination)
}

/// Reads the images and what belongs to them; refuses what the lock does not name.
fn jobs(typed: &Typed) -> Result<Vec<Job>, Error> {
    let path = Path::new(typed.required("--lock"));
    let text = fs::read_to_string(path).map_err(Local::io(path))?;
    let lock = Lock::parse(&text).map_err(Local::content(path))?;

    let mut bills = BTreeMap::new();
    for path in typed.all("--sbom").iter().map(Path::new) {
        let bill = fs::read(path).map_err(Local::io(path))?;
        let name = sbom::subject(&bill).map_err(Local::content(path))?;
        if bills.insert(name.clone(), (path, bill)).is_some() {
            return Err(Local::content(path)(Unfit::SecondBill(name)).into());
        }
    }
    let mut jobs: Vec<Job> = Vec::new();
    let mut reasons = Vec::new();
    for path in typed.all("--image").iter().map(Path::new) {
        let image = layout::open(path).map_err(Local::unreadable(path))?;
        if jobs.iter().any(|job| job.image.name == image.name) {
            return Err(Local::content(path)(Unfit::SecondImage(image.name.to_string())).into());
        }
        let facts = Facts::of(&image).map_err(Local::content(path))?;
        let built = BTreeMap::from([(image.name.clone(), Pin::from(&facts))]);
        let verdict = lock.verdicts(&built)[&image.name];
        if verdict != Verdict::Same {
            reasons.push(format!("{}: {verdict}", image.name));
        }
        let referrer = bills
            .remove(image.name.as_str())
            .map(|(_, bill)| Referrer::new(&image, bill));
        jobs.push(Job { image, referrer });
    }
    if !reasons.is_empty() {
        let hint = "only what the lock names is pushed; `oci verify` shows both";
        return Err(Local::Differs { reasons, hint }.into());
    }
    if let Some((name, (path, _))) = bills.into_iter().next() {
        return Err(Local::content(path)(Unfit::NoImage(name)).into());
    }
    Ok(jobs)
}

/// Files that do not belong together.
#[derive(Debug)]
enum Unfit {
    SecondBill(String),
    SecondImage(String),
    NoImage(String),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SecondBill(name) => write!(f, "a second bill of materials of {name}"),
            Self::SecondImage(name) => write!(f, "a second image of the name {name}"),
            Self::NoImage(name) => write!(f, "the bill of {name:?}, which is not pushed"),
        }
    }
}

impl std::error::Error for Unfit {}
