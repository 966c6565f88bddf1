//! What clients may use.

use crate::LARGEST_BODY;
use std::num::NonZeroUsize;
use std::time::Duration;

/// How many connections there may be, how long each step may take, and how much may be sent.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connections: NonZeroUsize,
    /// From one address.
    pub connections_of_a_peer: NonZeroUsize,
    /// Connections that are in their handshake.
    pub handshakes: NonZeroUsize,
    /// For the handshake.
    pub handshake: Duration,
    /// For the head of a request, and so also for the pause between two requests.
    pub head: Duration,
    /// For a request to come whole and be handled; and as long again for its token.
    pub request: Duration,
    /// After it, the request that is being answered is the last one.
    pub connection: Duration,
    /// Bytes of the largest body of a request.
    pub body: usize,
}

const fn count(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("not zero")
}

/// For some hundred participants.
impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: count(1024),
            connections_of_a_peer: count(64),
            handshakes: count(256),
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            request: Duration::from_secs(30),
            connection: Duration::from_secs(600),
            body: LARGEST_BODY,
        }
    }
}
