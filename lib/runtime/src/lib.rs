//! What every program of this project shares: how it is configured, how it logs, how it ends.
//!
//! It knows no protocol. A workload's `main.rs` is one call:
//!
//! ```no_run
//! use mcbn_runtime::process::{self, Process};
//! use mcbn_runtime::settings::{Given, Port, Program, Reported, Setting};
//! use std::{net::SocketAddr, process::ExitCode};
//!
//! const LISTEN: Setting = Setting::value("listen", "ADDR:PORT", "where to accept connections")
//!     .default("0.0.0.0:7443")
//!     .operator();
//!
//! const PROGRAM: Program = Program::new(
//!     "psk-server",
//!     env!("CARGO_PKG_VERSION"),
//!     "A TLS server that is reachable only with everyone's consent.",
//!     &[LISTEN],
//!     &[Port::tcp(7443)],
//! );
//!
//! struct Config {
//!     listen: SocketAddr,
//! }
//!
//! impl Config {
//!     fn read(given: &mut Given) -> Result<Config, Reported> {
//!         // Every setting is read before the first `?`, so that every mistake is reported.
//!         let listen = given.one(&LISTEN);
//!         Ok(Config { listen: listen? })
//!     }
//! }
//!
//! async fn serve(config: Config, process: Process) -> Result<(), std::io::Error> {
//!     let listener = tokio::net::TcpListener::bind(config.listen).await?;
//!     process.admin.set_ready(true);
//!     process.shutdown.draining().await;
//!     Ok(drop(listener))
//! }
//!
//! fn main() -> ExitCode {
//!     process::main(&PROGRAM, Config::read, serve)
//! }
//! ```
#![forbid(unsafe_code)]

pub mod admin;
pub mod exit;
pub mod harden;
pub mod http;
pub mod log;
pub mod process;
pub mod settings;
pub mod shutdown;
pub mod suite;
pub mod units;
