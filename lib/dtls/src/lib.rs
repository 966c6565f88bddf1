//! DTLS 1.2 with an external pre-shared key, and nothing else ([RFC 6347], [RFC 5487], [RFC 7905]).
//!
//! [`Endpoint`] sorts the datagrams of one socket by peer, and gives an [`Arrival`] for each peer that has proved its
//! address; [`Arrival::handshake`] and [`Connector::connect`] give a [`Session`], and nothing else does. Each session
//! carries the proof that its handshake was authenticated by the key ([`AuthenticatedPeer`]).
//!
//! What this crate is not: it has no certificates, no tickets, no resumption, no renegotiation and no connection IDs. A
//! session is its peer's address and port: a peer whose NAT forgets it begins a new one. A socket that is bound to the
//! wildcard answers from the address that the system's routes choose; a machine with several binds the one that is meant.
//!
//! Invariants, and the threat that each one answers:
//! - Nothing is kept of a ClientHello whose address is not proved, and no answer to one is larger than it: a flood from
//!   forged addresses costs no memory, and reaches nobody else.
//! - A peer without the key gets no session, and cannot end another's: what fails a MAC is dropped, a session at an
//!   address lives until another one there has shown the key ([RFC 6347 §4.2.8]).
//! - A stranger cannot learn which identities exist: an unknown identity is answered with a random key, so that what can
//!   be seen and the work are those of a wrong key.
//! - The extended master secret binds each key to its handshake ([RFC 7627]): a peer without it is refused before any data.
//! - Each peer has a bounded queue and its own task: one that does not read, or stops half-way, holds up nobody. What does
//!   not fit is dropped and counted, as on any link.
//! - A datagram leaves whole in one packet, or not at all.
//! - Everything has a deadline. DTLS tells a peer with another key nothing, so that both ends learn it by their own.
//!
//! # Which library
//!
//! OpenSSL. What its Rust successors lack, as read in the source of each (November 2026):
//!
//! | | `dtls` 0.17.2 | `rtc-dtls` 0.21.1 | `dimpl` 0.9.0 | OpenSSL 3.6 |
//! |---|---|---|---|---|
//! | suites with a key alone | CCM, CCM_8, GCM | CCM, CCM_8, GCM | CCM_8 | GCM, CCM, CCM_8, ChaCha20 |
//! | a key and (EC)DHE | no | no | no | ChaCha20, CBC |
//! | extended master secret can be required | yes | yes | always | asked after the handshake |
//! | cookie | random, kept for each peer | random, kept for each peer | HMAC of the random, not of the address | HMAC of both, nothing kept |
//! | state before the cookie | a connection | a connection | the caller's instance | none (`DTLSv1_listen`) |
//! | many peers on a socket | handshakes one at a time in `accept` | a map without a limit | the caller's | the caller's (here) |
//! | retransmission | fixed interval | fixed interval | doubling | doubling, by our timer |
//! | MTU | of handshakes | of handshakes | set, 1150 | set, and asked for data |
//! | replay window | yes | yes | yes | yes |
//! | the key may depend on both randoms | no | no | no | yes |
//! | beside | | | always offers SRTP | C |
//!
//! [RFC 5487]: https://www.rfc-editor.org/rfc/rfc5487
//! [RFC 6347]: https://www.rfc-editor.org/rfc/rfc6347
//! [RFC 6347 §4.2.8]: https://www.rfc-editor.org/rfc/rfc6347#section-4.2.8
//! [RFC 7627]: https://www.rfc-editor.org/rfc/rfc7627
//! [RFC 7905]: https://www.rfc-editor.org/rfc/rfc7905

#![deny(unsafe_code)]

mod client;
mod context;
mod cookie;
mod endpoint;
mod ffi;
mod hello;
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
pub use mcbn_tls::{HandshakeError, PeerFault, Setup};
pub use mtu::{Mtu, NotAnMtu};
pub use peer::AuthenticatedPeer;
pub use server::Acceptor;
pub use session::{Ended, NoSession, NotSent, Session};
