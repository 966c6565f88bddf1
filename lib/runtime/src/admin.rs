//! Health and metrics for whoever runs the program: `GET /healthz`, `/readyz`, `/metrics`.
//!
//! Off unless asked for, and only ever on a loopback address: there is no access control on it, and counts tell a
//! stranger when peers are there.

use crate::http::{self, Limits, Request, Response, StatusCode};
use crate::settings::{Program, Setting};
use crate::shutdown::Shutdown;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::fmt::{self, Display};
use std::io;
use std::net::{AddrParseError, SocketAddr};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Part of every program's table.
pub const LISTEN: Setting = Setting::value(
    "admin",
    "ADDR:PORT",
    "a loopback address that answers /healthz, /readyz and /metrics; there is none unless it is given",
);

/// An address that only this machine reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loopback(SocketAddr);

impl Loopback {
    pub const fn get(self) -> SocketAddr {
        self.0
    }
}

impl FromStr for Loopback {
    type Err = NotLoopback;

    fn from_str(text: &str) -> Result<Loopback, NotLoopback> {
        let address: SocketAddr = text.parse().map_err(NotLoopback::Form)?;
        match address.ip().is_loopback() {
            true => Ok(Loopback(address)),
            false => Err(NotLoopback::Reachable),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotLoopback {
    Form(AddrParseError),
    Reachable,
}

impl Display for NotLoopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotLoopback::Form(error) => error.fmt(f),
            NotLoopback::Reachable => {
                f.write_str("not a loopback address, and other machines could reach it")
            }
        }
    }
}

impl std::error::Error for NotLoopback {}

/// What the admin port shows. Clones show the same; it can be filled whether or not there is a port.
#[derive(Clone, Debug)]
pub struct Admin(Arc<Shown>);

#[derive(Debug)]
struct Shown {
    registry: RwLock<Registry>,
    ready: AtomicBool,
    conditions: RwLock<Vec<Condition>>,
}

impl Admin {
    pub fn new(program: &Program) -> Admin {
        let mut registry = Registry::with_prefix("mcbn");
        let build = Info::new([("program", program.name()), ("version", program.version())]);
        registry.register("build", "The program that answers", build);
        Admin(Arc::new(Shown {
            registry: RwLock::new(registry),
            ready: AtomicBool::new(false),
            conditions: RwLock::default(),
        }))
    }

    /// Adds metrics; their names get the prefix `mcbn_`.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.0.registry.write().expect("no writer panics"));
    }

    /// Whether the program takes on work now, as far as it is not said by a [`Condition`]. It starts as not ready; a
    /// draining program is never ready.
    pub fn set_ready(&self, ready: bool) {
        self.0.ready.store(ready, Ordering::Relaxed);
    }

    /// Adds a condition, which does not hold yet: the program is ready only where all of them hold. The name is a short
    /// word, which is shown where it fails.
    pub fn condition(&self, name: &'static str) -> Condition {
        let holds = Arc::new(AtomicBool::new(false));
        let condition = Condition { name, holds };
        let mut all = self.0.conditions.write().expect("no writer panics");
        all.push(condition.clone());
        condition
    }

    /// Opens the port and answers on it until the program ends. Gives the address, whose port may have been 0.
    pub async fn listen(&self, address: Loopback, shutdown: Shutdown) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(address.0).await?;
        let bound = listener.local_addr()?;
        tokio::spawn(self.clone().accept(listener, shutdown));
        Ok(bound)
    }

    /// Goes on until the end of the drain, so that the drain can be watched.
    async fn accept(self, listener: TcpListener, shutdown: Shutdown) {
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let slot = Arc::clone(&slots).acquire_owned().await;
            let slot = slot.expect("the semaphore is never closed");
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of descriptors, as a rule: trying again at once would only burn the processor.
                    tracing::warn!(%error, "the admin port cannot accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let (admin, shutdown) = (self.clone(), shutdown.clone());
            tokio::spawn(async move {
                let answer = |request: &Request| admin.answer(request, &shutdown);
                // A fault here is that of a local tool; it sees it itself.
                let _ = http::serve(stream, LIMITS, shutdown.ended(), answer).await;
                drop(slot);
            });
        }
    }

    fn answer(&self, request: &Request, shutdown: &Shutdown) -> Response {
        http::route(request, |path| {
            Some(match path {
                "/healthz" => http::text(StatusCode::OK, "ok\n"),
                "/readyz" if shutdown.is_draining() => {
                    http::text(StatusCode::SERVICE_UNAVAILABLE, "draining\n")
                }
                "/readyz" => self.readiness(),
                "/metrics" => self.metrics(),
                _ => return None,
            })
        })
    }

    fn readiness(&self) -> Response {
        let conditions = self.0.conditions.read().expect("no writer panics");
        let failing = conditions.iter().filter(|condition| !condition.holds());
        let failing: Vec<&str> = failing.map(|condition| condition.name).collect();
        let status = StatusCode::SERVICE_UNAVAILABLE;
        match (&failing[..], self.0.ready.load(Ordering::Relaxed)) {
            ([], true) => http::text(StatusCode::OK, "ready\n"),
            ([], false) => http::text(status, "not ready\n"),
            (names, _) => http::text(status, format!("not ready: {}\n", names.join(", "))),
        }
    }

    fn metrics(&self) -> Response {
        let mut body = String::new();
        let registry = self.0.registry.read().expect("no writer panics");
        encode(&mut body, &registry).expect("a string takes everything");
        http::with_type(
            StatusCode::OK,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            body,
        )
    }
}

/// Something beside the program's own word that must hold for it to be ready, such as that a device answers. Clones are
/// the same one.
#[derive(Clone, Debug)]
pub struct Condition {
    name: &'static str,
    holds: Arc<AtomicBool>,
}

impl Condition {
    /// What was set last counts, even when nobody is left who could set it.
    pub fn set(&self, holds: bool) {
        self.holds.store(holds, Ordering::Relaxed);
    }

    fn holds(&self) -> bool {
        self.holds.load(Ordering::Relaxed)
    }
}

/// More than any monitoring needs, and little memory.
const CONNECTIONS: usize = 16;

const LIMITS: Limits = Limits {
    head: Duration::from_secs(10),
    connection: Duration::from_secs(60),
};

#[cfg(test)]
mod tests;
