//! Signs with a group's key what as many participants as it takes have approved.

#![forbid(unsafe_code)]

mod config;
mod error;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    mcbn_runtime::process::main(&config::PROGRAM, config::Config::read, serve::serve)
}
