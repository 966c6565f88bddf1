//! Reaches a psk-server, or any server with the same key, for programs that speak no TLS-PSK themselves.

#![forbid(unsafe_code)]

mod config;
mod connect;
mod error;
mod get;
mod listen;
mod stdio;
#[cfg(test)]
mod testing;

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
        Mode::Get(path) => {
            whole(&process, get::get(&server, &path, &mut tokio::io::stdout())).await
        }
        Mode::Stdio => whole(&process, stdio::stdio(&server, &mut stdio::local())).await,
        Mode::Listen(listen) => listen::listen(server, listen, process).await,
    }
}

/// Half of an answer must not look like a whole one: a signal may end the work early, but not as a success.
async fn whole(
    process: &Process,
    work: impl Future<Output = Result<(), Error>>,
) -> Result<(), Error> {
    tokio::select! {
        outcome = work => outcome,
        () = process.shutdown.ended() => Err(Error::Cut),
    }
}
