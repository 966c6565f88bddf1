//! Reaches a dtls-server, or any server with the same key, for programs that speak no DTLS themselves.

#![forbid(unsafe_code)]

mod config;
mod connect;
mod error;
mod listen;
mod send;

use std::process::ExitCode;

use mcbn_consent::lease::Lost;
use mcbn_runtime::process::Process;

use crate::config::{Config, Mode};
use crate::connect::Server;
use crate::error::Error;

fn main() -> ExitCode {
    mcbn_runtime::process::main(&config::PROGRAM, Config::read, run)
}

async fn run(config: Config, process: Process) -> Result<(), Error> {
    let (server, consent) = tokio::select! {
        made = Server::new(config.server, &process) => made?,
        // A person who is to approve may be long about it.
        () = process.shutdown.draining() => return config.mode.cut(),
    };
    let admin = process.admin.clone();
    let lost = consent.lost(|standing| admin.set_ready(!standing.in_danger));
    match config.mode {
        Mode::Send(send) => {
            let mut out = tokio::io::stdout();
            whole(&process, lost, send::send(&server, &send, &mut out)).await
        }
        Mode::Listen(listen) => listen::listen(server, listen, process, lost).await,
    }
}

/// No answer must not look like an empty one: a signal, or the loss of consent, may end the work early, but not as a
/// success.
async fn whole(
    process: &Process,
    lost: impl Future<Output = Lost>,
    work: impl Future<Output = Result<(), Error>>,
) -> Result<(), Error> {
    tokio::select! {
        biased;
        lost = lost => Err(Error::ConsentLost(lost)),
        outcome = work => outcome,
        () = process.shutdown.ended() => Err(Error::Cut),
    }
}
