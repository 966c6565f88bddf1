//! `mcbn keeper run`: from the settings to an open port.

mod config;
mod error;

use super::command::clock;
use super::key::Key;
use super::ledger::entry::Event;
use super::ledger::file::Open;
use super::ledger::verify::verify;
use super::ledger::{Ledger, decide, writer};
use super::page::{self, Page};
use super::serve::metrics::Metrics;
use super::serve::refusals::Refusals;
use super::serve::{Keeper, Server, Terms, semaphore, tls};
use super::settings::OF_RUN;
use super::verify::{Attested, Verify};
use crate::manifest;
use config::Config;
use error::NotRun;
use mcbn_attest::UnixTime;
use mcbn_manifest::{Manifest, Pin};
use mcbn_runtime::process::{self, Process};
use mcbn_runtime::settings::{Port, Program};
use mcbn_runtime::suite::Command;
use mcbn_share::{Contribution, Participant};
use mcbn_tunnel::listen::listen;
use ring::rand::SystemRandom;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

pub const RUN: Command = Command {
    program: &PROGRAM,
    main: || process::main(&PROGRAM, Config::read, run),
};

static PROGRAM: Program = Program::new(
    crate::NAME,
    crate::VERSION,
    "Holds a participant's share, and hands it to machines that prove with an attestation token that they run what the \
     manifest says. Every request and decision is written to a ledger first.",
    OF_RUN,
    &[Port::tcp(7400)],
)
.under("keeper run", crate::BESIDE);

async fn run(config: Config, process: Process) -> Result<(), NotRun> {
    let address = config.listen;
    let limits = config.limits;
    let page = config.page;
    // A pipe's writer may take its time, and a long ledger takes some to be checked.
    let opened = tokio::task::spawn_blocking(move || open(config)).await;
    let Opened {
        acceptor,
        keeper,
        ledger,
        started,
        shown,
    } = match opened {
        Ok(opened) => opened?,
        Err(bug) => std::panic::resume_unwind(bug.into_panic()),
    };
    let failed = |error| NotRun::Listen(address, error);
    let listener = listen(address).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    // For as long as the keeper answers.
    let _page = match page {
        Some(address) => {
            let opened = Page::open(address, shown, process.shutdown.clone()).await;
            Some(opened.map_err(NotRun::Page)?)
        }
        None => None,
    };
    // Only what answers has started.
    let noted = keeper.writer.note(started).await;
    noted.map_err(NotRun::Fault)?;
    process
        .admin
        .register(|registry| keeper.metrics.register(registry));
    warm(&keeper);
    tracing::info!(address = %bound, "listening");
    process.admin.set_ready(true);
    let server = Server {
        listener,
        acceptor,
        limits,
        keeper,
    };
    server.run(process.shutdown).await;
    // The thread ends with the last connection. An orderly end leaves one file.
    let closed = tokio::task::spawn_blocking(move || ledger.join());
    let _ = timeout(Duration::from_secs(1), closed).await;
    Ok(())
}

/// A keeper that can answer once a port is open.
struct Opened {
    acceptor: TlsAcceptor,
    keeper: Arc<Keeper>,
    ledger: JoinHandle<Ledger>,
    started: Event,
    shown: page::Setup,
}

fn open(config: Config) -> Result<Opened, NotRun> {
    let manifest = manifest::read(&config.manifest).map_err(NotRun::Manifest)?;
    let key = Key::read(&config.key).map_err(NotRun::Key)?;
    let pin = own_pin(&manifest, &config.participant, &key)?;
    if let Some(issuer) = config.trust.other_issuer() {
        tracing::warn!(issuer, "whoever runs this issuer can have the share");
    }
    let verifier = config.trust.verifier(&manifest);
    let verifier = verifier.map_err(NotRun::Verifier)?;
    let share = Contribution::read(&config.share, manifest.kind()).map_err(NotRun::Share)?;
    let ledger = open_ledger(&config.ledger)?;
    let digest = manifest.digest();
    let shown = page::Setup {
        about: page::About {
            network: manifest.network().clone(),
            participant: config.participant.clone(),
            pin,
            manifest: digest,
            lease: manifest.lease(),
            ask: config.ask,
        },
        ledger: config.ledger,
        clock: clock(),
    };
    let terms = decide::Terms {
        lease: manifest.lease(),
        ask: config.ask,
    };
    let (writer, ledger) = writer::start(ledger, terms, clock()).map_err(NotRun::Thread)?;
    Ok(Opened {
        acceptor: tls::acceptor(key).map_err(NotRun::Key)?,
        keeper: Arc::new(Keeper {
            terms: Terms::of(&manifest, &pin),
            share,
            verify: Arc::new(Attested { verifier, manifest }),
            writer,
            clock: clock(),
            verifications: Arc::new(semaphore(config.limits.verifications)),
            rates: config.limits.rates(),
            refusals: Refusals::new(),
            metrics: Metrics::default(),
            random: SystemRandom::new(),
        }),
        ledger,
        started: Event::Started {
            participant: config.participant,
            pin,
            manifest: digest,
        },
        shown,
    })
}

/// The manifest must name this participant, and this key as theirs.
fn own_pin(manifest: &Manifest, participant: &Participant, key: &Key) -> Result<Pin, NotRun> {
    let mut members = manifest.participants().iter();
    let member = members.find(|member| member.name == *participant);
    let member = member.ok_or_else(|| NotRun::NotAMember(participant.clone()))?;
    let keeper = member.keeper();
    let keeper = keeper.ok_or_else(|| NotRun::InCloud(participant.clone()))?;
    match key.pin() == keeper.pin {
        true => Ok(keeper.pin),
        false => Err(NotRun::OtherPin(key.pin())),
    }
}

/// Checked from its first entry on: what it says decides who gets the share.
fn open_ledger(path: &Path) -> Result<Ledger, NotRun> {
    let ledger = Ledger::open(path, Open::OrCreate).map_err(NotRun::Ledger)?;
    let head = verify(&ledger, None).map_err(NotRun::Unsound)?;
    tracing::info!(entries = head.seq, head = %head.hash, "the ledger is sound");
    Ok(ledger)
}

/// A keeper whose issuer cannot be reached now may be able to reach it when a token comes.
fn warm(keeper: &Arc<Keeper>) {
    let verify: Arc<dyn Verify> = Arc::clone(&keeper.verify);
    let now = UnixTime::since_unix_epoch(Duration::from_millis((keeper.clock)().0));
    tokio::task::spawn_blocking(move || {
        if let Err(fault) = verify.warm(now) {
            tracing::warn!(%fault, "no token can be verified yet");
        }
    });
}
