//! What stands around a DTLS session: a [`server`] that forwards its datagrams or answers each with itself, and a
//! [`client`] that uses it for one datagram, or for programs that send to a local port. `mcbn_endpoint` is the same for
//! streams.
//!
//! It makes no keys: an [`Acceptor`](mcbn_dtls::Acceptor) or a [`Connector`](mcbn_dtls::Connector) comes with the source of
//! its own.
//!
//! Invariants, and the threat that each one answers:
//! - Strangers hold places of their own, few and for a short time: they cannot take those of peers with the key.
//! - Plaintext leaves the machine, and others reach the tunnel in clear, only where a switch says that it is insecure.
//! - When consent is lost every session is ended, and what it held is gone, before the program reports it.

#![forbid(unsafe_code)]

pub mod client;
pub mod server;
