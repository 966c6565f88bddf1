//! Client of the token service that the launcher of Confidential Space offers on a Unix socket.
//!
//! A workload asks it for attestation tokens: signed claims about this machine and the container that runs on it. A
//! [`Request`] is what one token must say beside those claims, an audience and nonces, and can only be made within the
//! service's limits, so that a fault of ours never reaches it.
//!
//! What this crate is not: it does not verify tokens. Whoever asked for the claims does that. Here a token is text of
//! the right form, and no more.
//!
//! Invariants, and the threat that each one answers:
//! - Whatever answers on the socket, an answer is bounded in bytes and in time.
//! - A token is never shown in `Debug` or in a message: who has it can show it to others until it expires.
#![forbid(unsafe_code)]

mod client;
mod error;
mod request;
mod token;
mod tokens;

pub use client::Launcher;
pub use error::{Error, Malformed, Said};
pub use request::{Audience, Nonce, NotANonce, NotAnAudience, NotThatMany, Request, TokenType};
pub use token::Token;
pub use tokens::Tokens;

/// Where the launcher mounts the socket into the container.
pub const SOCKET: &str = "/run/container_launcher/teeserver.sock";
