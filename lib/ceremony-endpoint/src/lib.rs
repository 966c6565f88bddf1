//! What stands around the state of a ceremony in a program that serves it: its settings, its port, who may ask, and how
//! a request becomes an answer. What is asked, and what it does, is the program's.
//!
//! Invariants, and the threat that each one answers:
//! - Participants alone get an answer, each known by the key of its connection, and none speaks for another.
//! - A body that is not of the protocol, or is of another request, is refused before anything changes.
#![forbid(unsafe_code)]

pub mod answer;
mod callers;
mod endpoint;
mod settings;

pub use callers::Callers;
pub use endpoint::{Endpoint, NotOpen};
pub use settings::{EndpointConfig, LISTEN, MANIFEST, PORT};
