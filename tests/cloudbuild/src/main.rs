//! Rehearses `cloudbuild.yaml`: holds it to our rules, then runs its steps in order against a registry on this machine.
//!
//!     cloudbuild SOURCE [SKIPPED STEP]...
//!
//! Each step is run as Cloud Build would: its own script, arguments and variables, in the source. What stands in is the
//! builder image: this machine and what is installed on it, with a home folder that knows the registry.
//!
//! The source is changed: what the steps write stays in its `.release`.

#![forbid(unsafe_code)]

mod pipeline;
mod registry;
mod rehearsal;
mod rules;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::pipeline::Pipeline;
use crate::rehearsal::Rehearsal;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(source) = arguments.next() else {
        eprintln!("cloudbuild: error: the source's folder is missing");
        return ExitCode::from(64);
    };
    let skipped: Vec<OsString> = arguments.collect();
    match rehearse(source.into(), &skipped) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cloudbuild: error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn rehearse(source: PathBuf, skipped: &[OsString]) -> Result<(), Box<dyn std::error::Error>> {
    let pipeline = Pipeline::parse(&std::fs::read_to_string(source.join("cloudbuild.yaml"))?)?;
    if let Some(unknown) = skipped
        .iter()
        .find(|id| !pipeline.steps.iter().any(|step| **id == *step.id))
    {
        return Err(format!("there is no step {}", unknown.display()).into());
    }
    rules::check(&pipeline)?;
    let rehearsal = Rehearsal::new(source)?;
    let submitted = rehearsal.submit(&pipeline)?;
    for step in &submitted.steps {
        if skipped.iter().any(|id| **id == *step.id) {
            continue;
        }
        eprintln!("cloudbuild: step {}", step.id);
        rehearsal.run(&submitted, step)?;
    }
    Ok(())
}
