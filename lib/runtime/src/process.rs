//! A program from its first line to its exit code.

use crate::admin::{self, Admin, Loopback};
use crate::exit::{Exit, Failure, report};
use crate::harden::{Hardened, harden};
use crate::log::{self, Level};
use crate::settings::{Given, Program, Reported};
use crate::shutdown::{self, Shutdown};
use crate::units::Period;
use std::error::Error;
use std::fmt::{self, Display};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Runtime;

/// What a running program has beside its own configuration.
#[derive(Clone, Debug)]
pub struct Process {
    pub shutdown: Shutdown,
    pub admin: Admin,
}

/// Reads the configuration, hardens the process, starts the log, the signals and the admin port, and runs `serve`.
///
/// `read` runs before this program has a thread or a descriptor of its own: what it inherited is taken there.
///
/// `serve` ends by itself when its work is done, or after it was told to drain; half a second past the end of the
/// drain it is dropped. Its error is reported with its hint, and becomes the exit code.
pub fn main<C, E: Failure>(
    program: &'static Program,
    read: impl FnOnce(&mut Given) -> Result<C, Reported>,
    serve: impl AsyncFnOnce(C, Process) -> Result<(), E>,
) -> ExitCode {
    let (basics, config) = match program.load(|given| {
        let basics = Basics::read(given);
        let config = read(given);
        Ok((basics?, config?))
    }) {
        Ok(loaded) => loaded,
        Err(exit) => return exit.into(),
    };
    let hardened = match harden() {
        Ok(hardened) => hardened,
        Err(failure) => return report(program.name(), &failure).into(),
    };
    log::install(basics.level);
    run(hardened, program, basics, config, serve).into()
}

/// The same for a [`Program::tool`]: reads the configuration, hardens the process, and does the one thing.
pub fn once<C, E: Failure>(
    program: &'static Program,
    read: impl FnOnce(&mut Given) -> Result<C, Reported>,
    act: impl FnOnce(C) -> Result<(), E>,
) -> ExitCode {
    let config = match program.load(read) {
        Ok(config) => config,
        Err(exit) => return exit.into(),
    };
    if let Err(failure) = harden() {
        return report(program.name(), &failure).into();
    }
    // A person reads its standard error: only a bug is logged there.
    log::install(Level::ERROR);
    match catch_unwind(AssertUnwindSafe(|| act(config))) {
        Ok(Ok(())) => Exit::Ok,
        Ok(Err(failure)) => report(program.name(), &failure),
        Err(_) => Exit::Bug,
    }
    .into()
}

/// The settings that every program has.
struct Basics {
    level: Level,
    admin: Option<Loopback>,
    drain: Duration,
}

impl Basics {
    fn read(given: &mut Given) -> Result<Basics, Reported> {
        let level = given.one(&log::LEVEL);
        let admin = given.optional(&admin::LISTEN);
        let drain = given.one::<Period>(&shutdown::DRAIN);
        Ok(Basics {
            level: level?,
            admin: admin?,
            drain: drain?.get(),
        })
    }
}

fn run<C, E: Failure>(
    _: Hardened,
    program: &'static Program,
    basics: Basics,
    config: C,
    serve: impl AsyncFnOnce(C, Process) -> Result<(), E>,
) -> Exit {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return report(program.name(), &NotStarted::Runtime(error)),
    };
    let until_its_end = async {
        let process = match start(program, &basics).await {
            Ok(process) => process,
            Err(failure) => return report(program.name(), &failure),
        };
        let shutdown = process.shutdown.clone();
        tokio::select! {
            result = serve(config, process) => match result {
                Ok(()) => Exit::Ok,
                Err(failure) => report(program.name(), &failure),
            },
            () = cut(&shutdown) => {
                tracing::warn!("open work was cut");
                Exit::Ok
            }
        }
    };
    // The panic hook has logged the bug; what is left is the exit code.
    let exit = catch_unwind(AssertUnwindSafe(|| runtime.block_on(until_its_end)));
    // A thread that is blocked in a read of standard input would hold up an orderly end for ever.
    runtime.shutdown_background();
    exit.unwrap_or(Exit::Bug)
}

/// `serve` sees the end of the drain too; it has this long to say goodbye.
async fn cut(shutdown: &Shutdown) {
    shutdown.ended().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
}

async fn start(program: &'static Program, basics: &Basics) -> Result<Process, NotStarted> {
    let shutdown = shutdown::on_signals(basics.drain).map_err(NotStarted::Signals)?;
    let admin = Admin::new(program);
    if let Some(address) = basics.admin {
        let bound = admin.listen(address, shutdown.clone()).await;
        let address = bound.map_err(NotStarted::Admin)?;
        tracing::info!(%address, "admin port listening");
    }
    Ok(Process { shutdown, admin })
}

/// The operating system refused what a program needs before its own work.
#[derive(Debug)]
enum NotStarted {
    Runtime(io::Error),
    Signals(io::Error),
    Admin(io::Error),
}

impl Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotStarted::Runtime(_) => f.write_str("cannot start the worker threads"),
            NotStarted::Signals(_) => f.write_str("cannot listen for signals"),
            NotStarted::Admin(_) => write!(
                f,
                "cannot listen on the address of {}",
                admin::LISTEN.flag()
            ),
        }
    }
}

impl Error for NotStarted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NotStarted::Runtime(error) | NotStarted::Signals(error) | NotStarted::Admin(error) => {
                Some(error)
            }
        }
    }
}

impl Failure for NotStarted {
    fn exit(&self) -> Exit {
        match self {
            NotStarted::Runtime(_) | NotStarted::Signals(_) => Exit::Platform,
            NotStarted::Admin(_) => Exit::Io,
        }
    }
}
