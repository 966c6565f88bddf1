//! The key and its certificate, then what they are for, until the end.

use std::sync::Arc;

use mcbn_consent::lease::Consent;
use mcbn_endpoint::client::Client;
use mcbn_endpoint::server::Server;
use mcbn_kms::settings::Opened;
use mcbn_kms::{Acceptor, Connector, Metrics};
use mcbn_runtime::process::Process;
use rustls::time_provider::DefaultTimeProvider;

use crate::config::{Config, Work};
use crate::error::Error;

pub async fn run(config: Config, process: Process) -> Result<(), Error> {
    let Config { end, work } = config;
    let metrics = Metrics::default();
    process
        .admin
        .register(|registry| metrics.register(registry));
    let opened = tokio::select! {
        opened = end.open(metrics, Arc::new(DefaultTimeProvider)) => opened.map_err(Error::Setup)?,
        () = process.shutdown.draining() => return work.cut(),
    };
    let Opened {
        credentials,
        peers,
        resumption,
        algorithm,
    } = opened;
    // Whoever may sign with the key has consented: nobody else is asked.
    let consent = Consent::unconditional();
    match work {
        Work::Server(config) => {
            tracing::info!(%algorithm, "the key has signed");
            let acceptor = Acceptor::new(credentials, peers, resumption).map_err(Error::Setup)?;
            let server = Server::open(config, acceptor, &process).map_err(Error::Server)?;
            let outcome = server.serve(consent, process).await;
            outcome.map_err(Error::ConsentLost)
        }
        Work::Client(config, mode) => {
            // Its standard error is for what went wrong.
            tracing::debug!(%algorithm, "the key has signed");
            let connector = Connector::new(credentials, peers, resumption).map_err(Error::Setup)?;
            let client = Client::new(config, connector, &process).map_err(Error::Names)?;
            let outcome = client.run(mode, consent, process).await;
            outcome.map_err(Error::Client)
        }
    }
}
