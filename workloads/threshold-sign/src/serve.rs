//! From the opening of the port to the end.

mod ceremony;
mod routes;

use std::future;
use std::sync::Arc;

use mcbn_attested::Purpose;
use mcbn_ceremony_endpoint::Endpoint;
use mcbn_runtime::process::Process;

use crate::config::{Config, NAME};
use crate::error::Error;
use ceremony::Ceremony;

/// What tokens over its answers are for.
const PURPOSE: Purpose = Purpose::named(NAME);

pub async fn serve(config: Config, process: Process) -> Result<(), Error> {
    let ceremony = Ceremony::begin(&config).ok_or(Error::Random)?;
    let router = routes::router(Arc::new(ceremony));
    let endpoint = Endpoint::open(&config.endpoint, router, PURPOSE, &process).await;
    let endpoint = endpoint.map_err(Error::Endpoint)?;
    let address = endpoint.address();
    tracing::info!(%address, "listening");
    process.admin.set_ready(true);
    endpoint
        .run(process.shutdown, future::pending::<()>())
        .await;
    Ok(())
}
