//! The key, then the server that it opens, until the end of either.

use mcbn_consent::lease::Consent;
use mcbn_dtls::Acceptor;
use mcbn_dtls_endpoint::server::Server;
use mcbn_runtime::process::Process;

use crate::config::Config;
use crate::error::Error;

pub async fn serve(config: Config, process: Process) -> Result<(), Error> {
    let (server, consent) = tokio::select! {
        opened = open(config, &process) => opened?,
        // A person who is to approve may be long about it.
        () = process.shutdown.draining() => return Ok(()),
    };
    let witness = server.witness();
    let outcome = server.serve(consent, process).await;
    debug_assert!(witness.key_is_wiped(), "something outlives the server");
    outcome.map_err(Error::ConsentLost)
}

/// Makes the key, then opens the port.
async fn open(config: Config, process: &Process) -> Result<(Server, Consent), Error> {
    let Config { server, key } = config;
    let made = key.make(server.dns_server, &process.admin).await;
    let (psk, consent) = made.map_err(Error::Key)?;
    let dtls = key.protocol();
    let acceptor =
        Acceptor::new(key.identity().clone(), psk, dtls.suites, dtls.mtu).map_err(Error::Dtls)?;
    let server = Server::open(server, acceptor, process).map_err(Error::Server)?;
    Ok((server, consent))
}

#[cfg(test)]
mod tests;
