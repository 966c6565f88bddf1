//! One key generation, from the announcement until every participant has the receipt, or its deadline.

mod ceremony;
mod routes;

use std::sync::Arc;
use std::time::Duration;

use mcbn_attested::server::{Acceptor, Limits, Server, Vouching};
use mcbn_attested::{Identity, Purpose};
use mcbn_launcher::Launcher;
use mcbn_runtime::process::Process;
use mcbn_runtime::shutdown::{Shutdown, Trigger};
use mcbn_tunnel::metrics::Metrics;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::error::Error;
use ceremony::{Ceremony, Outcome};

/// What tokens over its answers are for.
const PURPOSE: Purpose = Purpose::named("threshold-generate");

/// Of one token. A participant waits for it, too.
const TOKEN_DEADLINE: Duration = Duration::from_secs(25);

pub async fn serve(config: Config, process: Process) -> Result<(), Error> {
    let ceremony = Arc::new(Ceremony::begin(&config).ok_or(Error::Random)?);
    let identity = Identity::ephemeral().map_err(Error::Identity)?;
    let pins = config.terms.participants().keys().iter();
    let acceptor = Acceptor::new(identity, pins.map(|key| key.pin())).map_err(Error::Identity)?;
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.map_err(Error::Bind)?;
    let address = listener.local_addr().map_err(Error::Bind)?;
    let metrics = Metrics::default();
    process
        .admin
        .register(|registry| metrics.register(registry));
    let server = Server {
        listener,
        acceptor,
        vouching: Vouching {
            router: routes::router(Arc::clone(&ceremony)),
            tokens: Launcher::at(config.token_socket.clone(), TOKEN_DEADLINE),
            token_type: config.token_type(),
            purpose: PURPOSE,
            manifest: config.manifest.digest(),
        },
        limits: Limits {
            connections: config.max_connections,
            connections_of_a_peer: config.max_connections_per_peer,
            handshake: config.handshake_timeout,
            ..Limits::default()
        },
        metrics,
    };
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
    let ((), outcome) = tokio::select! {
        both = async { tokio::join!(server.run(shutdown), outcome) } => both,
        () = process.shutdown.ended() => ((), Outcome::Stopped),
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
