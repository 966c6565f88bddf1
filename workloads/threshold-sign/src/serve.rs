//! From the shares, where they are revealed, and the opening of the port to the end.

mod ceremony;
mod routes;

use std::future::pending;
use std::sync::Arc;

use mcbn_attested::Purpose;
use mcbn_ceremony::signing::Shares;
use mcbn_ceremony_endpoint::Endpoint;
use mcbn_consent::lease::Consent;
use mcbn_pinned::gather_revealed;
use mcbn_pinned_rustls::Rustls;
use mcbn_runtime::process::Process;

use crate::config::{Config, NAME};
use crate::error::Error;
use ceremony::Ceremony;

/// What tokens over its answers are for.
const PURPOSE: Purpose = Purpose::named(NAME);

pub async fn serve(config: Config, process: Process) -> Result<(), Error> {
    let (endpoint, consent) = tokio::select! {
        opened = open(config, &process) => opened?,
        // A person who is to agree that a share is revealed may be long about it.
        () = process.shutdown.draining() => return Ok(()),
    };
    let address = endpoint.address();
    tracing::info!(%address, "listening");
    let admin = process.admin;
    let lost = async {
        match consent {
            Some(consent) => {
                consent
                    .lost(|standing| admin.set_ready(!standing.in_danger))
                    .await
            }
            None => {
                admin.set_ready(true);
                pending().await
            }
        }
    };
    match endpoint.run(process.shutdown, lost).await {
        None => Ok(()),
        Some(lost) => Err(Error::ConsentLost(lost)),
    }
}

/// Has the shares, if they are revealed, then opens the port.
async fn open(config: Config, process: &Process) -> Result<(Endpoint, Option<Consent>), Error> {
    let (shares, consent) = match &config.revealed {
        None => (Shares::Kept, None),
        Some(revealed) => {
            let gathered =
                gather_revealed::<Rustls>(&revealed.shares, revealed.dns_server, &process.admin);
            let (shares, consent) = gathered.await.map_err(Error::Shares)?;
            let shares = Shares::revealed(config.signers.group(), shares);
            (shares.map_err(Error::NotRevealed)?, Some(consent))
        }
    };
    let ceremony = Ceremony::begin(&config, shares).ok_or(Error::Random)?;
    let router = routes::router(Arc::new(ceremony));
    let endpoint = Endpoint::open(&config.endpoint, router, PURPOSE, process).await;
    Ok((endpoint.map_err(Error::Endpoint)?, consent))
}
