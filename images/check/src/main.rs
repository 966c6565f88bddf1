//! `image-check --promise FILE LAYOUT`: exit code 1 says which rules the image breaks, or where
//! it is not what was promised.

#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use mcbn_check::rules;
use mcbn_oci::cli::{Command, Flag, Times, Typed};
use mcbn_oci::error::Error;
use mcbn_oci::layout;
use mcbn_oci::promise::promise;

const CHECK: Command = Command {
    name: "",
    about: "Refuses an image that breaks a rule or a promise.",
    operands: ("LAYOUT", Times::Once),
    flags: &[Flag {
        name: "--promise",
        value: "FILE",
        times: Times::Once,
        about: "the committed output of `oci promise` for this image",
    }],
};

fn main() -> ExitCode {
    let outcome = match CHECK.parse(std::env::args_os().skip(1)) {
        Ok(Some(typed)) => check(&typed),
        Ok(None) => {
            print!("{}", CHECK.help("image-check"));
            return ExitCode::SUCCESS;
        }
        Err(mistakes) => Err(Error::Usage(mistakes)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("{}", error.report("image-check"));
            ExitCode::from(error.exit_code())
        }
    }
}

fn check(typed: &Typed) -> Result<(), Error> {
    let path = &typed.operands[0];
    let image = layout::open(path).map_err(Error::unreadable(path))?;
    let breaches = rules::breaches(&image);
    if !breaches.is_empty() {
        let reasons = breaches
            .iter()
            .map(|breach| format!("{}: {breach}", image.name))
            .collect();
        return Err(Error::Differs { reasons, hint: "" });
    }
    let path = Path::new(typed.required("--promise"));
    let promised = fs::read_to_string(path).map_err(Error::io(path))?;
    let reasons = differing_lines(&promised, &promise(&image));
    if !reasons.is_empty() {
        let hint = "if the change is meant, `bazel run //images:update_digests` writes it down";
        return Err(Error::Differs { reasons, hint });
    }
    Ok(())
}

/// Lines that only one of the two has, in their order.
fn differing_lines(promised: &str, found: &str) -> Vec<String> {
    let only = |mark: &str, these: &str, those: &str| -> Vec<String> {
        these
            .lines()
            .filter(|line| !those.lines().any(|other| other == *line))
            .map(|line| format!("{mark} {line}"))
            .collect()
    };
    let mut lines = only("promised, but not so:", promised, found);
    lines.extend(only("so, but not promised:", found, promised));
    if lines.is_empty() && promised != found {
        lines.push("the promise has its lines in another order or number".to_owned());
    }
    lines
}
