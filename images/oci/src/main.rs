//! `oci`: makes images, and compares them with what they should be. `oci --help` lists the rest.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use mcbn_oci::commands::{self, Failure};

fn main() -> ExitCode {
    match commands::run(std::env::args_os().skip(1)) {
        Ok(data) => {
            print!("{data}");
            ExitCode::SUCCESS
        }
        Err(Failure { data, error }) => {
            print!("{data}");
            eprint!("{}", error.report("oci"));
            ExitCode::from(error.exit_code())
        }
    }
}
