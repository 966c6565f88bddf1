//! Tells the demonstration to a person.

#![forbid(unsafe_code)]

use std::fs;
use std::process::ExitCode;

use mcbn_tests_demo::Programs;
use mcbn_tests_demo::scenes::{Digests, Play};

fn main() -> ExitCode {
    let Some(lock) = std::env::args_os().nth(1) else {
        eprintln!("demo: error: no digests.lock is given");
        eprintln!("demo: hint: run `./bazelw run //:demo`");
        return ExitCode::from(64);
    };
    let digests = match fs::read_to_string(&lock) {
        Ok(text) => Digests::of(&text),
        Err(error) => {
            eprintln!("demo: error: cannot read {}: {error}", lock.display());
            return ExitCode::from(74);
        }
    };
    let mut number = 0;
    let mut tell = |line: &str| {
        // What goes with the line before is indented.
        if line.starts_with(' ') {
            println!("      {line}");
        } else {
            number += 1;
            println!("{number:>4}  {line}");
        }
    };
    Play::begin(&Programs, digests, &mut tell).play();
    ExitCode::SUCCESS
}
