//! Reaches a dtls-server, or any server with the same key, for programs that speak no DTLS themselves.

#![forbid(unsafe_code)]

mod config;
mod error;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use mcbn_dtls::Connector;
use mcbn_dtls_endpoint::client::Client;
use mcbn_runtime::process::Process;

use crate::config::Config;
use crate::error::Error;

fn main() -> ExitCode {
    mcbn_runtime::process::main(&config::PROGRAM, Config::read, run)
}

async fn run(config: Config, process: Process) -> Result<(), Error> {
    let key = &config.key;
    let (psk, consent) = tokio::select! {
        made = key.make(config.client.dns_server, &process.admin) => made.map_err(Error::Key)?,
        // A person who is to approve may be long about it.
        () = process.shutdown.draining() => return config.mode.cut().map_err(Error::Client),
    };
    let dtls = key.protocol();
    let connector =
        Connector::new(key.identity().clone(), psk, dtls.suites, dtls.mtu).map_err(Error::Dtls)?;
    let witness = connector.witness();
    let client = Client::new(config.client, connector, &process).map_err(Error::Names)?;
    let outcome = client.run(config.mode, consent, process).await;
    debug_assert!(witness.key_is_wiped(), "something outlives the client");
    outcome.map_err(Error::Client)
}
