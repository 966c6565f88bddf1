//! An authenticated connection to a server, whichever of its addresses answers, and what it is used for.

mod error;
pub mod get;
pub mod listen;
pub mod settings;
pub mod stdio;

use std::fmt;
use std::time::Instant;

use mcbn_consent::lease::{Consent, Lost};
use mcbn_runtime::process::Process;
use mcbn_tunnel::dial::{MayPass, Unreachable, Upstream};
use mcbn_tunnel::handshake::{Fault, Handshake, HandshakeFailure};
use mcbn_tunnel::metrics::Metrics;
use mcbn_tunnel::names::{Names, NoResolver};
use mcbn_tunnel::settings::{ClientConfig, Timeouts};
use tokio::net::TcpStream;
use tokio::time::timeout_at;

pub use error::Error;
use settings::Mode;

/// A way to the server.
pub struct Client<H> {
    handshake: H,
    upstream: Upstream,
    pub timeouts: Timeouts,
    pub metrics: Metrics,
}

impl<H: Handshake> Client<H> {
    pub fn new(config: ClientConfig, handshake: H, process: &Process) -> Result<Self, NoResolver> {
        let metrics = Metrics::default();
        process
            .admin
            .register(|registry| metrics.register(registry));
        let names = Names::needed_by(&config.targets, config.dns_server)?;
        Ok(Self {
            handshake,
            upstream: Upstream::new(config.targets, names, config.timeouts.connect),
            timeouts: config.timeouts,
            metrics,
        })
    }

    /// Does what `mode` says for as long as there is consent. The connections and the handshake, with whatever key it
    /// has, are gone when this is done.
    pub async fn run(
        self,
        mode: Mode,
        consent: Consent,
        process: Process,
    ) -> Result<(), Error<H::Error>> {
        let admin = process.admin.clone();
        let lost = consent.lost(|standing| admin.set_ready(!standing.in_danger));
        match mode {
            Mode::Get(path) => {
                let mut out = tokio::io::stdout();
                whole(&process, lost, get::get(&self, &path, &mut out)).await
            }
            Mode::Stdio => whole(&process, lost, stdio::stdio(&self, &mut stdio::local())).await,
            Mode::Listen(config) => listen::listen(self, config, process, lost).await,
        }
    }

    /// Tries the servers until one shows that it knows the key.
    pub async fn connect(&self) -> Result<H::Stream, Unreachable<NoHandshake<H::Error>>> {
        // On the heap: it is needed for a short time only, and its space would stay in each connection.
        Box::pin(self.upstream.connect(|stream| self.handshake(stream))).await
    }

    async fn handshake(&self, stream: TcpStream) -> Result<H::Stream, NoHandshake<H::Error>> {
        let start = Instant::now();
        let until = start + self.timeouts.handshake;
        let handshake = self.handshake.handshake(stream, until);
        let failed = match timeout_at(until.into(), handshake).await {
            Ok(Ok(stream)) => {
                self.metrics.handshake_done(start.elapsed());
                return Ok(stream);
            }
            Ok(Err(error)) => NoHandshake::Failed(error),
            Err(_) => NoHandshake::Deadline,
        };
        self.metrics.handshake_failed(failed.reason());
        Err(failed)
    }
}

/// Half of an answer must not look like a whole one: a signal, or the loss of consent, may end the work early, but not
/// as a success.
async fn whole<E>(
    process: &Process,
    lost: impl Future<Output = Lost>,
    work: impl Future<Output = Result<(), Error<E>>>,
) -> Result<(), Error<E>> {
    tokio::select! {
        biased;
        lost = lost => Err(Error::ConsentLost(lost)),
        outcome = work => outcome,
        () = process.shutdown.ended() => Err(Error::Cut),
    }
}

/// A server was reached, but it has not shown that it knows the key.
#[derive(Debug)]
pub enum NoHandshake<E> {
    Failed(E),
    /// It took too long.
    Deadline,
}

impl<E: HandshakeFailure> NoHandshake<E> {
    fn reason(&self) -> &'static str {
        match self {
            Self::Failed(error) => error.reason(),
            Self::Deadline => "deadline",
        }
    }
}

impl<E: HandshakeFailure> MayPass for NoHandshake<E> {
    fn may_pass(&self) -> bool {
        match self {
            Self::Failed(error) => error.fault() == Fault::Network,
            Self::Deadline => true,
        }
    }
}

impl<E: fmt::Display> fmt::Display for NoHandshake<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Deadline => f.write_str("the handshake took too long"),
        }
    }
}
