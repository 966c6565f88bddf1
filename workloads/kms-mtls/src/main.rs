//! Mutual TLS whose private key never leaves Google Cloud KMS: each full handshake is signed there.
//!
//! As a server it answers `GET /` itself, or forwards what it decrypts to a plain TCP service; as a client it makes one
//! request, joins standard input and output, or tunnels a local port. A command beside it has Cloud KMS decrypt.

#![forbid(unsafe_code)]

mod config;
mod decrypt;
mod error;
mod run;

use std::process::ExitCode;

use mcbn_runtime::process;
use mcbn_runtime::suite::{Command, Suite};

static SUITE: Suite = Suite::of(Command {
    program: &config::PROGRAM,
    main: || process::main(&config::PROGRAM, config::Config::read, run::run),
});

fn main() -> ExitCode {
    SUITE.main()
}
