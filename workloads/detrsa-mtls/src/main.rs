//! Mutual TLS for ordinary stacks, with a key made of every participant's share: both ends hold the same RSA key, and each
//! accepts whoever shows it.
//!
//! As a server it answers `GET /` itself, or forwards what it decrypts to a plain TCP service; as a client it makes one
//! request, joins standard input and output, or tunnels a local port. It also writes a request for an outside CA, and,
//! where that is asked for in so many words, the key.

#![forbid(unsafe_code)]

mod config;
mod error;
mod key;
mod request;
mod run;
#[cfg(test)]
mod testing;

use std::process::ExitCode;

fn main() -> ExitCode {
    mcbn_runtime::process::main(&config::PROGRAM, config::Config::read, run::run)
}
