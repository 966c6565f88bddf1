//! Reaches a psk-server, or any server with the same key, for programs that speak no TLS-PSK themselves.

#![forbid(unsafe_code)]

mod config;
mod connect;
mod error;
mod get;
mod listen;
mod stdio;

use std::process::ExitCode;

use mcbn_runtime::process::Process;

use crate::config::{Config, Mode};
use crate::connect::Server;
use crate::error::Error;

fn main() -> ExitCode {
    mcbn_runtime::process::main(&config::PROGRAM, Config::read, run)
}

async fn run(config: Config, process: Process) -> Result<(), Error> {
    let server = Server::new(config.server, &process).await?;
    match config.mode {
        Mode::Get(path) => get::get(&server, &path).await,
        Mode::Stdio => stdio::stdio(&server).await,
        Mode::Listen(listen) => listen::listen(server, listen, process).await,
    }
}
