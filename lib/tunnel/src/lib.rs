//! Moving bytes between two streams, and the things around it that every server and client needs: an accept loop
//! with limits, deadlines and an orderly end, and a dialler with several addresses, names, failover and backoff.
//!
//! The same for datagrams: one socket of many peers, with the same limits and the same end.
//!
//! It knows no encryption: a stream is whatever reads and writes.
//!
//! Invariants, and the threat that each one answers:
//! - Memory is bounded for each connection, whatever its peers do: a side that does not read stops the other from
//!   being read.
//! - A stream that breaks is never passed on as one that ended: what is cut on one side is reset on the other.
//! - Strangers can hold a connection only as long as a deadline allows, and only so many of them.

#![forbid(unsafe_code)]

pub mod accept;
pub mod datagram;
pub mod dial;
pub mod handshake;
pub mod join;
pub mod limits;
pub mod listen;
pub mod metrics;
pub mod names;
mod race;
pub mod reset;
mod rest;
pub mod settings;
pub mod target;
pub mod udp;
