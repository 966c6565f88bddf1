//! An authenticated session with a server, whichever of its addresses answers, and what it is used for.

mod error;
pub mod listen;
pub mod send;
pub mod settings;

use std::fmt;
use std::time::Instant;

use mcbn_consent::lease::{Consent, Lost};
use mcbn_dtls::{Connector, HandshakeError, NoSession, PeerFault, Session};
use mcbn_runtime::process::Process;
use mcbn_tunnel::datagram::Losses;
use mcbn_tunnel::dial::{MayPass, Unreachable, Upstream};
use mcbn_tunnel::handshake::{Fault, HandshakeFailure};
use mcbn_tunnel::metrics::Metrics;
use mcbn_tunnel::names::{Names, NoResolver};
use mcbn_tunnel::settings::{ClientConfig, Timeouts};
use mcbn_tunnel::target::Target;
use tokio::net::UdpSocket;

pub use error::Error;
use settings::Mode;

/// A way to the server.
pub struct Client {
    connector: Connector,
    upstream: Upstream<UdpSocket>,
    pub timeouts: Timeouts,
    pub metrics: Metrics,
    pub losses: Losses,
}

impl Client {
    pub fn new(
        config: ClientConfig,
        connector: Connector,
        process: &Process,
    ) -> Result<Self, NoResolver> {
        let (metrics, losses) = (Metrics::default(), Losses::default());
        process.admin.register(|registry| {
            metrics.register(registry);
            losses.register(registry);
        });
        let targets: Vec<Target> = config.targets.into_iter().map(Target::over_udp).collect();
        let names = Names::needed_by(&targets, config.dns_server)?;
        // The handshake tells whether anyone is there: with less time for the whole, its deadline would not come.
        let limit = config.timeouts.connect + config.timeouts.handshake;
        Ok(Self {
            connector,
            upstream: Upstream::new(targets, names, limit),
            timeouts: config.timeouts,
            metrics,
            losses,
        })
    }

    /// Does what `mode` says for as long as there is consent. The sessions and the connector, with whatever key it has, are
    /// gone when this is done.
    pub async fn run(self, mode: Mode, consent: Consent, process: Process) -> Result<(), Error> {
        let admin = process.admin.clone();
        let lost = consent.lost(|standing| admin.set_ready(!standing.in_danger));
        match mode {
            Mode::Send(config) => {
                let mut out = tokio::io::stdout();
                whole(&process, lost, send::send(&self, &config, &mut out)).await
            }
            Mode::Listen(config) => listen::listen(self, config, process, lost).await,
        }
    }

    /// Tries the servers until one shows that it knows the key.
    pub async fn connect(&self) -> Result<Session, Unreachable<NoHandshake>> {
        // On the heap: it is needed for a short time only, and its space would stay in each session.
        Box::pin(self.upstream.connect(|socket| self.handshake(socket))).await
    }

    async fn handshake(&self, socket: UdpSocket) -> Result<Session, NoHandshake> {
        let start = Instant::now();
        let done = self
            .connector
            .connect(socket, self.timeouts.handshake)
            .await;
        match &done {
            Ok(_) => self.metrics.handshake_done(start.elapsed()),
            Err(error) => self.metrics.handshake_failed(error.reason()),
        }
        done.map_err(|why| NoHandshake {
            why,
            advice: self.connector.source().advice(),
        })
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

/// No server has shown that it knows the key.
#[derive(Debug)]
pub struct NoHandshake {
    why: NoSession,
    /// What makes two ends have the same keys.
    advice: &'static str,
}

impl HandshakeFailure for NoHandshake {
    fn reason(&self) -> &'static str {
        self.why.reason()
    }

    fn fault(&self) -> Fault {
        match &self.why {
            NoSession::Failed(HandshakeError::Peer(PeerFault::Closed) | HandshakeError::Io(_))
            | NoSession::NoAnswer
            | NoSession::Replaced => Fault::Network,
            NoSession::Failed(HandshakeError::Peer(_)) | NoSession::Unproven => Fault::Peer,
            NoSession::Failed(HandshakeError::Local(_) | HandshakeError::NoKey(_)) => Fault::Local,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        let is_about_the_key = matches!(
            self.why,
            // bad_record_mac, illegal_parameter, decrypt_error, unknown_psk_identity: what servers answer to another key
            // or identity, if they answer.
            NoSession::Unproven
                | NoSession::Failed(HandshakeError::Peer(
                    PeerFault::WrongKey | PeerFault::Alert(20 | 47 | 51 | 115)
                ))
        );
        is_about_the_key.then_some(self.advice)
    }
}

impl MayPass for NoHandshake {
    /// A server that is just being started or stopped does not answer, or its machine says that nobody is there.
    fn may_pass(&self) -> bool {
        self.fault() == Fault::Network
    }
}

impl fmt::Display for NoHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl std::error::Error for NoHandshake {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.why.source()
    }
}
