//! TLS 1.2 and DTLS 1.2 with a pre-shared key that is made anew for every session, inside a TPM.
//!
//! The permanent key never leaves the TPM; what this program sees opens one session. As a server it answers by itself or
//! forwards to a plain service, as a client it makes one request or tunnels a local port. The other end may have the same
//! permanent key in memory, where it has no TPM. Commands beside it make such keys and show them.

#![forbid(unsafe_code)]

mod config;
mod error;
mod key;
mod keys;
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
