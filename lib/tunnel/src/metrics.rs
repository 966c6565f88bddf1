//! What connections do, as numbers.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::join::Direction;
use crate::limits::Full;

type Label = [(&'static str, &'static str); 1];

/// Counters of one listener. Clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    accepted: Counter,
    active: Gauge,
    refused: Family<Label, Counter>,
    handshakes: Family<Label, Counter>,
    handshake_seconds: Histogram,
    bytes_up: Counter,
    bytes_down: Counter,
    ended: Family<Label, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            accepted: Counter::default(),
            active: Gauge::default(),
            refused: Family::default(),
            handshakes: Family::default(),
            // From a handshake on the same machine to one over a slow path with a loss.
            handshake_seconds: Histogram::new([
                0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
                10.0,
            ]),
            bytes_up: Counter::default(),
            bytes_down: Counter::default(),
            ended: Family::default(),
        }
    }
}

impl Metrics {
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "connections_accepted",
            "Connections accepted",
            self.accepted.clone(),
        );
        registry.register(
            "connections_active",
            "Connections open now",
            self.active.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections closed unread because of a limit, by limit",
            self.refused.clone(),
        );
        registry.register(
            "handshakes",
            "Handshakes by outcome: ok, or the reason of the failure",
            self.handshakes.clone(),
        );
        registry.register(
            "handshake_seconds",
            "Time that successful handshakes took",
            self.handshake_seconds.clone(),
        );
        registry.register(
            "bytes_up",
            "Payload bytes from the accepting to the dialled side",
            self.bytes_up.clone(),
        );
        registry.register(
            "bytes_down",
            "Payload bytes from the dialled to the accepting side",
            self.bytes_down.clone(),
        );
        registry.register(
            "connections_ended",
            "Connections that ended after their handshake, by reason",
            self.ended.clone(),
        );
    }

    pub fn refused(&self, full: Full) {
        let reason = match full {
            Full::Total => "total_limit",
            Full::Peer => "peer_limit",
        };
        self.refused.get_or_create(&[("reason", reason)]).inc();
    }

    /// One connection, counted as open until the answer is dropped.
    pub fn accepted(&self) -> Active {
        self.accepted.inc();
        self.active.inc();
        Active(self.active.clone())
    }

    pub fn handshake_done(&self, took: Duration) {
        self.handshakes.get_or_create(&[("outcome", "ok")]).inc();
        self.handshake_seconds.observe(took.as_secs_f64());
    }

    pub fn handshake_failed(&self, reason: &'static str) {
        self.handshakes.get_or_create(&[("outcome", reason)]).inc();
    }

    pub fn moved(&self, direction: Direction, bytes: usize) {
        match direction {
            Direction::Up => &self.bytes_up,
            Direction::Down => &self.bytes_down,
        }
        .inc_by(bytes as u64);
    }

    pub fn ended(&self, reason: &'static str) {
        self.ended.get_or_create(&[("reason", reason)]).inc();
    }
}

/// An open connection.
#[derive(Debug)]
pub struct Active(Gauge);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.dec();
    }
}
