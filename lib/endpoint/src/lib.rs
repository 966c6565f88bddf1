//! What stands around an encrypted connection: a [`server`] that forwards it or answers on it, and a [`client`] that uses
//! it for one request, for standard input and output, or for programs that connect to a local port.
//!
//! It knows no encryption: a [`Handshake`](mcbn_tunnel::handshake::Handshake) makes the connection of a plain one, or does
//! not, and nothing here runs on a connection without it.
//!
//! Invariants, and the threat that each one answers:
//! - Strangers hold places of their own, few and for a short time: they cannot take those of peers with the key.
//! - Plaintext leaves the machine, and others reach the tunnel in clear, only where a switch says that it is insecure.
//! - When consent is lost every connection is gone, and what it held, before the program reports it.

#![forbid(unsafe_code)]

pub mod client;
pub mod role;
pub mod server;
