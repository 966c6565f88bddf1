//! Makes a group's signing key once all participants have approved, gives each its share, and ends.

#![forbid(unsafe_code)]

mod config;
mod error;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    mcbn_runtime::process::main(&config::PROGRAM, config::Config::read, serve::serve)
}
