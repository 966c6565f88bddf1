//! A DTLS server that only those reach who know a key made of every participant's share.
//!
//! It answers each datagram with itself, or forwards what it decrypts to a plain UDP service.

#![forbid(unsafe_code)]

mod config;
mod error;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    mcbn_runtime::process::main(&config::PROGRAM, config::Config::read, serve::serve)
}
