//! What the simulators' services share: a server that can be taken away, how it answers, and counts that tests wait on.

pub(crate) mod health;
mod server;
mod tally;
mod tls;

pub use health::Health;
pub(crate) use server::{Endpoint, Port, Server};
pub(crate) use tally::Tally;
