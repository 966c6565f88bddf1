//! One key generation, from the announcement until every participant has the receipt, or its deadline.

mod ceremony;
mod routes;

use std::future;
use std::sync::Arc;

use mcbn_attested::Purpose;
use mcbn_ceremony_endpoint::Endpoint;
use mcbn_runtime::process::Process;
use mcbn_runtime::shutdown::{Shutdown, Trigger};
use tokio::task::JoinHandle;

use crate::config::{Config, NAME};
use crate::error::Error;
use ceremony::{Ceremony, Outcome};

/// What tokens over its answers are for.
const PURPOSE: Purpose = Purpose::named(NAME);

pub async fn serve(config: Config, process: Process) -> Result<(), Error> {
    let ceremony = Arc::new(Ceremony::begin(&config).ok_or(Error::Random)?);
    let router = routes::router(Arc::clone(&ceremony));
    let endpoint = Endpoint::open(&config.endpoint, router, PURPOSE, &process).await;
    let endpoint = endpoint.map_err(Error::Endpoint)?;
    let address = endpoint.address();
    tracing::info!(%address, request = ceremony.request(), "listening");
    process.admin.set_ready(true);
    let (end, shutdown) = Shutdown::manual();
    let end = Arc::new(end);
    let signals = follow(process.shutdown.clone(), Arc::clone(&end));
    let outcome = async {
        let outcome = tokio::select! {
            outcome = ceremony.outcome() => outcome,
            () = process.shutdown.draining() => Outcome::Stopped,
        };
        // The last answers are given yet.
        end.drain();
        outcome
    };
    let served = endpoint.run(shutdown, future::pending::<()>());
    let outcome = tokio::select! {
        (_, outcome) = async { tokio::join!(served, outcome) } => outcome,
        () = process.shutdown.ended() => Outcome::Stopped,
    };
    signals.abort();
    match outcome {
        Outcome::Done => {
            tracing::info!("every participant has its share and the receipt");
            Ok(())
        }
        Outcome::NotFetched(names) => {
            tracing::warn!(participants = ?names, "the key counts, and not all have fetched the receipt");
            Ok(())
        }
        Outcome::Abandoned(names) => Err(Error::Abandoned(names)),
        Outcome::Stopped => Ok(()),
    }
}

/// The program's own end is the server's.
fn follow(shutdown: Shutdown, end: Arc<Trigger>) -> JoinHandle<()> {
    tokio::spawn(async move {
        shutdown.draining().await;
        end.drain();
        shutdown.ended().await;
        end.end();
    })
}
