//! DTLS 1.2 with an external pre-shared key, and nothing else.

#![deny(unsafe_code)]

mod client;
mod context;
mod cookie;
mod endpoint;
mod ffi;
mod hello;
mod key;
mod link;
mod mtu;
mod peer;
pub mod relay;
mod server;
mod session;
pub mod settings;
mod timer;

pub use client::Connector;
pub use context::Suites;
pub use endpoint::{Arrival, Endpoint, Seat};
pub use key::{KeySource, NoKey, Randoms};
pub use mcbn_tls::{HandshakeError, PeerFault, Setup};
pub use mtu::{Mtu, NotAnMtu};
pub use peer::AuthenticatedPeer;
pub use server::Acceptor;
pub use session::{Ended, NoSession, NotSent, Session};
